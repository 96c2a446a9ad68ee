// Tests of tick_clock.cpp: ticks and times are each other's, and their order is the same.
#include "log/hub/tick_clock.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "dlog/emit.hpp"
#include "os/clock.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog;
using hub::TickClock;

constexpr std::int64_t ms = 1'000'000;

}  // namespace

TEST_CASE("tick clock: now is now") {
  TickClock clock;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const std::int64_t before = os::wall_ns();
  const TickClock::Now now = clock.refresh();
  const std::int64_t after = os::wall_ns();
  CHECK(now.wall_ns >= before);
  CHECK(now.wall_ns <= after);
  CHECK(clock.wall_ns(now.ticks) == now.wall_ns);
  CHECK(clock.ticks_at(now.wall_ns) == now.ticks);
}

TEST_CASE("tick clock: a stamp from a while ago is that time, within a part of a percent") {
  TickClock clock;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::int64_t before = os::wall_ns();  // a machine that is busy may pause between the looks
  const std::uint64_t stamp = capture::ticks();
  const std::int64_t after = os::wall_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  clock.refresh();
  CHECK(clock.wall_ns(stamp) > before - 1 * ms);
  CHECK(clock.wall_ns(stamp) < after + 1 * ms);
  CHECK(clock.ticks_in(1 * ms) > 0);
  CHECK(clock.ticks_in(-1) == 0);
}

TEST_CASE("tick clock: there and back, before now and after") {
  TickClock clock;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const TickClock::Now now = clock.refresh();
  for (const std::int64_t away :
       {-10'000 * ms, -ms, std::int64_t{-1000}, std::int64_t{0}, std::int64_t{1000}, 10'000 * ms}) {
    const std::uint64_t ticks = clock.ticks_at(now.wall_ns + away);
    CHECK(std::llabs(clock.wall_ns(ticks) - (now.wall_ns + away)) <= 2 + std::llabs(away) / 1'000'000'000);
    CHECK((away < 0) == (static_cast<std::int64_t>(ticks - now.ticks) < 0));
  }
}

TEST_CASE("tick clock: later ticks are no earlier times") {
  TickClock clock;
  clock.refresh();
  std::uint64_t ticks = capture::ticks();
  std::int64_t last = clock.wall_ns(ticks);
  for (int i = 0; i < 10'000; ++i) {
    ticks += static_cast<std::uint64_t>(i % 5);
    const std::int64_t time = clock.wall_ns(ticks);
    REQUIRE(time >= last);
    last = time;
  }
}
