// How fast a bar moves, smoothed: a double exponentially weighted average over time, of which the last 15 s are nine tenths.
// Smoothed twice, so that neither a burst nor a rest makes the time left jump. Pure: times are arguments, monotonic.
#pragma once

#include <cstdint>

namespace dlog::render {

class Estimate {
 public:
  explicit Estimate(std::uint64_t value = 0, std::int64_t now_ns = 0) { begin(value, now_ns); }

  // Forgets what was; from here on.
  void begin(std::uint64_t value, std::int64_t now_ns) noexcept;
  // The value at a time. One that went back begins anew.
  void record(std::uint64_t value, std::int64_t now_ns) noexcept;
  // The time since the last value does not count.
  void skip_to(std::int64_t now_ns) noexcept;

  // Units a second as seen now: without news it goes down. 0: not known.
  double per_second(std::int64_t now_ns) const noexcept;

  static constexpr double window_s = 15;

 private:
  std::int64_t at_ns_ = 0;
  std::uint64_t value_ = 0;
  double unknown_ = 1;  // the weight of what was before the beginning
  double once_ = 0;     // smoothed once, and
  double twice_ = 0;    // twice: both still weighted as if all before the beginning had been nothing
};

}  // namespace dlog::render
