// Tests of terminal_model.cpp: what bytes leave on a screen.
#include "log/render/terminal_model.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/display_width.hpp"
#include "base/utf8.hpp"
#include "support/catch.hpp"

namespace {

using dlog::render::Size;
using dlog::render::TerminalModel;
using Rows = std::vector<std::string>;

TerminalModel after(std::string_view bytes, Size size = {10, 4}) {
  TerminalModel terminal(size);
  terminal.write(bytes);
  return terminal;
}
Rows shown(std::string_view bytes, Size size = {10, 4}) { return after(bytes, size).screen(); }

struct Place {
  int column;
  int row;
  bool operator==(const Place&) const = default;
};
Place place(std::string_view bytes, Size size = {10, 4}) {
  const TerminalModel terminal = after(bytes, size);
  return {terminal.column(), terminal.row()};
}

}  // namespace

TEST_CASE("terminal model: text, lines, and what scrolls off") {
  CHECK(shown("").empty());
  CHECK(shown("one  \n\nthree\n") == Rows{"one", "", "three"});
  const TerminalModel terminal = after("1\n2\n3\n4\n5\n6", {10, 3});
  CHECK(terminal.screen() == Rows{"4", "5", "6"});
  CHECK(terminal.gone() == Rows{"1", "2", "3"});
  CHECK(terminal.text() == Rows{"1", "2", "3", "4", "5", "6"});
  CHECK(terminal.column() == 1);
  CHECK(terminal.row() == 2);
}

TEST_CASE("terminal model: CR, BS and TAB move, and erase nothing") {
  CHECK(shown("one\rO") == Rows{"One"});
  CHECK(shown("one\b\bN") == Rows{"oNe"});
  CHECK(shown("\b\bone") == Rows{"one"});
  CHECK(shown("a\tb", {20, 4}) == Rows{"a       b"});
  CHECK(place("\t\t\t") == Place{9, 0});
  CHECK(place("12345678\t", {40, 4}) == Place{16, 0});
}

TEST_CASE("terminal model: a row that is full wraps when more comes") {
  CHECK(shown("0123456789") == Rows{"0123456789"});
  CHECK(place("0123456789") == Place{9, 0});
  CHECK(shown("0123456789a") == Rows{"0123456789", "a"});
  CHECK(shown("0123456789\na") == Rows{"0123456789", "a"});
  CHECK(shown("0123456789\rX") == Rows{"X123456789"});
  CHECK(shown("\x1b[?7l0123456789abc") == Rows{"012345678c"});
  CHECK_FALSE(after("\x1b[?7l").autowrap());
  CHECK(shown("\x1b[?7l0123456789abc\x1b[?7hde") == Rows{"012345678d", "e"});
}

TEST_CASE("terminal model: the cursor moves, and stays on the screen") {
  CHECK(place("\x1b[3;5H") == Place{4, 2});
  CHECK(place("\x1b[H") == Place{0, 0});
  CHECK(place("\x1b[;3H") == Place{2, 0});
  CHECK(place("\x1b[99;99H") == Place{9, 3});
  CHECK(place("\x1b[3;5H\x1b[A") == Place{4, 1});
  CHECK(place("\x1b[3;5H\x1b[0A") == Place{4, 1});
  CHECK(place("\x1b[3;5H\x1b[2A\x1b[3D") == Place{1, 0});
  CHECK(place("\x1b[2B\x1b[4C") == Place{4, 2});
  CHECK(place("\x1b[99B\x1b[99C\x1b[99999999999999999999D") == Place{0, 3});
}

TEST_CASE("terminal model: erasing, behind the cursor, before it, and all") {
  const std::string text = "aaaa\nbbbb\ncccc\x1b[2;3H";
  CHECK(shown(text + "\x1b[K") == Rows{"aaaa", "bb", "cccc"});
  CHECK(shown(text + "\x1b[1K") == Rows{"aaaa", "   b", "cccc"});
  CHECK(shown(text + "\x1b[2K") == Rows{"aaaa", "", "cccc"});
  CHECK(shown(text + "\x1b[J") == Rows{"aaaa", "bb"});
  CHECK(shown(text + "\x1b[1J") == Rows{"", "   b", "cccc"});
  CHECK(shown(text + "\x1b[2J").empty());
  CHECK(shown(text + "\x1b[3J\x1b[4K") == Rows{"aaaa", "bbbb", "cccc"});
  CHECK(place(text + "\x1b[2J") == Place{2, 1});
}

TEST_CASE("terminal model: the cursor can be hidden") {
  CHECK(after("").cursor_visible());
  CHECK_FALSE(after("\x1b[?25l").cursor_visible());
  CHECK(after("\x1b[?25l\x1b[?25h").cursor_visible());
  CHECK_FALSE(after("\x1b[?7;25l").cursor_visible());
}

TEST_CASE("terminal model: what it does not know leaves no trace") {
  for (const char* unknown : {"\x1b[31m",
                              "\x1b[1;38;5;9m",
                              "\x1b[?2026h",
                              "\x1b[?1049h",
                              "\x1b[>1u",
                              "\x1b[1 q",
                              "\x1b[5Z",
                              "\x1b]0;title\x07",
                              "\x1b]8;;http://x\x1b\\",
                              "\x1b]9;4;1;50\x1b\\",
                              "\x1bP+q\x1b\\",
                              "\x1b_app\x1b\\",
                              "\x1b^pm\x1b\\",
                              "\x1bXsos\x1b\\",
                              "\x1b(B",
                              "\x1b=",
                              "\x1b"
                              "7",
                              "\x07",
                              "\x0b",
                              "\x0c",
                              "\x7f",
                              "\xc2\x9b",
                              "\x1b[12;",
                              "\x1b]0;open",
                              "\x1b"}) {
    INFO(unknown);
    CHECK(shown(std::string("ab") + unknown) == Rows{"ab"});
    CHECK(place(std::string("ab") + unknown) == Place{2, 0});
  }
  CHECK(shown("a\x1b[3\x18m") == Rows{"am"});       // cancelled
  CHECK(shown("a\x1b[\n31mb") == Rows{"a", "b"});   // a control byte inside
  CHECK(shown("a\x1b]0;t\x1b[Cb") == Rows{"a b"});  // a sequence ends a command
  CHECK(shown("a\x1b[\x1b[Cb") == Rows{"a b"});     // and another sequence
  CHECK(shown("a\x1b[" + std::string(1000, '1') + "Cb") == Rows{"ab"});
}

TEST_CASE("terminal model: wide characters and marks") {
  CHECK(shown("漢字x") == Rows{"漢字x"});
  CHECK(place("漢字x") == Place{5, 0});
  CHECK(shown("123456789漢") == Rows{"123456789", "漢"});
  CHECK(shown("e\xcc\x81x") == Rows{"e\xcc\x81x"});
  CHECK(place("e\xcc\x81") == Place{1, 0});
  CHECK(place("👨‍👩‍👧x") == Place{3, 0});
  CHECK(shown("\xcc\x81x") == Rows{"x"});  // a mark on nothing
  TerminalModel terminal({10, 4});
  for (const char* piece : {"012345678e", "\xcc\x81", "漢", "\xcc\x81", "!"}) terminal.write(piece);
  CHECK(terminal.screen() == Rows{"012345678e\xcc\x81", "漢\xcc\x81!"});
}

TEST_CASE("terminal model: half of a wide character does not stay") {
  CHECK(shown("漢字\rx") == Rows{"x 字"});
  CHECK(shown("漢字\r\x1b[Cx") == Rows{" x字"});
  CHECK(shown("漢字\r\x1b[3C\x1b[K") == Rows{"漢"});
  CHECK(shown("a漢b\x1b[1;3H\x1b[1K") == Rows{"   b"});
  TerminalModel terminal = after("漢字");
  terminal.resize({3, 4});
  CHECK(terminal.screen() == Rows{"漢"});
}

TEST_CASE("terminal model: marks without end take no memory without end") {
  std::string marks = "e";
  for (int i = 0; i < 10'000; ++i) marks += "\xcc\x81";
  CHECK(after(marks).screen().front().size() <= dlog::column_bytes_max);
  TerminalModel terminal({10, 4});
  terminal.write("e");
  for (int i = 0; i < 10'000; ++i) terminal.write("\xcc\x81");
  CHECK(terminal.screen().front().size() <= dlog::column_bytes_max);
  CHECK(dlog::utf8::valid(terminal.screen().front()));
}

TEST_CASE("terminal model: a byte that is no UTF-8 is shown as such") {
  CHECK(shown("a\xff") == Rows{"a\ufffd"});
  CHECK(shown("a\xc3\nb") == Rows{"a\ufffd", "b"});
}

TEST_CASE("terminal model: a new size moves no text to other rows") {
  TerminalModel terminal = after("0123456789\nb\nc\nd\x1b[A");
  terminal.resize({5, 4});
  CHECK(terminal.screen() == Rows{"01234", "b", "c", "d"});
  terminal.resize({10, 2});
  CHECK(terminal.text() == Rows{"01234", "b", "c"});  // the cursor keeps its row, what is below it is cut off
  CHECK(terminal.gone() == Rows{"01234"});
  terminal.resize({10, 3});
  terminal.write("\nd");
  CHECK(terminal.text() == Rows{"01234", "b", "c", "d"});
}

TEST_CASE("terminal model: sizes that no terminal has") {
  for (const Size size : {Size{0, 0}, Size{-1, 5}, Size{1, 1}, Size{1 << 30, 1 << 30}}) {
    TerminalModel terminal(size);
    terminal.write("漢a\tb\x1b[999999;999999Hc\n\x1b[J");
    terminal.resize({size.rows, size.columns});
    terminal.write("漢\r\n");
    CHECK(terminal.size().columns >= 1);
    CHECK(terminal.size().rows <= TerminalModel::side_max);
  }
  CHECK(after("ab", {1, 3}).screen() == Rows{"a", "b"});
}

TEST_CASE("terminal model: bytes that are cut anywhere do the same") {
  const std::vector<std::string> pieces{
      "a",      "漢",     "e\xcc\x81", "\n",           "\r",       "\t",       "\b",   "\x1b[31m",    "\x1b[2A",
      "\x1b[K", "\x1b[J", "\x1b[H",    "\x1b]0;t\x07", "\x1b[?7l", "\x1b[?7h", "\xff", "\x1b]9\x1b\\"};
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    std::string bytes;
    for (int n = 0; n < 40; ++n) bytes += pieces[random() % pieces.size()];
    TerminalModel whole({7, 5});
    whole.write(bytes);
    TerminalModel cut({7, 5});
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = 1 + random() % 3;
      cut.write(std::string_view(bytes).substr(at, n));
      at += n;
    }
    INFO(bytes);
    REQUIRE(cut.text() == whole.text());
    REQUIRE(cut.column() == whole.column());
    REQUIRE(cut.row() == whole.row());
  }
}

TEST_CASE("terminal model: any bytes are taken") {
  constexpr std::string_view frequent = "\x1b[?;]hl";
  std::mt19937 random(2);
  TerminalModel terminal({9, 4});
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (auto n = random() % 12; n != 0; --n) {
      bytes += random() % 3 == 0 ? frequent[random() % frequent.size()] : static_cast<char>(random());
    }
    terminal.write(bytes);
    if (random() % 50 == 0) terminal.resize({static_cast<int>(random() % 20), static_cast<int>(random() % 8)});
    REQUIRE(terminal.column() < terminal.size().columns);
    REQUIRE(terminal.row() < terminal.size().rows);
    for (const std::string& row : terminal.screen()) REQUIRE(dlog::utf8::valid(row));
  }
}
