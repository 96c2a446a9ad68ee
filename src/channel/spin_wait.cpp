// Spin-then-sleep: see spin_wait.hpp.
#include "channel/spin_wait.hpp"

#include "os/clock.hpp"

namespace dlog::channel {

os::EventLoop::Ready SpinWait::wait(os::EventLoop& loop) noexcept {
  const std::int64_t start = os::monotonic_ns();
  if (policy_.spins()) {
    for (bool in_time = true; in_time;) {
      const os::EventLoop::Ready ready = loop.wait(false);
      in_time = os::monotonic_ns() - start < policy_.spin_ns();
      if (!ready.any()) continue;
      policy_.spun(in_time);
      return ready;
    }
    policy_.spun(false);
    return loop.wait(true);
  }
  const os::EventLoop::Ready ready = loop.wait(true);
  policy_.slept(os::monotonic_ns() - start);
  return ready;
}

}  // namespace dlog::channel
