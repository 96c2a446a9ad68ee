// The picture on a terminal: lines that scroll up and, below them, a live region that is drawn again and again.
//
// Between two frames the cursor stands at the left of a blank spacer row, above the live rows: a stray line that another program
// writes lands there and survives, and a resize leaves no ghost. Pure: (what was drawn before, lines, rows, size) -> bytes for
// one write(). The sequence is in docs/console.md.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dlog::render {

struct Size {
  int columns = 80;
  int rows = 24;
  bool operator==(const Size&) const = default;
};

class Frame {
 public:
  // Appends the bytes that show `lines` (whole lines, each with its newline) above `rows` (each without one, none wider than
  // columns - 1). Spacer and rows together must take at most size.rows - 1.
  void append(std::string& out, std::string_view lines, const std::vector<std::string>& rows, Size size);

  bool has_live_rows() const noexcept { return rows_before_ != 0; }

  // How many live rows, the summary included, a terminal of that height takes.
  static std::size_t rows_max(Size size) noexcept;

 private:
  std::size_t rows_before_ = 0;
  Size size_before_{};
};

}  // namespace dlog::render
