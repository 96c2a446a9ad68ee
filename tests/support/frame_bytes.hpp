// The grammar of what a frame may emit: printable UTF-8, LF, CR, and the few sequences of docs/console.md.
// One thread. What was opened by one piece of bytes may be closed by the next.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dlog::test {

class FrameBytes {
 public:
  // What is wrong with the bytes, in words; empty: nothing.
  std::string read(std::string_view bytes);

  // Between two frames: autowrap on, no synchronized update open, no colour left on.
  bool settled() const noexcept { return autowrap_ && !synchronized_ && !coloured_; }

  // The rows that were drawn last, without their sequences.
  const std::vector<std::string>& rows() const noexcept { return rows_; }

 private:
  std::string read_sequence(std::string_view bytes);
  std::string read_command(std::string_view bytes);
  std::string set_autowrap(bool on);
  std::string synchronize(bool on);

  std::vector<std::string> rows_{};
  std::size_t newlines_ = 0;  // that were the last bytes
  std::size_t room_ = 0;      // rows that it was made for; 0: none was
  std::size_t taken_ = 0;     // how many bytes the sequence had
  bool autowrap_ = true;
  bool synchronized_ = false;
  bool coloured_ = false;
};

}  // namespace dlog::test
