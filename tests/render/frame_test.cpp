// Tests of frame.cpp: the bytes of a frame, judged by the screen they make.
#include "log/render/frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/terminal.hpp"

namespace {

using dlog::render::Frame;
using dlog::render::Size;
using dlog::test::Rows;
using dlog::test::Terminal;

struct Picture {
  explicit Picture(Size given) : size(given), terminal(given.columns, given.rows) {}

  // One frame, written as one piece.
  std::string draw(std::string_view lines, const std::vector<std::string>& rows) {
    std::string out = "kept|";
    frame.append(out, lines, rows, size);
    REQUIRE(out.starts_with("kept|"));
    out.erase(0, 5);
    terminal.write(out);
    REQUIRE(terminal.settled());
    if (frame.has_live_rows()) {
      REQUIRE(terminal.column() == 0);
      REQUIRE(terminal.row() + static_cast<int>(rows.size()) < size.rows);
    }
    return out;
  }
  void resize(Size to) {
    size = to;
    terminal.resize(to.columns, to.rows);
  }

  Size size;
  Terminal terminal;
  Frame frame{};
};

}  // namespace

TEST_CASE("frame: nothing live is nothing but the lines") {
  Picture picture({20, 5});
  CHECK(picture.draw("one\ntwo\n", {}) == "one\ntwo\n");
  CHECK(picture.draw("", {}) == "");
  CHECK_FALSE(picture.frame.has_live_rows());
  CHECK(picture.terminal.screen() == Rows{"one", "two"});
}

TEST_CASE("frame: the exact bytes") {
  Picture picture({20, 5});
  const std::string begin = "\x1b[?2026h \x1b[D\x1b[K\x1b[18C  \r";
  CHECK(picture.draw("one\n", {"bar"}) ==
        begin + "\x1b[Kone\n\n\x1b[1A\x1b[?7l\r\x1b[Bbar\x1b[K\x1b[?7h\r\x1b[1A\x1b[?2026l");
  CHECK(picture.draw("", {"bar 2"}) == begin + "\x1b[K\x1b[?7l\nbar 2\x1b[K\x1b[?7h\r\x1b[1A\x1b[?2026l");
  const std::string again = begin + "\x1b[K\x1b[C\x1b[J\r";
  CHECK(picture.draw("two\n", {"bar", "baz"}) ==
        again + "two\n\n\n\x1b[2A\x1b[?7l\r\x1b[Bbar\x1b[K\r\x1b[Bbaz\x1b[K\x1b[?7h\r\x1b[2A\x1b[?2026l");
  CHECK(picture.draw("", {"bar", "b"}) == begin + "\x1b[K\x1b[?7l\nbar\x1b[K\nb\x1b[K\x1b[?7h\r\x1b[2A\x1b[?2026l");
  CHECK(picture.draw("", {}) == again + "\x1b[?2026l");
  CHECK(picture.draw("three\n", {}) == "three\n");
}

TEST_CASE("frame: records above, a blank row, bars below") {
  Picture picture({20, 8});
  picture.draw("one\n", {"bar a", "bar b"});
  CHECK(picture.terminal.screen() == Rows{"one", "", "bar a", "bar b"});
  CHECK(picture.terminal.row() == 1);
  picture.draw("two\nthree\n", {"bar a!", "b"});
  CHECK(picture.terminal.screen() == Rows{"one", "two", "three", "", "bar a!", "b"});
  picture.draw("", {"a", "b"});
  CHECK(picture.terminal.screen() == Rows{"one", "two", "three", "", "a", "b"});
}

TEST_CASE("frame: bars come and go without a trace") {
  Picture picture({20, 8});
  picture.draw("one\n", {"bar a", "bar b", "bar c"});
  picture.draw("", {"bar b"});
  CHECK(picture.terminal.screen() == Rows{"one", "", "bar b"});
  picture.draw("", {"bar b", "bar d", "bar e"});
  CHECK(picture.terminal.screen() == Rows{"one", "", "bar b", "bar d", "bar e"});
  picture.draw("", {});
  CHECK(picture.terminal.screen() == Rows{"one"});
  CHECK_FALSE(picture.frame.has_live_rows());
  picture.draw("two\n", {});
  CHECK(picture.terminal.screen() == Rows{"one", "two"});
}

TEST_CASE("frame: at the bottom of the screen lines scroll up and bars stay") {
  Picture picture({20, 4});
  Rows expected;
  for (int i = 0; i < 30; ++i) {
    const std::string line = fmt::format("line {}", i);
    picture.draw(line + "\n", {"bar a", "bar b"});
    expected.push_back(line);
    Rows all = expected;
    all.insert(all.end(), {"", "bar a", "bar b"});
    REQUIRE(picture.terminal.text() == all);
  }
  CHECK(picture.terminal.screen() == Rows{"line 29", "", "bar a", "bar b"});
  picture.draw("last\n", {});
  CHECK(picture.terminal.text().back() == "last");
  CHECK(picture.terminal.text().size() == 31);
}

TEST_CASE("frame: more lines than rows in one frame") {
  Picture picture({20, 3});
  std::string lines;
  Rows expected;
  for (int i = 0; i < 50; ++i) {
    expected.push_back(fmt::format("line {}", i));
    lines += expected.back() + "\n";
  }
  picture.draw("", {"bar"});
  picture.draw(lines, {"bar"});
  expected.insert(expected.end(), {"", "bar"});
  CHECK(picture.terminal.text() == expected);
}

TEST_CASE("frame: a line longer than the screen is wide wraps and pushes nothing apart") {
  Picture picture({10, 6});
  picture.draw("", {"bar"});
  picture.draw("0123456789abcde\n", {"bar"});
  CHECK(picture.terminal.screen() == Rows{"0123456789", "abcde", "", "bar"});
  picture.draw("0123456789\n", {"bar"});
  CHECK(picture.terminal.screen() == Rows{"0123456789", "abcde", "0123456789", "", "bar"});
}

TEST_CASE("frame: wide and combining characters cannot break the layout") {
  Picture picture({10, 5});
  const std::string wide = "漢字漢字漢字漢字漢";  // 9 characters, 18 columns
  const std::string combined =
      "e\xcc\x81"
      "e\xcc\x81"
      "e\xcc\x81";
  picture.draw("one\n", {wide, combined, "bar"});
  CHECK(picture.terminal.screen().size() == 5);
  CHECK(picture.terminal.screen()[3] == combined);
  picture.draw("two\n", {"a", "b", "c"});
  CHECK(picture.terminal.text() == Rows{"one", "two", "", "a", "b", "c"});
}

TEST_CASE("frame: a whole stray line survives, and leaves no ghost of a bar") {
  Picture picture({20, 8});
  picture.draw("one\n", {"bar number one", "bar number two"});
  picture.terminal.write("stray\n");
  SECTION("before records") {
    picture.draw("two\n", {"bar number one", "bar number two"});
    CHECK(picture.terminal.screen() == Rows{"one", "stray", "two", "", "bar number one", "bar number two"});
  }
  SECTION("before a frame without records") {
    picture.draw("", {"bar number one", "bar number two"});
    CHECK(picture.terminal.screen() == Rows{"one", "stray", "", "bar number one", "bar number two"});
  }
  SECTION("and a second one stays whole") {
    picture.draw("", {"bar number one", "bar number two"});
    picture.terminal.write("more\n");
    picture.draw("two\n", {"bar number one", "bar number two"});
    CHECK(picture.terminal.screen() == Rows{"one", "stray", "more", "two", "", "bar number one", "bar number two"});
  }
}

TEST_CASE("frame: stray text without a newline stays, as a line of its own") {
  for (const std::string stray :
       {"p", "partial output", "partial output of 20", "partial output that is longer than a row"}) {
    const auto expected = [&](const Rows& more) {
      Rows rows{"one"};
      for (std::size_t at = 0; at < stray.size(); at += 20) rows.push_back(stray.substr(at, 20));
      for (std::string& row : rows) row.erase(row.find_last_not_of(' ') + 1);
      rows.insert(rows.end(), more.begin(), more.end());
      return rows;
    };
    Picture picture({20, 9});
    picture.draw("one\n", {"a", "b"});
    picture.terminal.write(stray);
    DYNAMIC_SECTION(stray << " before records") {
      picture.draw("two\n", {"a", "b"});
      CHECK(picture.terminal.screen() == expected({"two", "", "a", "b"}));
    }
    DYNAMIC_SECTION(stray << " before the bars go") {
      picture.draw("two\n", {});
      CHECK(picture.terminal.screen() == expected({"two"}));
    }
    DYNAMIC_SECTION(stray << " before a frame without records") {
      picture.draw("", {"a!", "b"});
      CHECK(picture.terminal.screen() == expected({"", "a!", "b"}));
      picture.draw("", {"a!!", "b"});
      CHECK(picture.terminal.screen() == expected({"", "a!!", "b"}));
    }
  }
}

TEST_CASE("frame: text without a newline from before the first frame stays") {
  Picture picture({20, 9});
  picture.terminal.write("partial");
  picture.draw("", {"a"});
  CHECK(picture.terminal.screen() == Rows{"partial", "", "a"});
}

TEST_CASE("frame: stray lines at the bottom of the screen") {
  Picture picture({20, 5});
  picture.draw("one\ntwo\n", {"bar a", "bar b"});
  picture.terminal.write("stray 1\nstray 2\nstray 3\nstray 4\n");
  picture.draw("three\n", {"bar a", "bar b"});
  const Rows all = picture.terminal.text();
  for (int i = 1; i <= 4; ++i) CHECK(std::count(all.begin(), all.end(), fmt::format("stray {}", i)) == 1);
  CHECK(picture.terminal.screen() == Rows{"stray 4", "three", "", "bar a", "bar b"});
}

TEST_CASE("frame: a new size leaves no ghost") {
  Picture picture({20, 8});
  const std::vector<std::string> bars{"bar number one", "bar number two"};
  picture.draw("one\n", bars);
  SECTION("narrower") {
    picture.resize({10, 8});
    picture.draw("", {"bar num", "bar two"});
    CHECK(picture.terminal.screen() == Rows{"one", "", "bar num", "bar two"});
  }
  SECTION("wider") {
    picture.resize({40, 8});
    picture.draw("", {"bar number one, longer", "bar number two"});
    CHECK(picture.terminal.screen() == Rows{"one", "", "bar number one, longer", "bar number two"});
  }
  SECTION("lower, so that the bars are cut off") {
    picture.resize({20, 2});
    CHECK(picture.terminal.screen() == Rows{"one"});
    picture.draw("", {});
    CHECK(picture.terminal.text() == Rows{"one"});
    picture.resize({20, 8});
    picture.draw("two\n", bars);
    CHECK(picture.terminal.text() == Rows{"one", "two", "", "bar number one", "bar number two"});
  }
  SECTION("lower, with fewer bars") {
    picture.resize({20, 3});
    picture.draw("two\n", {"bar number one"});
    CHECK(picture.terminal.text() == Rows{"one", "two", "", "bar number one"});
  }
  SECTION("higher") {
    picture.resize({20, 20});
    picture.draw("two\n", bars);
    CHECK(picture.terminal.screen() == Rows{"one", "two", "", "bar number one", "bar number two"});
  }
}

// The frame was made for a size that the terminal has no more.
TEST_CASE("frame: a stray line and a terminal that has just got narrower leave no ghost") {
  Picture picture({40, 8});
  picture.draw("one\n", {"bar a", "bar b", "bar c"});
  picture.terminal.write("stray\n");
  picture.terminal.resize(30, 8);
  picture.draw("two\n", {"bar a", "bar b", "bar c"});
  picture.size = {30, 8};
  picture.draw("three\n", {"bar a", "bar b", "bar c"});
  Rows rows = picture.terminal.text();
  std::erase(rows, "");  // a blank line may stay
  CHECK(rows == Rows{"one", "stray", "two", "three", "bar a", "bar b", "bar c"});
}

// The frames were made for a size that the terminal has no more.
TEST_CASE("frame: a terminal that has just got lower keeps no ghost of a bar") {
  const std::vector<std::string> bars{"bar a", "bar b", "bar c", "bar d", "bar e", "bar f"};
  for (const int stale_frames : {1, 3}) {
    Picture picture({20, 8});
    picture.draw("one\ntwo\n", bars);
    picture.terminal.resize(20, 5);
    for (int i = 0; i < stale_frames; ++i) {
      std::string out;
      picture.frame.append(out, "late\n", bars, {20, 8});
      picture.terminal.write(out);
    }
    picture.size = {20, 5};
    picture.draw("three\n", {"bar a", "bar b", "bar c"});
    Rows rows = picture.terminal.text();
    std::erase(rows, "");  // blank lines may stay
    std::erase(rows, "late");
    CAPTURE(stale_frames);
    CHECK(rows == Rows{"one", "two", "three", "bar a", "bar b", "bar c"});
  }
}

TEST_CASE("frame: rows_max leaves one row for the spacer and one for text") {
  CHECK(Frame::rows_max({80, 24}) == 22);
  CHECK(Frame::rows_max({80, 4}) == 2);
  CHECK(Frame::rows_max({80, 3}) == 1);
  CHECK(Frame::rows_max({80, 2}) == 0);
  CHECK(Frame::rows_max({80, 1}) == 0);
  CHECK(Frame::rows_max({80, 0}) == 0);
  CHECK(Frame::rows_max({0, -1}) == 0);
}

TEST_CASE("frame: as many rows as there may be") {
  for (int rows = 3; rows <= 12; ++rows) {
    Picture picture({20, rows});
    const std::vector<std::string> bars(Frame::rows_max(picture.size), "bar");
    for (int i = 0; i < 20; ++i) picture.draw(fmt::format("line {}\n", i), bars);
    const Rows all = picture.terminal.text();
    CHECK(std::count(all.begin(), all.end(), "bar") == rows - 2);
    CHECK(picture.terminal.screen().front() == "line 19");
    CHECK(picture.terminal.gone().size() == 19);
  }
}

TEST_CASE("frame: the terminal of these tests refuses what no frame may emit") {
  for (const char* bad : {"\x07",
                          "\x08",
                          "\t",
                          "\x0b",
                          "\x0c",
                          "\x7f",
                          "\x1b",
                          "\x1b[",
                          "\x1b[2J",
                          "\x1b[1;1H",
                          "\x1b[?25l",
                          "\x1b[5B",
                          "\x1b[1L",
                          "\x1b]0;t\x07",
                          "\x1b[1;5r",
                          "\x1b"
                          "c",
                          "\xc2\x9b"
                          "J",
                          "\xff",
                          "\x1b[?1049h",
                          "\x1b[?2026l",
                          "\r\x1b[B",
                          "\n\x1b[2A",
                          "\nline\x1b[1A",
                          "\n\n\x1b[2A\x1b[?7l\r\x1b[Bone row in the room for two\x1b[?7h",
                          "\x1b[?7l\n\n\x1b[?7h\r\x1b[1A"}) {
    Terminal terminal(10, 5);
    INFO(bad);
    CHECK_THROWS(terminal.write(bad));
  }
  Terminal terminal(10, 5);
  terminal.write("a\x1b[31m");
  CHECK_FALSE(terminal.settled());
  terminal.write("b\x1b[0m\x1b[?7l");
  CHECK_FALSE(terminal.settled());
  terminal.write("\x1b[?7h\x1b[?2026h");
  CHECK_FALSE(terminal.settled());
  terminal.write("\x1b[?2026l");
  CHECK(terminal.settled());
  CHECK(terminal.screen() == Rows{"ab"});
}
