// The clocks: see clock.hpp.
#include "os/clock.hpp"

#include <time.h>
#include <unistd.h>

#include <atomic>

#include "base/civil_time.hpp"

namespace dlog::os {
namespace {

std::int64_t read(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * ns_per_second + now.tv_nsec;
}

enum class Asking : std::uint8_t { nobody, somebody, for_ever };
constinit std::atomic<Asking> asking{Asking::nobody};
constinit std::atomic<int> forks{0};  // that are under way
constexpr std::int64_t asking_ns_max = 100 * ns_per_ms;

// Who asks and who forks each say so first, and then look at the other.
bool begin_asking() noexcept {
  for (const std::int64_t until_ns = monotonic_ns() + asking_ns_max;; ::usleep(100)) {
    Asking found = Asking::nobody;
    if (asking.compare_exchange_strong(found, Asking::somebody, std::memory_order_seq_cst)) {
      if (forks.load(std::memory_order_seq_cst) == 0) return true;
      asking.store(Asking::nobody, std::memory_order_release);
    }
    if (found == Asking::for_ever) return false;
    if (monotonic_ns() < until_ns) continue;
    // Nobody waits for it a second time; should it come back, all goes on.
    if (found == Asking::somebody) asking.compare_exchange_strong(found, Asking::for_ever);
    return false;
  }
}

}  // namespace

std::int64_t monotonic_ns() noexcept { return read(CLOCK_MONOTONIC); }
std::int64_t wall_ns() noexcept { return read(CLOCK_REALTIME); }

std::optional<std::int32_t> local_utc_offset_s(std::int64_t unix_s) noexcept {
  if (!begin_asking()) return std::nullopt;
  const time_t time = static_cast<time_t>(unix_s);
  tm fields{};
  const bool known = localtime_r(&time, &fields) != nullptr;
  asking.store(Asking::nobody, std::memory_order_release);
  return known ? static_cast<std::int32_t>(fields.tm_gmtoff) : 0;
}

void hold_local_time(std::chrono::milliseconds wait) noexcept {
  forks.fetch_add(1, std::memory_order_seq_cst);
  const std::int64_t until_ns = monotonic_ns() + std::chrono::nanoseconds(wait).count();
  while (asking.load(std::memory_order_seq_cst) == Asking::somebody && monotonic_ns() < until_ns) ::usleep(100);
}

void release_local_time() noexcept { forks.fetch_sub(1, std::memory_order_release); }

void renew_local_time() noexcept {
  forks.store(0, std::memory_order_relaxed);
  Asking found = Asking::somebody;
  asking.compare_exchange_strong(found, Asking::for_ever, std::memory_order_relaxed);
}

}  // namespace dlog::os
