// Tests of bar_rows.cpp: rows by their templates, and what gives way where there is no room.
#include "log/render/bar_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/display_width.hpp"
#include "base/utf8.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using render::bar_rows;
using render::BarLook;
using render::BarView;

constexpr std::int64_t s = 1'000'000'000;
constexpr auto most = std::numeric_limits<std::uint64_t>::max();

BarView view_of(const Bar& bar, std::string_view source = {}) {
  BarView view;
  view.bar = bar;
  view.source = source;
  return view;
}
// One that has run for so long, evenly.
BarView after(const Bar& bar, std::int64_t seconds, std::string_view source = {}) {
  BarView view = view_of(bar, source);
  view.elapsed_ns = seconds * s;
  view.per_second = static_cast<double>(bar.value) / static_cast<double>(seconds);
  return view;
}

std::string row(const BarView& view, std::size_t columns, const BarLook& look = {}, std::uint64_t tick = 0) {
  const std::vector<std::string> rows = bar_rows(std::span(&view, 1), columns, look, tick);
  return rows.size() == 1 ? rows[0] : fmt::format("{} rows", rows.size());
}
std::string by_template(std::string_view text, const BarView& view, std::size_t columns = 60) {
  BarLook look;
  look.bar_template = *event::BarTemplate::parse(text);
  return row(view, columns, look);
}

}  // namespace

TEST_CASE("bar row: all there is to say") {
  Bar loading = running(1, 42, 100, "Downloading");
  CHECK(row(view_of(loading), 100) == "Downloading [################------------------------]  42%  42/100 ETA -:--");
  CHECK(row(after(loading, 6), 100) ==
        "Downloading [################------------------------]  42%  42/100   7.0/s ETA 0:09");
  loading.message = "part 3 of 7";
  CHECK(row(after(loading, 6), 100) ==
        "Downloading [################------------------------]  42%  42/100   7.0/s ETA 0:09 part 3 of 7");
  loading.unit = Unit::bytes;
  CHECK(row(after(loading, 6), 100) ==
        "Downloading [###############-----------------------]  42%  42/100 B    7.0 B/s ETA 0:09 part 3 of 7");
  loading.paused = true;
  CHECK(row(after(loading, 6), 100).ends_with(" 42/100 B paused part 3 of 7"));
}

TEST_CASE("bar row: an amount says its unit once where it can") {
  const auto amount = [](std::uint64_t value, std::uint64_t total, Unit unit) {
    Bar some = running(1, value, total, "");
    some.unit = unit;
    return by_template("{amount}", view_of(some));
  };
  CHECK(amount(5, 100, Unit::items) == "  5/100");
  CHECK(amount(2'726'297, 3'984'588, Unit::bytes_iec) == "2.6/3.8 MiB");
  CHECK(amount(512, 3'984'588, Unit::bytes_iec) == "512 B/3.8 MiB");
  CHECK(amount(3, 60, Unit::seconds) == " 3/60 s");
  CHECK(amount(512, 0, Unit::bytes_iec) == "512 B");
}

TEST_CASE("bar row: an unknown total turns") {
  const BarView scanning = after(running(1, 17, 0, "Scanning"), 75);
  CHECK(row(scanning, 80) == "Scanning | 17 13.6/min 1:15");
  CHECK(row(scanning, 80, {}, 1) == "Scanning / 17 13.6/min 1:15");
}

TEST_CASE("bar row: templates") {
  Bar loading = running(1, 42, 100, "Downloading");
  const BarView view = after(loading, 6, "copy[1]");
  CHECK(by_template("{desc} {bar} {percent} {eta}", view, 61) ==
        "copy[1] Downloading [##########--------------]  42% ETA 0:09");
  CHECK(by_template("{source}: {desc} {value} of {total}", view) == "copy[1]: Downloading 42 of 100");
  CHECK(by_template("{bar:12}{{{state}}}", view) == "[####------]{running}");
  CHECK(by_template("<{desc:5}|{desc:30}>", view_of(loading)) == "<Do...|Downloading                   >");
  CHECK(by_template("{elapsed} {rate:8}|", view) == "0:06   7.0/s |");
  CHECK(by_template("{message} x", view) == "x");
  CHECK(by_template("x {message}", view) == "x");
  CHECK(by_template("x\n\x1b[2J", view) == "x\\n\\x1b[2J");
  CHECK(by_template("", view, 61).starts_with("copy[1] Downloading ["));
  BarView other = view;
  const event::BarTemplate other_template = *event::BarTemplate::parse("mine");
  other.bar_template = &other_template;
  CHECK(by_template("{desc}", other) == "mine");
}

TEST_CASE("bar row: parts give way, the least important first") {
  Bar loading = running(1, 42, 100, "Downloading");
  loading.message = "part 3 of 7";
  const BarView view = after(loading, 6, "copy[4711]");
  CHECK(row(view, 90) == "copy[4711] Downloading [#########-------------]  42%  42/100   7.0/s ETA 0:09 part 3 of 7");
  CHECK(row(view, 80) == "copy[4711] Downloading [#####-------]  42%  42/100   7.0/s ETA 0:09 part 3 of 7");
  CHECK(row(view, 78) == "copy[4711] Downloading [####------]  42%  42/100   7.0/s ETA 0:09 part 3 of 7");
  CHECK(row(view, 76) == "copy[4711] Downloading [####------]  42%  42/100   7.0/s ETA 0:09 part 3...");
  CHECK(row(view, 70) == "copy[4711] Downloading [#####---------]  42%  42/100   7.0/s ETA 0:09");
  CHECK(row(view, 50) == "Downloading [#####--------]  42%  42/100 ETA 0:09");
  CHECK(row(view, 40) == "Downloading [####-------]  42% ETA 0:09");
  CHECK(row(view, 30) == "Downloading [####------]  42%");
  CHECK(row(view, 20) == "Downloading  42%");
  CHECK(row(view, 12) == "Downloading");
  CHECK(row(view, 9) == "Downl...");
  CHECK(row(view, 1).empty());
}

TEST_CASE("bar rows: stand below each other") {
  std::vector<BarView> views{after(running(1, 1, 10, "a"), 10), after(running(2, 900, 1000, "longer"), 10),
                             after(running(3, 5, 0, "spins"), 10)};
  views[1].depth = 1;
  const std::vector<std::string> rows = bar_rows(views, 80, {}, 0);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0] == "a        [###---------------------------------]  10%  1/10 6.0/min ETA 1:30");
  CHECK(rows[1].starts_with("  longer [################################----]  90%  900/1000"));
  CHECK(rows[2] == "spins    | 5 30.0/min 0:10");
}

TEST_CASE("bar rows: one long description does not take the room of all") {
  const std::string long_description(300, 'd');
  const std::vector<BarView> views{view_of(running(1, 1, 2, long_description)), view_of(running(2, 1, 2, "e"))};
  const std::vector<std::string> rows = bar_rows(views, 81, {}, 0);
  INFO(rows[0]);
  CHECK(rows[0].starts_with(std::string(29, 'd') + "... ["));
  CHECK(rows[1].starts_with("e" + std::string(31, ' ') + " ["));
  CHECK(rows[0].size() == rows[1].size());
}

TEST_CASE("bar rows: none is wider than the columns less one, and none breaks a character") {
  const std::string long_text(300, 'x');
  std::vector<Bar> bars{
      running(1, 42, 100, "Downloading"),
      running(2, most, most, ""),
      running(3, 5, 0, "Scanning"),
      running(4, 1, 3, long_text),
      running(5, 1, 3, "ünïcödé 漢字漢字漢字 \U0001F468\u200D\U0001F469\u200D\U0001F467 \U0001F1E9\U0001F1EA e\u0301"),
      running(6, 1, 3, "\x1b[2J\n\xff\xe2\x80\xae")};
  bars.push_back(running(7, most - 1, most, "long words"));
  bars.back().message = long_text;
  bars.back().unit = Unit::bytes_iec;
  std::string wrong;
  for (const bool unicode : {false, true}) {
    BarLook look;
    look.unicode = unicode;
    look.theme = unicode ? BarTheme::blocks : BarTheme::ascii;
    for (const char* text :
         {"", "{desc} {bar} {percent} {eta}", "{message}{bar:30}", "{bar}{bar}", "{desc:3}{spinner}"}) {
      look.bar_template = *event::BarTemplate::parse(text);
      for (std::size_t columns = 1; columns <= 130; ++columns) {
        std::vector<BarView> views;
        for (const Bar& each : bars) views.push_back(after(each, 3, columns % 2 == 0 ? "worker[4294967295]" : ""));
        for (const std::string& drawn : bar_rows(views, columns, look, columns)) {
          const bool controls =
              std::any_of(drawn.begin(), drawn.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
          if (columns_of(drawn) <= columns - 1 && utf8::valid(drawn) && !controls) continue;
          if (wrong.size() < 300) wrong += fmt::format("{} columns, {}: \"{}\"; ", columns, text, drawn);
        }
      }
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("bar row: a template of very wide parts is cut, and nothing of it is lost elsewhere") {
  const BarView view = view_of(running(1, 1, 2, "a"));
  CHECK(by_template("{desc:200}{bar:200}", view, 20).size() <= 19);
  CHECK(by_template("{bar:2}|", view, 20) == "|");  // no picture is so small
}

TEST_CASE("bar row: hostile texts are shown escaped") {
  Bar loud = running(1, 1, 2, "a\nb\x1b[2J");
  CHECK(row(view_of(loud), 60).starts_with("a\\nb\\x1b[2J ["));
  loud.message = "x\ry\xc2\x9b";
  CHECK(row(view_of(loud), 90).ends_with(" x\\ry\\u009b"));
}
