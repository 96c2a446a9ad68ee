// A terminal of other people's making (libvterm, as in Neovim), with the scrollback of its lines.
//
// Bytes go through a line discipline: LF is CR LF. Rows are UTF-8 text without blanks at their ends. When it gets higher, lines
// come back from the scrollback; when it gets lower, lines go there from the top, the rows at the bottom stay.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dlog::test {

class Vterm {
 public:
  Vterm(int columns, int rows);
  ~Vterm();
  Vterm(const Vterm&) = delete;
  Vterm& operator=(const Vterm&) = delete;

  void write(std::string_view bytes);
  void resize(int columns, int rows);

  // Text that does not fit flows on into the next row when the width changes. False: this version cannot.
  bool reflow(bool on);

  std::vector<std::string> screen() const;  // without blank rows at the bottom
  std::vector<std::string> gone() const;    // that left at the top
  std::vector<std::string> text() const;    // both
  int column() const;
  int row() const;
  bool cursor_visible() const;
  bool autowrap() const;  // it is asked for, as a program would

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dlog::test
