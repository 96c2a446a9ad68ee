// Reads a console's plain lines and finds what is missing, double, torn or out of order among the numbered records.
//
// Threads: one at a time. It knows nothing of processes: lines in, counts out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torture {

class Tally {
 public:
  struct Source {
    std::vector<bool> seen;       // by number
    std::uint64_t first = 0;      // number of the first that was shown
    std::uint64_t different = 0;  // numbers that were shown
    std::uint64_t doubled = 0;
    std::uint64_t late = 0;  // shown behind a higher number
  };

  // What may stand among the records. A stderr also has the words of the C++ runtime.
  enum class Foreign { torn, allowed };
  explicit Tally(std::size_t sources, Foreign foreign = Foreign::torn) : sources_(sources), foreign_(foreign) {}

  void line(std::string_view line);
  // What stands behind the last newline. Whoever was killed in the middle of a write may leave some.
  void rest(std::string_view rest) { rest_ = rest; }

  const Source& source(std::size_t number) const { return sources_[number]; }
  std::size_t sources() const { return sources_.size(); }
  std::uint64_t torn() const { return torn_; }
  std::uint64_t told_dropped() const { return told_dropped_; }
  std::uint64_t notices() const { return notices_; }
  const std::string& rest() const { return rest_; }
  // The first few lines that are wrong, with a word for what is wrong about them.
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  void numbered(std::string_view message, std::string_view line);
  void notice(std::string_view message);
  void count(Source& source, std::uint64_t number, std::string_view line);
  void fault(std::string_view what, std::string_view line);
  void tear(std::string_view line);

  std::vector<Source> sources_;
  Foreign foreign_;
  std::uint64_t torn_ = 0;
  std::uint64_t told_dropped_ = 0;
  std::uint64_t notices_ = 0;
  std::string rest_;
  std::vector<std::string> faults_;
};

}  // namespace torture
