// A terminal in memory, for whole-screen assertions: it understands exactly what a frame may emit and throws on all else.
//
// Understood: printable UTF-8, CR, LF, CSI n A, CSI J, CSI K, CSI ? 7 h/l, CSI ? 2026 h/l, SGR. LF also returns to the first
// column, as it does behind a line discipline. Lines that leave at the top are kept. A resize moves no text to other lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dlog::test {

using Rows = std::vector<std::string>;

class Terminal {
 public:
  Terminal(int columns, int rows);

  // Throws std::runtime_error on a byte that no frame may emit.
  void write(std::string_view bytes);
  void resize(int columns, int rows);

  // The screen's rows without blanks at their ends and without blank rows at the bottom.
  Rows screen() const;
  // The same with the lines that left at the top before it.
  Rows text() const;
  const Rows& gone() const { return gone_; }

  int column() const { return x_; }
  int row() const { return y_; }
  // Between two frames: autowrap on, no synchronized update open, no colour left on.
  bool settled() const { return autowrap_ && !synchronized_ && !coloured_; }

 private:
  using Row = std::vector<std::string>;  // one cell a column; the right half of a wide character is empty

  void control(unsigned char byte);
  std::size_t sequence(std::string_view bytes);
  void put(std::string_view character, int width);
  void line_feed();
  void erase_right();
  void erase_down();
  Row blank_row() const;

  int columns_;
  int rows_;
  std::vector<Row> cells_;
  Rows gone_{};
  int x_ = 0;
  int y_ = 0;
  bool wrap_next_ = false;  // the last column is written; the next character goes to the next line
  bool autowrap_ = true;
  bool synchronized_ = false;
  bool coloured_ = false;
};

}  // namespace dlog::test
