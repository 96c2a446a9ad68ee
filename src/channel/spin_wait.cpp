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
    late_ = std::max(late_ - 1, 0);
    good_ = std::min(good_ + 1, good_least);
    return;
  }
  if (++late_ < late_most && ns < spin_ns_) return;
  wanted_ = good_ == good_least ? quick_least : std::min(2 * wanted_, quick_most);
  quick_ = late_ = good_ = 0;
}

os::EventLoop::Ready SpinWait::wait(os::EventLoop& loop) noexcept {
  const bool awaits = awaits_.load(std::memory_order_relaxed);
  const bool spins = awaits && policy_.spins();
  const std::int64_t start = os::monotonic_ns();
  os::EventLoop::Ready ready;
  if (spins) {
    do {
      ready = loop.wait(false);
    } while (!ready.any() && os::monotonic_ns() - start < policy_.spin_ns());
  }
  if (!ready.any()) ready = loop.wait(true);
  const std::int64_t waited_ns = os::monotonic_ns() - start;
  if (ready.readable) {
    if (awaits) policy_.waited(waited_ns);
    awaits_.store(false, std::memory_order_relaxed);  // to what was sent meanwhile, too
  } else if (spins) {
    policy_.waited(std::max(waited_ns, policy_.late_ns()));  // a bell, a time: nothing to spin for
  }
  return ready;
}

}  // namespace dlog::channel
