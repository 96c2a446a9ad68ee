// Calls as a program makes them that is busy with something else: bursts of 20, pauses between them, so that nothing piles up.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "ticks.hpp"

namespace bench {

inline constexpr std::uint64_t calls_in_a_burst = 20;
inline constexpr int pause_us_min = 200;
inline constexpr int pause_us_max = 400;
// With no core to spare the pause must leave one to the logger's thread; it ends awake all the same, as a busy caller is.
inline constexpr std::chrono::microseconds awake_before_burst{50};

class Pause {
 public:
  // How many threads want a core at the same time, the logger's own among them?
  explicit Pause(std::uint64_t busy_threads) : sleep_(busy_threads > std::thread::hardware_concurrency()) {}

  void operator()() {
    const auto end = Steady::now() + std::chrono::microseconds(length_us_(random_));
    if (sleep_) std::this_thread::sleep_until(end - awake_before_burst);
    while (Steady::now() < end) {
    }
  }

 private:
  std::mt19937 random_{std::random_device{}()};
  std::uniform_int_distribution<int> length_us_{pause_us_min, pause_us_max};
  bool sleep_;
};

// Appends how many ticks each burst took. `call` is handed the number of the burst and of the call in it.
template <class Call>
void time_bursts(std::uint64_t bursts, Pause& pause, std::vector<std::uint64_t>& took, Call call) {
  for (std::uint64_t burst = 0; burst < bursts; ++burst) {
    pause();
    const std::uint64_t start = ticks();
    for (std::uint64_t i = 0; i < calls_in_a_burst; ++i) call(burst, i);
    took.push_back(ticks() - start);
  }
}

// The value that `part` (0 to 1) of the sorted values do not exceed.
template <class T>
T at(const std::vector<T>& sorted, double part) {
  if (sorted.empty()) return T{};
  const auto rank = static_cast<std::size_t>(std::ceil(static_cast<double>(sorted.size()) * part));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

// Nanoseconds a call, from the ticks of sorted bursts.
inline double call_ns_at(const std::vector<std::uint64_t>& sorted, double part, double ns_per_tick) {
  return static_cast<double>(at(sorted, part)) * ns_per_tick / static_cast<double>(calls_in_a_burst);
}

}  // namespace bench
