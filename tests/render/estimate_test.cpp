// Tests of estimate.cpp: the rate that a person would call right.
#include "log/render/estimate.hpp"

#include <cstdint>

#include "support/catch.hpp"

namespace {

using dlog::render::Estimate;

constexpr std::int64_t s = 1'000'000'000;
constexpr std::int64_t ms = 1'000'000;

// A bar that moves by `per_second` for so long, told ten times a second.
struct Moving {
  Estimate estimate{};
  std::uint64_t value = 0;
  std::int64_t now_ns = 1000 * s;

  Moving() { estimate.begin(0, now_ns); }
  void go(std::uint64_t per_second, int seconds) {
    for (int i = 0; i < seconds * 10; ++i) {
      now_ns += 100 * ms;
      value += per_second / 10;
      estimate.record(value, now_ns);
    }
  }
  double rate() const { return estimate.per_second(now_ns); }
};

}  // namespace

TEST_CASE("estimate: nothing is known at first") {
  Estimate estimate(0, 5 * s);
  CHECK(estimate.per_second(5 * s) == 0);
  CHECK(estimate.per_second(50 * s) == 0);
}

TEST_CASE("estimate: a steady bar has its rate from the first second on") {
  Moving bar;
  for (int i = 0; i < 100; ++i) {
    bar.go(100, 1);
    CHECK(bar.rate() == Approx(100).epsilon(0.001));
  }
}

TEST_CASE("estimate: it does not matter how often it is told") {
  Moving often;
  often.go(100, 20);
  Moving seldom;
  for (int i = 0; i < 5; ++i) {
    seldom.now_ns += 4 * s;
    seldom.value += 400;
    seldom.estimate.record(seldom.value, seldom.now_ns);
  }
  CHECK(often.rate() == Approx(seldom.rate()).epsilon(0.01));
}

TEST_CASE("estimate: a new pace shows after the window, a burst hardly at all") {
  Moving bar;
  bar.go(100, 60);
  bar.go(1000, 1);
  CHECK(bar.rate() < 200);
  bar.go(100, 60);
  CHECK(bar.rate() == Approx(100).epsilon(0.05));
  bar.go(1000, 45);
  CHECK(bar.rate() > 900);
}

TEST_CASE("estimate: without news the rate goes down") {
  Moving bar;
  bar.go(100, 30);
  const double then = bar.rate();
  CHECK(bar.estimate.per_second(bar.now_ns + 5 * s) < then * 0.6);
  CHECK(bar.estimate.per_second(bar.now_ns + 60 * s) < then * 0.001);
}

TEST_CASE("estimate: a pause does not count") {
  Moving bar;
  bar.go(100, 30);
  const double then = bar.rate();
  bar.now_ns += 3600 * s;
  bar.estimate.skip_to(bar.now_ns);
  CHECK(bar.rate() == Approx(then).epsilon(0.001));
  bar.go(100, 10);
  CHECK(bar.rate() == Approx(100).epsilon(0.01));
}

TEST_CASE("estimate: begun anew, and by a value that goes back") {
  Moving bar;
  bar.go(1000, 30);
  bar.estimate.begin(bar.value, bar.now_ns);
  CHECK(bar.rate() == 0);
  bar.go(10, 5);
  CHECK(bar.rate() == Approx(10).epsilon(0.001));
  bar.estimate.record(3, bar.now_ns + s);
  CHECK(bar.estimate.per_second(bar.now_ns + 2 * s) == 0);
}

TEST_CASE("estimate: a clock that stands or goes back harms nothing") {
  Estimate estimate(0, 10 * s);
  estimate.record(100, 10 * s);
  estimate.record(200, 9 * s);
  CHECK(estimate.per_second(10 * s) == 0);
  estimate.record(300, 11 * s);
  CHECK(estimate.per_second(11 * s) == Approx(300));
  CHECK(estimate.per_second(0) == Approx(300));
}
