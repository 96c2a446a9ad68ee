// Time stamps as times: see tick_clock.hpp.
#include "log/hub/tick_clock.hpp"

#include <algorithm>

#include "dlog/emit.hpp"
#include "os/clock.hpp"

namespace dlog::hub {
namespace {

TickClock::Now look() noexcept { return {capture::ticks(), os::monotonic_ns(), os::wall_ns()}; }

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
