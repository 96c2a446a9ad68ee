// Tests of os/clock: time goes on, and the local zone is the one that TZ names.
#include "os/clock.hpp"

#include <time.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include "os/child.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog;

std::int32_t offset_at(std::int64_t unix_s) { return os::local_utc_offset_s(unix_s).value(); }

// Offsets in January and July of 2024, by the rule in TZ.
std::string offsets_of(const char* zone) {
  return test::said_in_child([zone] {
    ::setenv("TZ", zone, 1);
    ::tzset();
    return fmt::format("{} {}", offset_at(1'704'067'200), offset_at(1'719'792'000));
  });
}

TEST_CASE("clock: monotonic time never goes back") {
  std::int64_t last_ns = os::monotonic_ns();
  const std::int64_t first_ns = last_ns;
  int backwards = 0;
  for (int i = 0; i < 10'000 || last_ns == first_ns; ++i) {
    const std::int64_t now_ns = os::monotonic_ns();
    if (now_ns < last_ns) ++backwards;
    last_ns = now_ns;
  }
  CHECK(backwards == 0);
  CHECK(last_ns > first_ns);
}

TEST_CASE("clock: wall time is the system's, in nanoseconds since 1970") {
  const std::int64_t before_s = ::time(nullptr);
  const std::int64_t now_ns = os::wall_ns();
  const std::int64_t after_s = ::time(nullptr);
  // time() may lag behind by a tick.
  CHECK(now_ns / 1'000'000'000 >= before_s);
  CHECK(now_ns / 1'000'000'000 <= after_s + 1);
}

TEST_CASE("clock: a zone is seconds east of Greenwich") {
  CHECK(offsets_of("UTC0") == "0 0");
  CHECK(offsets_of("IST-5:30") == "19800 19800");
  CHECK(offsets_of("<-03>3") == "-10800 -10800");
  CHECK(offsets_of("<+1245>-12:45") == "45900 45900");
  CHECK(offsets_of("LMT-0:19:32") == "1172 1172");
}

TEST_CASE("clock: the offset is that of the time asked for, not of now") {
  CHECK(offsets_of("CET-1CEST,M3.5.0,M10.5.0/3") == "3600 7200");
  CHECK(offsets_of("AEST-10AEDT,M10.1.0,M4.1.0/3") == "39600 36000");
}

TEST_CASE("clock: a zone that makes no sense is UTC") { CHECK(offsets_of("no zone of this world") == "0 0"); }

TEST_CASE("clock: a time beyond the calendar has no offset") {
  CHECK(test::said_in_child([] {
          ::setenv("TZ", "IST-5:30", 1);
          ::tzset();
          return fmt::format("{} {} {}", offset_at(std::numeric_limits<std::int64_t>::max()),
                             offset_at(std::numeric_limits<std::int64_t>::min()), offset_at(-1));
        }) == "0 0 19800");
}

TEST_CASE("clock: the zone is not asked for during a fork, and is again afterwards") {
  os::hold_local_time(std::chrono::milliseconds{0});
  os::hold_local_time(std::chrono::milliseconds{0});  // another thread's
  CHECK_FALSE(os::local_utc_offset_s(0));
  os::release_local_time();
  CHECK_FALSE(os::local_utc_offset_s(0));
  CHECK(test::said_in_child([] {
          os::renew_local_time();
          return fmt::format("{}", os::local_utc_offset_s(0).has_value());
        }) == "true");
  os::release_local_time();
  CHECK(os::local_utc_offset_s(0));
}

}  // namespace
