// Tests of record_line.cpp: a record's line, byte for byte.
#include "log/render/record_line.hpp"

#include <cstdint>
#include <limits>
#include <string>

#include "support/catch.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using render::LineWords;

constexpr LineWords plain{true, false, nullptr};
constexpr LineWords terminal{false, false, nullptr};
constexpr LineWords timeless{false, false, nullptr, false};

std::string line(const Record& record, const LineWords& words = plain, const Source& source = own,
                 std::int64_t time_ns = noted_ns) {
  std::string out;
  render::append_record_line(out, event_of(record, source, time_ns), words);
  return out;
}

std::string source_of(const Source& source) {
  std::string out;
  render::append_source(out, source);
  return out;
}

}  // namespace

TEST_CASE("record line: plain and terminal words") {
  CHECK(line(record("x=1")) == "2026-11-21 04:16:40.727 INF prog[4711]: x=1\n");
  CHECK(line(record("x=1"), terminal) == "04:16:40.727 INF prog[4711]: x=1\n");
  CHECK(line(record("")) == "2026-11-21 04:16:40.727 INF prog[4711]: \n");
}

TEST_CASE("record line: level names and colours") {
  struct Row {
    Level level;
    const char* name;
    const char* colour;
  };
  const Row rows[] = {{Level::trace, "TRC", "\x1b[2m"},  {Level::debug, "DBG", "\x1b[36m"},
                      {Level::info, "INF", "\x1b[32m"},  {Level::warn, "WRN", "\x1b[33m"},
                      {Level::error, "ERR", "\x1b[31m"}, {Level::fatal, "FTL", "\x1b[1;31m"}};
  for (const Row& row : rows) {
    const std::string name = row.name;
    CHECK(line(record("m", row.level), terminal) == "04:16:40.727 " + name + " prog[4711]: m\n");
    CHECK(line(record("m", row.level), {false, true, nullptr}) ==
          "04:16:40.727 " + (row.colour + name) + "\x1b[0m prog[4711]: m\n");
  }
}

TEST_CASE("record line: a level that came as a number we do not know") {
  Record unknown = record("m", Level::fatal);
  unknown.wire_level = 9;
  CHECK(line(unknown) == "2026-11-21 04:16:40.727 L9  prog[4711]: m\n");
  unknown.wire_level = 6;
  CHECK(line(unknown) == "2026-11-21 04:16:40.727 L6  prog[4711]: m\n");
  unknown.wire_level = 42;
  CHECK(line(unknown) == "2026-11-21 04:16:40.727 L42 prog[4711]: m\n");
  unknown.wire_level = 255;
  CHECK(line(unknown) == "2026-11-21 04:16:40.727 L255 prog[4711]: m\n");
  CHECK(line(unknown, {false, true, nullptr}) == "04:16:40.727 \x1b[1;31mL255\x1b[0m prog[4711]: m\n");
  unknown.wire_level = 5;
  CHECK(line(unknown) == "2026-11-21 04:16:40.727 FTL prog[4711]: m\n");
}

TEST_CASE("record line: who speaks") {
  CHECK(source_of(own) == "prog[4711]");
  CHECK(source_of(child) == "child[40001]");
  CHECK(source_of({0, "prog", 0, 0}) == "prog");
  CHECK(source_of({9, "worker", 12, 40'001}) == "worker[12]");
  CHECK(source_of({0, "ev\x1bil\n", 4'294'967'295U, 0}) == "ev\\x1bil\\n[4294967295]");
  CHECK(line(record("m"), plain, child) == "2026-11-21 04:16:40.727 INF child[40001]: m\n");

  Record notice = record("3 records dropped", Level::warn);
  notice.notice = true;
  CHECK(line(notice, plain, own_notice) == "2026-11-21 04:16:40.727 WRN dlog[4711]: 3 records dropped\n");
}

TEST_CASE("record line: a time that could not be read is shown") {
  Record late = record("m");
  late.time_text = "yesterday\n\x1b[2J";
  CHECK(line(late, plain, child) == "2026-11-21 04:16:40.727 INF child[40001]: m [time: yesterday\\n\\x1b[2J]\n");
  late.message = "one\ntwo\n";
  late.time_text = "(none)";
  CHECK(line(late, plain, child) == "2026-11-21 04:16:40.727 INF child[40001]: one\n    two [time: (none)]\n");
}

TEST_CASE("record line: hostile messages stay in their line") {
  CHECK(line(record("a\x1b]0;x\x07\xff")) == "2026-11-21 04:16:40.727 INF prog[4711]: a\\x1b]0;x\\x07\\xff\n");
  CHECK(line(record("ok\n2026-11-21 04:16:40.727 FTL bank[1]: forged")) ==
        "2026-11-21 04:16:40.727 INF prog[4711]: ok\n    2026-11-21 04:16:40.727 FTL bank[1]: forged\n");
}

TEST_CASE("record line: the time zone is an argument") {
  const LineWords east{true, false, [](std::int64_t) { return std::int32_t{5 * 3600 + 1800}; }};
  const LineWords west{true, false, [](std::int64_t) { return std::int32_t{-12 * 3600}; }};
  const LineWords told{
      true, false, [](std::int64_t unix_s) { return unix_s == 1'795'234'600 ? std::int32_t{3600} : std::int32_t{0}; }};
  CHECK(line(record("m"), east) == "2026-11-21 09:46:40.727 INF prog[4711]: m\n");
  CHECK(line(record("m"), west) == "2026-11-20 16:16:40.727 INF prog[4711]: m\n");
  CHECK(line(record("m"), told) == "2026-11-21 05:16:40.727 INF prog[4711]: m\n");
}

TEST_CASE("record line: milliseconds are cut, not rounded") {
  constexpr std::int64_t second = 1'795'234'600'000'000'000;
  CHECK(line(record("m"), terminal, own, second) == "04:16:40.000 INF prog[4711]: m\n");
  CHECK(line(record("m"), terminal, own, second + 999'999'999) == "04:16:40.999 INF prog[4711]: m\n");
  CHECK(line(record("m"), terminal, own, second + 999'999) == "04:16:40.000 INF prog[4711]: m\n");
}

TEST_CASE("record line: the first and the last times there are") {
  CHECK(line(record("m"), plain, own, 0) == "1970-01-01 00:00:00.000 INF prog[4711]: m\n");
  CHECK(line(record("m"), plain, own, -1) == "1969-12-31 23:59:59.999 INF prog[4711]: m\n");
  CHECK(line(record("m"), plain, own, std::numeric_limits<std::int64_t>::max()) ==
        "2262-04-11 23:47:16.854 INF prog[4711]: m\n");
  CHECK(line(record("m"), plain, own, std::numeric_limits<std::int64_t>::min()) ==
        "1677-09-21 00:12:43.145 INF prog[4711]: m\n");
}

TEST_CASE("record line: without the time a line begins with the level") {
  CHECK(line(record("m"), timeless) == "INF prog[4711]: m\n");
  CHECK(line(record("m", Level::fatal), {true, false, nullptr, false}, child, 0) == "FTL child[40001]: m\n");
}

TEST_CASE("record line: lines are appended") {
  std::string out = "above\n";
  render::append_record_line(out, event_of(record("a")), terminal);
  render::append_record_line(out, event_of(record("b")), terminal);
  CHECK(out == "above\n04:16:40.727 INF prog[4711]: a\n04:16:40.727 INF prog[4711]: b\n");
}

TEST_CASE("record line: a writer that remembers heads writes what one without memory writes") {
  const LineWords east{true, true, [](std::int64_t second) { return static_cast<std::int32_t>(second % 2 * 3600); }};
  for (const LineWords& words : {plain, terminal, east, timeless}) {
    render::RecordLines lines(words);
    std::uint32_t random = 1;
    const auto any = [&](std::uint32_t below) { return (random = random * 1'664'525 + 1'013'904'223) / 256 % below; };
    std::int64_t time_ns = noted_ns;
    for (int i = 0; i < 20'000; ++i) {
      time_ns += any(3) == 0 ? any(3) * 400'000'000LL : any(5) * 300'000LL;
      if (any(500) == 0) time_ns = -time_ns;  // before 1970, and back
      Record one = record("m", static_cast<Level>(any(6)));
      if (any(20) == 0) one.wire_level = static_cast<std::uint8_t>(6 + any(9));
      if (any(20) == 0) one.time_text = "noon";
      if (any(20) == 0) one.message = "two\nlines \x1b";
      Source source{any(40), any(9) == 0 ? "other" : "prog", any(3), static_cast<std::uint16_t>(any(2))};
      std::string expected = "before";
      std::string out = expected;
      render::append_record_line(expected, event_of(one, source, time_ns), words);
      lines.append(out, event_of(one, source, time_ns));
      REQUIRE(out == expected);
    }
  }
}
