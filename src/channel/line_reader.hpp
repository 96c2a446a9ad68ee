// Bytes in any pieces, lines out. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace dlog::channel {

// A line that is whole in the bytes at hand is not copied. Of an unfinished one at most `line_bytes_max` bytes are kept; one that turns
// out to be longer is told once, as soon as that is seen, and skipped to its end.
class LineReader {
 public:
  explicit LineReader(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  class Receiver {
   public:
    // `ends_at` bytes of all that was ever given to take() are before the line's end and its newline.
    virtual void take_line(std::string_view line, std::uint64_t ends_at) = 0;
    virtual void take_long_line(std::uint64_t begins_at) = 0;
    virtual void long_line_ends(std::uint64_t ends_at) = 0;

   protected:
    ~Receiver() = default;
  };
  void take(std::string_view bytes, Receiver& receiver);

  std::uint64_t bytes_taken() const noexcept { return taken_; }
  // Within take_line(): is the next line at hand as well?
  bool has_more() const noexcept { return has_more_; }
  // How many bytes of an unfinished line there are, those of a skipped one too.
  std::size_t unfinished_bytes() const noexcept { return unfinished_; }

 private:
  void keep(std::string_view bytes, Receiver& receiver);

  std::size_t line_bytes_max_;
  std::vector<char> kept_{};  // a string would take twice what it is asked for
  std::size_t unfinished_ = 0;
  bool skips_ = false;
  bool has_more_ = false;
  std::uint64_t taken_ = 0;
};

}  // namespace dlog::channel
