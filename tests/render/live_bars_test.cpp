// Tests of live_bars.cpp: order, parts below what they are a part of, who stays where there is no room, pauses.
#include "log/render/live_bars.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "support/catch.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using render::LiveBars;

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t s = 1000 * ms;

struct Bars {
  void put(const Bar& bar, const Source& source = own) { bars.put(event_of(bar, source), now_ns); }
  void part(std::uint64_t id, std::uint64_t parent, const Source& source = own) {
    const std::string description = fmt::format("{}", id);
    Bar some = running(id, 0, 10, description);
    some.parent = parent;
    put(some, source);
  }
  // `id` of each, a dot for each step it stands in; then `+more percent%`.
  std::string chosen(std::size_t rows) const {
    std::string out;
    const LiveBars::Choice choice = bars.choose(rows, 0, now_ns);
    for (const render::BarView& view : choice.views)
      out += fmt::format("{}{}{}", out.empty() ? "" : " ", std::string(view.depth, '.'), view.bar.id);
    if (choice.more != 0) out += fmt::format(" +{} {}%", choice.more, choice.more_percent);
    return out;
  }

  LiveBars bars{};
  std::int64_t now_ns = 1000 * s;
};

}  // namespace

TEST_CASE("live bars: in the order of creation, parts below what they are a part of") {
  Bars bars;
  bars.part(1, 0);
  bars.part(2, 0);
  bars.part(3, 1);
  bars.part(4, 2);
  bars.part(5, 1);
  bars.part(6, 3);
  CHECK(bars.chosen(10) == "1 .3 ..6 .5 2 .4");
  bars.bars.remove(0, 1);
  CHECK(bars.chosen(10) == "2 .4 3 .6 5");
}

TEST_CASE("live bars: a parent is one of the same source, and older") {
  Bars bars;
  bars.part(1, 0);
  bars.part(2, 1, child);  // there is no 1 of the child's yet
  bars.part(1, 2, child);
  bars.part(7, 7);
  bars.part(8, 99);
  CHECK(bars.chosen(10) == "1 2 .1 7 8");
}

TEST_CASE("live bars: too many end in a count; the newest stay") {
  Bars bars;
  for (std::uint64_t id = 1; id <= 10; ++id) bars.put(running(id, id, 10, "x"));
  CHECK(bars.chosen(10) == "1 2 3 4 5 6 7 8 9 10");
  CHECK(bars.chosen(4) == "8 9 10 +7 40%");
  CHECK(bars.chosen(1) == " +10 55%");
  CHECK(bars.chosen(0) == " +10 55%");
}

TEST_CASE("live bars: the busiest stay, and do not change places all the time") {
  Bars bars;
  for (std::uint64_t id = 1; id <= 6; ++id) bars.put(running(id, 0, 1000, "x"));
  bars.now_ns += 10 * s;
  std::string before;
  for (std::uint64_t i = 1; i < 100; ++i) {
    bars.now_ns += 100 * ms;
    bars.put(running(1, i, 1000, "x"));
    if (i % 2 == 0) bars.put(running(2, i, 1000, "x"));
    if (i % 60 == 0) bars.put(running(5, i, 1000, "x"));
    const std::string now = bars.chosen(3);
    if (i > 20) CHECK(now.starts_with("1 2 +4"));
  }
  bars.put(running(7, 0, 1000, "new"));
  CHECK(bars.chosen(3).starts_with("2 7 +5"));  // for a while
  bars.now_ns += 100 * ms;
  bars.put(running(1, 500, 1000, "x"));
  bars.put(running(2, 500, 1000, "x"));
  CHECK(bars.chosen(4).starts_with("1 2 7 +4"));
}

TEST_CASE("live bars: a clock that goes back makes nothing busier, and breaks nothing") {
  Bars bars;
  for (std::uint64_t id = 1; id <= 6; ++id) bars.put(running(id, 0, 1000, "x"));
  bars.now_ns += 900 * s;
  for (std::uint64_t i = 1; i < 5; ++i) {
    bars.put(running(1, i, 1000, "x"));
    bars.now_ns -= 200 * s;
    CHECK(bars.chosen(3).ends_with("+4 0%"));
  }
}

TEST_CASE("live bars: too young is not there") {
  Bars bars;
  bars.put(running(1, 0, 10, "x"));
  bars.now_ns += 100 * ms;
  bars.put(running(2, 0, 10, "x"));
  CHECK(bars.bars.choose(10, 100 * ms, bars.now_ns).views.size() == 1);
  CHECK(bars.bars.choose(10, 100 * ms, bars.now_ns + 100 * ms).views.size() == 2);
}

TEST_CASE("live bars: each says whose it is where several processes have some") {
  Bars bars;
  bars.put(running(1, 0, 10, "x"));
  CHECK(bars.bars.choose(9, 0, bars.now_ns).views[0].source.empty());
  bars.put(running(1, 0, 10, "x"), child);
  const auto choice = bars.bars.choose(9, 0, bars.now_ns);
  CHECK(choice.views[0].source == "prog[4711]");
  CHECK(choice.views[1].source == "child[40001]");
  bars.bars.remove(0, 1);
  CHECK(bars.bars.of_several());
  bars.bars.remove(child.id, 1);
  CHECK_FALSE(bars.bars.of_several());
}

TEST_CASE("live bars: elapsed and rate, without pauses") {
  Bars bars;
  Bar some = running(1, 0, 1000, "x");
  bars.put(some);
  for (int i = 0; i < 50; ++i) {
    bars.now_ns += 100 * ms;
    some.value += 10;
    bars.put(some);
  }
  const auto view = [&] { return bars.bars.choose(9, 0, bars.now_ns).views.at(0); };
  CHECK(view().elapsed_ns == 5 * s);
  CHECK(view().per_second == Approx(100).epsilon(0.001));
  some.paused = true;
  bars.put(some);
  bars.now_ns += 60 * s;
  CHECK(view().elapsed_ns == 5 * s);
  CHECK(view().per_second == Approx(100).epsilon(0.001));
  bars.now_ns += 60 * s;
  some.paused = false;
  bars.put(some);
  bars.now_ns += s;
  some.value += 100;
  bars.put(some);
  CHECK(view().elapsed_ns == 6 * s);
  CHECK(view().per_second == Approx(100).epsilon(0.001));
  some.estimate = 1;
  bars.put(some);
  CHECK(view().per_second == 0);
}

TEST_CASE("live bars: a template that cannot be read is as none") {
  Bars bars;
  Bar some = running(1, 0, 10, "x");
  some.bar_template = "{desc}!";
  bars.put(some);
  CHECK(bars.bars.choose(9, 0, bars.now_ns).views[0].bar_template->parts.size() == 2);
  some.bar_template = "{dsc}";
  bars.put(some);
  CHECK(bars.bars.choose(9, 0, bars.now_ns).views[0].bar_template->parts.empty());
}

TEST_CASE("live bars: the progress of all is the mean of those that are a part of none") {
  Bars bars;
  CHECK(bars.bars.overall_percent() == -1);
  bars.put(running(1, 5, 0, "spinner"));
  CHECK(bars.bars.overall_percent() == -1);
  bars.put(running(2, 5, 10, "half"));
  bars.put(running(3, 10, 10, "all"));
  Bar part = running(4, 0, 10, "part");
  part.parent = 2;
  bars.put(part);
  CHECK(bars.bars.overall_percent() == 75);
}
