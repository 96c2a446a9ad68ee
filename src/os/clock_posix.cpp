// The clocks: see clock.hpp.
#include "os/clock.hpp"

#include <time.h>

#include "base/civil_time.hpp"

namespace dlog::os {
namespace {

std::int64_t read(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * ns_per_second + now.tv_nsec;
}

}  // namespace

std::int64_t monotonic_ns() noexcept { return read(CLOCK_MONOTONIC); }
std::int64_t wall_ns() noexcept { return read(CLOCK_REALTIME); }

std::int32_t local_utc_offset_s(std::int64_t unix_s) noexcept {
  const time_t time = static_cast<time_t>(unix_s);
  tm fields{};
  if (localtime_r(&time, &fields) == nullptr) return 0;
  return static_cast<std::int32_t>(fields.tm_gmtoff);
}

}  // namespace dlog::os
