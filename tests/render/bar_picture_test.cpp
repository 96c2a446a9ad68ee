// Tests of bar_picture.cpp: exact pictures in every theme, and their width.
#include "log/render/bar_picture.hpp"

#include <cstdint>
#include <limits>
#include <string>

#include "base/display_width.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;

constexpr auto most = std::numeric_limits<std::uint64_t>::max();

std::string picture(std::uint64_t value, std::uint64_t total, std::size_t columns, BarTheme theme,
                    std::uint64_t tick = 0) {
  render::BarLook look;
  look.theme = theme;
  std::string out;
  render::append_picture(out, running(1, value, total, ""), columns, look, tick);
  return out;
}

std::string ascii(std::uint64_t value, std::uint64_t total, std::size_t columns, std::uint64_t tick = 0) {
  return picture(value, total, columns, BarTheme::ascii, tick);
}

}  // namespace

TEST_CASE("bar picture: whole columns in ASCII") {
  CHECK(ascii(0, 10, 12) == "[----------]");
  CHECK(ascii(5, 10, 12) == "[#####-----]");
  CHECK(ascii(9, 10, 7) == "[####-]");
  CHECK(ascii(10, 10, 12) == "[##########]");
  CHECK(ascii(30, 10, 12) == "[##########]");
}

TEST_CASE("bar picture: eighths of a column in blocks") {
  CHECK(picture(0, 16, 4, BarTheme::blocks) == "▕  ▏");
  CHECK(picture(1, 16, 4, BarTheme::blocks) == "▕▏ ▏");
  CHECK(picture(4, 16, 4, BarTheme::blocks) == "▕▌ ▏");
  CHECK(picture(8, 16, 4, BarTheme::blocks) == "▕█ ▏");
  CHECK(picture(15, 16, 4, BarTheme::blocks) == "▕█▉▏");
  CHECK(picture(16, 16, 4, BarTheme::blocks) == "▕██▏");
}

TEST_CASE("bar picture: the other themes") {
  CHECK(picture(1, 2, 5, BarTheme::line) == "━━╸──");
  CHECK(picture(2, 2, 5, BarTheme::line) == "━━━━━");
  CHECK(picture(9, 16, 4, BarTheme::dots) == "▕⣿⡀▏");
}

TEST_CASE("bar picture: full only at the total") {
  for (const BarTheme theme : {BarTheme::ascii, BarTheme::blocks, BarTheme::line, BarTheme::dots}) {
    for (const std::uint64_t total : {std::uint64_t{1000}, std::uint64_t{1} << 53, std::uint64_t{1} << 60, most}) {
      CHECK(picture(total - 1, total, 40, theme) != picture(total, total, 40, theme));
      CHECK(picture(total - 1, total, 40, theme) == picture(999'999'999, 1'000'000'000, 40, theme));
    }
  }
}

TEST_CASE("bar picture: an unknown total is a mark that runs to and fro") {
  CHECK(ascii(17, 0, 12, 0) == "[###-------]");
  CHECK(ascii(17, 0, 12, 1) == "[-###------]");
  CHECK(ascii(17, 0, 12, 7) == "[-------###]");
  CHECK(ascii(17, 0, 12, 8) == "[------###-]");
  CHECK(ascii(17, 0, 12, 14) == ascii(17, 0, 12, 0));
  CHECK(ascii(17, 0, 12, most).size() == 12);
  CHECK(ascii(17, 0, 4, most) == "[##]");
}

TEST_CASE("bar picture: as wide as was asked for, whatever the theme and value") {
  std::string wrong;
  for (const BarTheme theme : {BarTheme::ascii, BarTheme::blocks, BarTheme::line, BarTheme::dots}) {
    for (std::size_t columns = render::picture_columns_min; columns < 60; ++columns) {
      for (const std::uint64_t total : {0U, 1U, 3U, 7U, 1000U}) {
        for (std::uint64_t value = 0; value <= total; value += 1 + total / 50) {
          const std::string drawn = picture(value, total, columns, theme, value);
          if (columns_of(drawn) != columns && wrong.size() < 300) wrong += drawn + "; ";
        }
      }
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("bar picture: colours say the state, and end") {
  render::BarLook look;
  look.colour = true;
  const auto drawn = [&](BarState state, bool paused) {
    Bar some = bar(1, state, 1, 2, "");
    some.paused = paused;
    std::string out;
    render::append_picture(out, some, 4, look, 0);
    return out;
  };
  const std::string dim = "\x1b[2m";
  const std::string end = "\x1b[0m";
  const auto painted = [&](const std::string& colour) {
    return dim + "[" + end + colour + "#" + end + dim + "-" + end + dim + "]" + end;
  };
  CHECK(drawn(BarState::running, false) == painted("\x1b[36m"));
  CHECK(drawn(BarState::running, true) == painted("\x1b[33m"));
  CHECK(drawn(BarState::finished, false) == painted("\x1b[32m"));
  CHECK(drawn(BarState::failed, true) == painted("\x1b[31m"));
}

TEST_CASE("bar picture: ASCII where the signs of a theme would take two columns") {
  for (const BarTheme theme : {BarTheme::blocks, BarTheme::line, BarTheme::dots}) {
    render::BarLook look;
    look.theme = theme;
    look.unicode = true;
    look.wide_ambiguous = true;
    std::string out;
    render::append_picture(out, running(1, 5, 10, ""), 12, look, 0);
    CHECK(out == "[#####-----]");
  }
}
