// A terminal in memory: what bytes leave on a screen, and what has scrolled off it.
//
// It knows what programs that print use: printable UTF-8, CR, LF, BS, TAB, CSI A B C D H J K m, CSI ? 7 h/l (autowrap) and
// CSI ? 25 h/l (cursor). All else is taken as a terminal takes what it does not know: it leaves no trace. LF returns to the first
// column too, as it does behind a line discipline. Like an xterm it moves no text to other lines when its size changes.
// Pure; one thread. Bytes may be anything, and may be cut anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "log/render/frame.hpp"

namespace dlog::render {

class TerminalModel {
 public:
  // A side is at least 1 and at most side_max.
  explicit TerminalModel(Size size);

  void write(std::string_view bytes);
  void resize(Size size);

  // The rows without blanks at their ends and without blank rows at the bottom.
  std::vector<std::string> screen() const;
  // The lines that left at the top.
  const std::vector<std::string>& gone() const noexcept { return gone_; }
  // Both.
  std::vector<std::string> text() const;

  Size size() const noexcept { return size_; }
  int column() const noexcept { return x_; }
  int row() const noexcept { return y_; }
  bool autowrap() const noexcept { return autowrap_; }
  bool cursor_visible() const noexcept { return cursor_visible_; }

  static constexpr int side_max = 4096;
  static constexpr std::size_t sequence_bytes_max =
      64;  // what stands between CSI and its last byte; more is not understood

 private:
  using Row =
      std::vector<std::string>;  // a cell a column, as far as it was written; behind a wide character empty ones
  enum class State : std::uint8_t { text, escape, sequence, string };

  void take(unsigned char byte);
  void take_escape(unsigned char byte);
  void take_sequence(unsigned char byte);
  void control(unsigned char byte);
  void carry_out(char what);
  void set_mode(int mode, bool on);
  void put_text(std::string_view text);
  void put(std::string_view character, int columns);
  void join(std::string_view mark);
  void line_feed();
  void move_to(int column, int row);
  void erase(int y, int from, int to);
  void erase_rows(int from, int to);
  void scroll_up();

  Size size_;
  std::deque<Row> cells_;
  std::vector<std::string> gone_{};
  int x_ = 0;
  int y_ = 0;
  bool wrap_next_ = false;  // the last column is written; the next character goes to the next line
  bool autowrap_ = true;
  bool cursor_visible_ = true;
  State state_ = State::text;
  std::string sequence_{};    // what came behind CSI
  std::string unfinished_{};  // the beginning of a character that was cut
};

}  // namespace dlog::render
