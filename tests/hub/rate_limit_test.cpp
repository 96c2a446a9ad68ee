// Tests of hub/rate_limit.
#include "log/hub/rate_limit.hpp"

#include <cstdint>
#include <limits>

#include "support/catch.hpp"

namespace {

using namespace dlog;
using hub::RateLimit;

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t start = 17 * second;

TEST_CASE("rate limit: none unless one is set") {
  RateLimit limit;
  for (int i = 0; i < 100'000; ++i) REQUIRE(limit.admit(start));
  CHECK(limit.refused() == 0);
}

TEST_CASE("rate limit: so many a second, the others are counted") {
  RateLimit limit;
  limit.set(3);
  for (int i = 0; i < 3; ++i) CHECK(limit.admit(start));
  CHECK_FALSE(limit.admit(start));
  CHECK_FALSE(limit.admit(start + second - 1));
  CHECK(limit.untold() == 2);
  CHECK(limit.admit(start + second));
  CHECK(limit.take_rest() == 2);
  CHECK(limit.take_rest() == 0);
  for (int i = 0; i < 2; ++i) CHECK(limit.admit(start + second + 10));
  CHECK_FALSE(limit.admit(start + 2 * second - 1));
  CHECK(limit.untold() == 1);
  CHECK(limit.refused() == 3);
  CHECK(limit.admit(start + 2 * second));
}

TEST_CASE("rate limit: what was refused is told once a second, the rest at the end") {
  RateLimit limit;
  limit.set(1);
  CHECK(limit.take_untold(start) == 0);
  for (int i = 0; i < 3; ++i) limit.admit(start);
  CHECK(limit.take_untold(start) == 2);  // nothing was told before
  limit.admit(start + 1);
  CHECK(limit.take_untold(start + 1) == 0);
  CHECK(limit.take_untold(start + second - 1) == 0);
  CHECK(limit.untold() == 1);
  CHECK(limit.take_untold(start + second) == 1);
  for (int i = 0; i < 3; ++i) limit.admit(start + second);
  CHECK(limit.take_untold(start + second) == 0);
  CHECK(limit.take_untold(start - 5 * second) == 2);  // the clock was set back
  for (int i = 0; i < 2; ++i) limit.admit(start - 5 * second);
  CHECK(limit.take_untold(start - 5 * second) == 0);
  CHECK(limit.take_rest() == 1);
  CHECK(limit.refused() == 6);
}

TEST_CASE("rate limit: a clock that is set back begins a new second") {
  RateLimit limit;
  limit.set(1);
  CHECK(limit.admit(start));
  CHECK_FALSE(limit.admit(start));
  CHECK(limit.admit(start - 5 * second));
  CHECK_FALSE(limit.admit(start - 5 * second));
  CHECK(limit.admit(std::numeric_limits<std::int64_t>::max()));
}

}  // namespace
