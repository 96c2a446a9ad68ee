// Tests of lines.cpp: one line an event, and when a bar speaks.
#include "log/render/lines.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/json.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using render::BarLines;
using render::LineFormat;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t start_ns = 77 * second_ns;
const std::string head = "2026-11-21 04:16:40.727 INF prog[4711]: ";

class Output {
 public:
  explicit Output(LineFormat format = LineFormat::plain, BarLines bars = BarLines::plain) : lines_(format, bars, {}) {}

  // What the event makes it say at that time.
  template <class What>
  std::string say(const What& what, std::int64_t now_ns = start_ns, const Source& source = own) {
    lines_.accept(event_of(what, source), now_ns);
    return draw(now_ns);
  }
  std::string draw(std::int64_t now_ns) {
    std::string out;
    lines_.draw(out, now_ns, {});
    return out;
  }
  render::Lines& lines() { return lines_; }

 private:
  render::Lines lines_;
};

Bar created(std::uint64_t id, std::uint64_t total, std::string_view description) {
  Bar out = running(id, 0, total, description);
  out.created = true;
  return out;
}

}  // namespace

TEST_CASE("lines: a record is one line, in order with bars, and is said once") {
  Output output;
  output.lines().accept(event_of(record("one")), start_ns);
  output.lines().accept(event_of(created(1, 10, "Reading")), start_ns);
  output.lines().accept(event_of(record("two\nlines", Level::error)), start_ns);
  CHECK(output.draw(start_ns) == head + "one\n" + head + "Reading: started (0/10)\n" +
                                     "2026-11-21 04:16:40.727 ERR prog[4711]: two\n    lines\n");
  CHECK(output.draw(start_ns) == "");
}

TEST_CASE("lines: draw appends, and is due only where there is something to say") {
  render::Lines lines(LineFormat::plain, BarLines::plain, {});
  CHECK(lines.due_ns() == render::Renderer::never);
  lines.accept(event_of(record("one")), start_ns);
  CHECK(lines.due_ns() <= start_ns);
  std::string out = "before|";
  lines.draw(out, start_ns, {1, 1});
  CHECK(out == "before|" + head + "one\n");
  CHECK(lines.due_ns() == render::Renderer::never);
  lines.accept(event_of(bar(1, BarState::cleared, 0, 0, "x")), start_ns);
  CHECK(lines.due_ns() == render::Renderer::never);
}

TEST_CASE("lines: a bar speaks at its start and at its end") {
  Output output;
  CHECK(output.say(created(1, 10, "Reading")) == head + "Reading: started (0/10)\n");
  CHECK(output.say(running(1, 9, 10, "Reading")) == "");
  CHECK(output.say(bar(1, BarState::finished, 10, 10, "Reading")) == head + "Reading: finished (10/10)\n");
  Bar failed = bar(2, BarState::failed, 3, 10, "Writing");
  failed.message = "disk full";
  CHECK(output.say(failed) == "2026-11-21 04:16:40.727 ERR prog[4711]: Writing: failed at 3/10: disk full\n");
  CHECK(output.say(bar(3, BarState::abandoned, 3, 10, "x")) ==
        "2026-11-21 04:16:40.727 WRN prog[4711]: x: abandoned at 3/10\n");
  CHECK(output.say(bar(4, BarState::orphaned, 3, 10, "x"), start_ns, child) ==
        "2026-11-21 04:16:40.727 WRN child[40001]: x: orphaned at 3/10\n");
}

TEST_CASE("lines: in between a bar speaks after 5 s and 5 %") {
  Output output;
  output.say(created(1, 100, "a"));
  CHECK(output.say(running(1, 99, 100, "a"), start_ns + 5 * second_ns - 1) == "");
  CHECK(output.say(running(1, 4, 100, "a"), start_ns + 5 * second_ns) == "");
  CHECK(output.say(running(1, 5, 100, "a"), start_ns + 5 * second_ns) == head + "a: 5% (5/100)\n");
  CHECK(output.say(running(1, 50, 100, "a"), start_ns + 10 * second_ns - 1) == "");
  CHECK(output.say(running(1, 9, 100, "a"), start_ns + 10 * second_ns) == "");
  CHECK(output.say(running(1, 10, 100, "a"), start_ns + 20 * second_ns) == head + "a: 10% (10/100)\n");
}

TEST_CASE("lines: after 30 s a bar speaks in any case") {
  Output output;
  output.say(created(1, 100, "a"));
  CHECK(output.say(running(1, 1, 100, "a"), start_ns + 30 * second_ns - 1) == "");
  CHECK(output.say(running(1, 1, 100, "a"), start_ns + 30 * second_ns) == head + "a: 1% (1/100)\n");
  CHECK(output.say(running(1, 2, 100, "a"), start_ns + 60 * second_ns - 1) == "");
  CHECK(output.say(running(1, 2, 100, "a"), start_ns + 60 * second_ns) == head + "a: 2% (2/100)\n");
}

TEST_CASE("lines: an unknown total has no percents, only the 30 s") {
  Output output;
  output.say(created(1, 0, "a"));
  CHECK(output.say(running(1, 1'000'000, 0, "a"), start_ns + 29 * second_ns) == "");
  CHECK(output.say(running(1, 1'000'001, 0, "a"), start_ns + 30 * second_ns) == head + "a: 1000001\n");
}

TEST_CASE("lines: a bar that goes back speaks again when it has come forward") {
  Output output;
  output.say(created(1, 100, "a"));
  CHECK(output.say(running(1, 60, 100, "a"), start_ns + 5 * second_ns) == head + "a: 60% (60/100)\n");
  CHECK(output.say(running(1, 10, 100, "a"), start_ns + 11 * second_ns) == "");
  CHECK(output.say(running(1, 65, 100, "a"), start_ns + 12 * second_ns) == head + "a: 65% (65/100)\n");
}

TEST_CASE("lines: bars are told apart by source and number, and have times of their own") {
  Output output;
  output.say(created(1, 100, "a"));
  CHECK(output.say(created(1, 100, "b"), start_ns + 4 * second_ns, child) ==
        "2026-11-21 04:16:40.727 INF child[40001]: b: started (0/100)\n");
  CHECK(output.say(created(1, 100, "c"), start_ns + 4 * second_ns, other_child) != "");
  CHECK(output.say(running(1, 50, 100, "a"), start_ns + 6 * second_ns) != "");
  CHECK(output.say(running(1, 50, 100, "b"), start_ns + 6 * second_ns, child) == "");
  CHECK(output.say(running(1, 50, 100, "b"), start_ns + 9 * second_ns, child) != "");
  // An end forgets the bar: the next one under the same number starts anew.
  CHECK(output.say(bar(1, BarState::finished, 100, 100, "a"), start_ns + 9 * second_ns) != "");
  CHECK(output.say(created(1, 7, "d"), start_ns + 9 * second_ns) == head + "d: started (0/7)\n");
}

TEST_CASE("lines: a cleared bar leaves nothing") {
  for (const auto& [format, bars] :
       {std::pair{LineFormat::plain, BarLines::plain}, std::pair{LineFormat::simple, BarLines::simple},
        std::pair{LineFormat::json, BarLines::json}}) {
    Output output(format, bars);
    output.say(created(1, 10, "a"));
    CHECK(output.say(bar(1, BarState::cleared, 5, 10, "a"), start_ns + 60 * second_ns) == "");
    CHECK(output.say(bar(2, BarState::cleared, 5, 10, "never seen"), start_ns) == "");
  }
}

TEST_CASE("lines: simple says the end only, in the words of the original") {
  Output output(LineFormat::simple, BarLines::simple);
  CHECK(output.say(created(1, 10, "x")) == "");
  CHECK(output.say(running(1, 9, 10, "x"), start_ns + 60 * second_ns) == "");
  CHECK(output.say(bar(1, BarState::finished, 10, 10, "x")) == "Progress completed: x (10)\n");
  CHECK(output.say(bar(2, BarState::finished, 3, 10, "y")) == "Progress completed: y (10)\n");
  CHECK(output.say(bar(3, BarState::finished, 17, 0, "z")) == "Progress completed: z (17)\n");
  CHECK(output.say(bar(4, BarState::finished, 1, 1, "\x1b\n")) == "Progress completed: \\x1b\\n (1)\n");
  CHECK(output.say(bar(5, BarState::failed, 3, 10, "x")) ==
        "2026-11-21 04:16:40.727 ERR prog[4711]: x: failed at 3/10\n");
  CHECK(output.say(bar(6, BarState::orphaned, 3, 10, "x"), start_ns, child) ==
        "2026-11-21 04:16:40.727 WRN child[40001]: x: orphaned at 3/10\n");
  CHECK(output.say(record("r")) == head + "r\n");
}

TEST_CASE("lines: no bars, but every record") {
  for (const LineFormat format : {LineFormat::plain, LineFormat::simple, LineFormat::json}) {
    Output output(format, BarLines::none);
    CHECK(output.say(created(1, 10, "x")) == "");
    CHECK(output.say(bar(1, BarState::failed, 3, 10, "x"), start_ns + 60 * second_ns) == "");
    CHECK(output.say(record("r")).find("r") != std::string::npos);
  }
}

TEST_CASE("lines: json is json, records and bars alike") {
  Output output(LineFormat::json, BarLines::json);
  CHECK(parse_json_line(output.say(record("hello"))).at("msg") == "hello");
  CHECK(parse_json_line(output.say(created(1, 10, "x"))).at("state") == "running");
  CHECK(output.say(running(1, 9, 10, "x")) == "");
  const auto amid = parse_json_line(output.say(running(1, 9, 10, "x"), start_ns + 5 * second_ns));
  CHECK(amid.at("event") == "progress");
  CHECK(amid.at("value") == "9");
  CHECK(parse_json_line(output.say(bar(1, BarState::finished, 10, 10, "x"))).at("state") == "finished");
}

TEST_CASE("lines: records and bars may speak differently") {
  Output json_bars(LineFormat::plain, BarLines::json);
  CHECK(json_bars.say(record("r")) == head + "r\n");
  CHECK(parse_json_line(json_bars.say(created(1, 10, "x"))).at("description") == "x");
  Output plain_bars(LineFormat::json, BarLines::plain);
  CHECK(parse_json_line(plain_bars.say(record("r"))).at("msg") == "r");
  CHECK(plain_bars.say(created(1, 10, "x")) == head + "x: started (0/10)\n");
}

TEST_CASE("lines: no escape and no carriage return, whatever is said") {
  const std::string hostile = "a\x1b[2J\r\n\xff\xc2\x9b";
  for (const BarLines bars : {BarLines::plain, BarLines::simple, BarLines::json}) {
    Output output(bars == BarLines::json ? LineFormat::json : LineFormat::plain, bars);
    std::string all = output.say(record(hostile)) + output.say(created(1, 10, hostile));
    Bar failed = bar(1, BarState::failed, 3, 10, hostile);
    failed.message = hostile;
    all += output.say(failed);
    all += output.say(bar(2, BarState::finished, 3, 10, hostile));
    CHECK(all.find_first_of("\x1b\r\xff") == std::string::npos);
    CHECK(all.find("\xc2\x9b") == std::string::npos);
  }
}

TEST_CASE("lines: leaving and suspending change nothing where no bar is on a screen") {
  Output output;
  output.say(created(1, 10, "x"));
  output.lines().suspend(true);
  output.lines().leave(false);
  CHECK(output.say(record("r")) == head + "r\n");
  output.lines().suspend(false);
  output.lines().leave(true);
  CHECK(output.draw(start_ns) == "");
}
