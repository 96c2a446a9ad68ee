// Spin-then-sleep: see spin_wait.hpp.
#include "channel/spin_wait.hpp"

#include "os/clock.hpp"

namespace dlog::channel {

void SpinPolicy::waited(std::int64_t ns) noexcept {
  if (!spins()) {
    quick_ = ns < slow_ns() ? quick_ + 1 : std::max(quick_ - quick_least, 0);
    return;
  }
  if (ns < late_ns()) {
    late_ = 0;
    if (in_time_ < trusted_after && ++in_time_ == trusted_after) wanted_ = quick_least;
    return;
  }
  in_time_ = 0;
  if (++late_ < late_most && ns < spin_ns_) return;
  late_ = quick_ = 0;
  wanted_ = std::min(2 * wanted_, quick_most);
}

os::EventLoop::Ready SpinWait::wait(os::EventLoop& loop, bool for_answer) noexcept {
  if (!for_answer) return loop.wait(true);
  const std::int64_t start = os::monotonic_ns();
  os::EventLoop::Ready ready;
  if (policy_.spins()) {
    do {
      ready = loop.wait(false);
    } while (!ready.any() && os::monotonic_ns() - start < policy_.spin_ns());
  }
  if (!ready.any()) ready = loop.wait(true);
  policy_.waited(os::monotonic_ns() - start);
  return ready;
}

}  // namespace dlog::channel
