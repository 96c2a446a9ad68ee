// Time stamps as times: see tick_clock.hpp.
#include "log/hub/tick_clock.hpp"

#include <algorithm>

#include "dlog/emit.hpp"
#include "os/clock.hpp"

namespace dlog::hub {
namespace {

// All clocks at one moment: where this thread was held up between them, once more.
TickClock::Now look() noexcept {
  constexpr int looks_max = 4;
  constexpr std::int64_t one_moment_ns = 5'000;
  TickClock::Now now{};
  for (int i = 0; i < looks_max; ++i) {
    const std::int64_t before_ns = os::monotonic_ns();
    now = {capture::ticks(), 0, os::wall_ns()};
    now.monotonic_ns = os::monotonic_ns();
    if (now.monotonic_ns - before_ns < one_moment_ns) break;
  }
  return now;
}

}  // namespace

TickClock::TickClock() : first_(look()), now_(first_) {}

TickClock::Now TickClock::refresh() noexcept {
  now_ = look();
  const auto ticks = static_cast<std::int64_t>(now_.ticks - first_.ticks);
  const std::int64_t ns = now_.monotonic_ns - first_.monotonic_ns;
  if (ticks > 0 && ns > 0) ns_per_tick_ = static_cast<double>(ns) / static_cast<double>(ticks);
  return now_;
}

std::uint64_t TickClock::ticks_at(std::int64_t wall_ns) const noexcept {
  const double ticks = static_cast<double>(wall_ns - now_.wall_ns) / ns_per_tick_;
  return now_.ticks + static_cast<std::uint64_t>(static_cast<std::int64_t>(ticks));
}

std::uint64_t TickClock::ticks_in(std::int64_t ns) const noexcept {
  return static_cast<std::uint64_t>(static_cast<double>(std::max<std::int64_t>(ns, 0)) / ns_per_tick_);
}

}  // namespace dlog::hub
