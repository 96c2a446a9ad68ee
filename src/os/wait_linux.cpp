// Waiting for a number to change, by futex(2): see wait.hpp.
#include "os/wait.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "base/civil_time.hpp"

namespace dlog::os {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t) &&
              std::atomic<std::uint32_t>::is_always_lock_free);

void wait_while(const std::atomic<std::uint32_t>& word, std::uint32_t seen, std::int64_t timeout_ns) noexcept {
  const std::int64_t left_ns = std::max<std::int64_t>(timeout_ns, 0);
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(left_ns / ns_per_second);
  timeout.tv_nsec = static_cast<long>(left_ns % ns_per_second);
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, &timeout, nullptr, 0);
}

void wake_all(const std::atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, std::numeric_limits<int>::max(), nullptr, nullptr, 0);
}

}  // namespace dlog::os
