// Tests of bar_words.cpp: percent, amounts, rates, times and sentences of a bar.
#include "log/render/bar_words.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <string>

#include "support/catch.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using render::bar_sentence;
using render::percent;
using render::percent_words;

constexpr auto most = std::numeric_limits<std::uint64_t>::max();

std::string amount(std::uint64_t value, std::uint64_t total, Unit unit) {
  Bar some = running(1, value, total, "");
  some.unit = unit;
  return render::amount(some);
}

}  // namespace

TEST_CASE("bar: percent in words is as wide for every value") {
  CHECK(percent_words(running(1, 0, 10, "")) == "  0%");
  CHECK(percent_words(running(1, 42, 100, "")) == " 42%");
  CHECK(percent_words(running(1, 10, 10, "")) == "100%");
  CHECK(percent_words(running(1, 10, 0, "")).empty());
}

TEST_CASE("bar: percent is rounded down, exactly") {
  std::string wrong;
  for (std::uint64_t total = 1; total <= 1000; ++total) {
    for (std::uint64_t value = 0; value <= total; ++value) {
      const auto exact = static_cast<int>(value * 100 / total);
      if (percent(value, total) != exact && wrong.size() < 200) {
        wrong += fmt::format("{}/{} is {} and not {}; ", value, total, exact, percent(value, total));
      }
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("bar: percent at the ends") {
  CHECK(percent(0, 0) == 0);
  CHECK(percent(5, 0) == 0);
  CHECK(percent(0, 1) == 0);
  CHECK(percent(1, 1) == 100);
  CHECK(percent(7, 1) == 100);
  CHECK(percent(999'999, 1'000'000) == 99);
  CHECK(percent(most - 1, most) == 99);
  CHECK(percent(most, most) == 100);
  CHECK(percent(most, 1) == 100);
  CHECK(percent(1, most) == 0);
  CHECK(percent(most / 2, most) == 49);
  CHECK(percent(most / 2 + 1, most) == 50);
}

TEST_CASE("bar: amounts and their units") {
  CHECK(amount(42, 100, Unit::items) == "42/100");
  CHECK(amount(42, 0, Unit::items) == "42");
  CHECK(amount(most, most, Unit::items) == "18446744073709551615/18446744073709551615");
  CHECK(amount(0, 999, Unit::bytes) == "0 B/999 B");
  CHECK(amount(1000, 1'500'000, Unit::bytes) == "1.0 kB/1.5 MB");
  CHECK(amount(1024, 1'500'000, Unit::bytes_iec) == "1.0 KiB/1.4 MiB");
  CHECK(amount(1023, 0, Unit::bytes_iec) == "1023 B");
  CHECK(amount(most, 0, Unit::bytes) == "18.4 EB");
  CHECK(amount(most, 0, Unit::bytes_iec) == "16.0 EiB");
  CHECK(amount(1'000'000'000'000, 2'000'000'000'000'000, Unit::bytes) == "1.0 TB/2.0 PB");
  CHECK(amount(90, 3600, Unit::seconds) == "90 s/3600 s");
  CHECK(amount(90, 0, Unit::seconds) == "90 s");
}

TEST_CASE("bar: an amount just below a unit is not a thousand of the one below") {
  CHECK(amount(999'999, 0, Unit::bytes) == "1.0 MB");
  CHECK(amount(1'048'575, 0, Unit::bytes_iec) == "1.0 MiB");
}

TEST_CASE("bar: rates") {
  using render::rate_words;
  CHECK(rate_words(0, Unit::items) == "");
  CHECK(rate_words(-1, Unit::items) == "");
  CHECK(rate_words(std::numeric_limits<double>::quiet_NaN(), Unit::items) == "");
  CHECK(rate_words(12.34, Unit::items) == "12.3/s");
  CHECK(rate_words(99.96, Unit::items) == "100/s");
  CHECK(rate_words(1234, Unit::items) == "1234/s");
  CHECK(rate_words(12'345, Unit::items) == "12.3k/s");
  CHECK(rate_words(1.5e6, Unit::items) == "1.5M/s");
  CHECK(rate_words(0.5, Unit::items) == "30.0/min");
  CHECK(rate_words(1.5e6, Unit::bytes) == "1.5 MB/s");
  CHECK(rate_words(1.5 * 1024, Unit::bytes_iec) == "1.5 KiB/s");
  CHECK(rate_words(12, Unit::bytes) == "12.0 B/s");
  CHECK(rate_words(2, Unit::seconds) == "2.0 s/s");
}

TEST_CASE("bar: times") {
  using render::clock_words;
  using render::duration_words;
  constexpr std::int64_t s = 1'000'000'000;
  CHECK(clock_words(-5) == "0:00");
  CHECK(clock_words(7 * s + 999'999'999) == "0:07");
  CHECK(clock_words(754 * s) == "12:34");
  CHECK(clock_words(3600 * s) == "1:00:00");
  CHECK(clock_words((47 * 3600 + 59 * 60 + 59) * s) == "47:59:59");
  CHECK(clock_words((5 * 24 + 3) * 3600 * s) == "5d 03h");
  CHECK(duration_words(0) == "0.0 s");
  CHECK(duration_words(340'000'000) == "0.3 s");
  CHECK(duration_words(9'949'000'000) == "9.9 s");
  CHECK(duration_words(9'950'000'000) == "0:09");
  CHECK(duration_words(10 * s) == "0:10");
}

TEST_CASE("bar: sentences") {
  Bar some = running(1, 0, 100, "Downloading");
  some.created = true;
  CHECK(bar_sentence(some) == "Downloading: started (0/100)");
  some.created = false;
  some.value = 42;
  CHECK(bar_sentence(some) == "Downloading: 42% (42/100)");
  some.message = "part 3";
  CHECK(bar_sentence(some) == "Downloading: 42% (42/100): part 3");
  some.message = "404";
  some.state = BarState::failed;
  CHECK(bar_sentence(some) == "Downloading: failed at 42/100: 404");
  some.message = {};
  some.state = BarState::abandoned;
  CHECK(bar_sentence(some) == "Downloading: abandoned at 42/100");
  some.state = BarState::orphaned;
  CHECK(bar_sentence(some) == "Downloading: orphaned at 42/100");
  some.state = BarState::finished;
  some.value = 100;
  CHECK(bar_sentence(some) == "Downloading: finished (100/100)");

  Bar spinner = running(1, 17, 0, "Scanning");
  CHECK(bar_sentence(spinner) == "Scanning: 17");
  spinner.created = true;
  CHECK(bar_sentence(spinner) == "Scanning: started (17)");
  spinner.unit = Unit::bytes;
  spinner.created = false;
  CHECK(bar_sentence(spinner) == "Scanning: 17 B");
}

TEST_CASE("bar: state names and the level of an end") {
  const BarState states[] = {BarState::running,   BarState::finished, BarState::failed,
                             BarState::abandoned, BarState::orphaned, BarState::cleared};
  const char* names[] = {"running", "finished", "failed", "abandoned", "orphaned", "cleared"};
  const Level levels[] = {Level::info, Level::info, Level::error, Level::warn, Level::warn, Level::info};
  for (std::size_t i = 0; i < std::size(states); ++i) {
    CHECK(render::state_name(states[i]) == names[i]);
    CHECK(render::bar_level(states[i]) == levels[i]);
  }
}
