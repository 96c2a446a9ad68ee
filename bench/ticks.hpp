// Time as the benchmarks take it: ticks, cheap enough to stand around twenty calls, and what one of them is in nanoseconds.
#pragma once

#include <chrono>
#include <cstdint>

namespace bench {

using Steady = std::chrono::steady_clock;

inline std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Steady::now().time_since_epoch()).count();
}

inline std::uint64_t ticks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return static_cast<std::uint64_t>(steady_ns());
#endif
}

// Compares the two clocks for 20 ms.
inline double measure_ns_per_tick() {
  const std::int64_t start_ns = steady_ns();
  const std::uint64_t start = ticks();
  while (steady_ns() - start_ns < 20'000'000) {
  }
  const std::int64_t end_ns = steady_ns();
  return static_cast<double>(end_ns - start_ns) / static_cast<double>(ticks() - start);
}

}  // namespace bench
