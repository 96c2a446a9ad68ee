// Time stamps of records, which are ticks of a counter, as times of the clock on the wall, and back.
//
// Threads: the log thread. Right to some ten nanoseconds for what is younger than a second: the counter's pace is measured while it
// runs, and every refresh() is a new point to count from. Within a turn the order of times is the order of ticks.
#pragma once

#include <cstdint>

namespace dlog::hub {

class TickClock {
 public:
  TickClock();

  struct Now {
    std::uint64_t ticks;
    std::int64_t monotonic_ns;
    std::int64_t wall_ns;
  };
  // Looks at the clocks.
  Now refresh() noexcept;

  std::int64_t wall_ns(std::uint64_t ticks) const noexcept {
    return now_.wall_ns + static_cast<std::int64_t>(static_cast<double>(since_now(ticks)) * ns_per_tick_);
  }
  std::uint64_t ticks_at(std::int64_t wall_ns) const noexcept;
  std::uint64_t ticks_in(std::int64_t ns) const noexcept;

 private:
  std::int64_t since_now(std::uint64_t ticks) const noexcept { return static_cast<std::int64_t>(ticks - now_.ticks); }

  Now first_;
  Now now_;
  double ns_per_tick_ = 1;
};

}  // namespace dlog::hub
