// Spin-then-sleep: where the other side answers at once, waking a sleeper takes longer than the answer, so a thread that waits for one looks
// for it for a moment before it sleeps. It keeps to that only while answers come so fast that the looking costs little more than to be put
// to sleep and woken; else it sleeps, and tries again after a number of quick waits, twice as many each time that was for nothing.
//
// wait(): one thread at a time; sent(): any.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "os/event_loop.hpp"

namespace dlog::channel {

// When to spin; pure.
class SpinPolicy {
 public:
  static constexpr int quick_least = 8;  // so many quick sleeps at first
  static constexpr int quick_most = 1024;
  static constexpr int late_most = 4;  // late ones beyond those in time; not one: the other side may just begin to spin
  static constexpr int good_least = 8;  // so many in time, and the spinning was worth it
  static constexpr std::chrono::microseconds spin_most = std::chrono::minutes(1);

  explicit SpinPolicy(std::chrono::microseconds spin) noexcept
      : spin_ns_(std::chrono::nanoseconds(std::clamp(spin, std::chrono::microseconds(0), spin_most)).count()) {}

  bool spins() const noexcept { return quick_ >= wanted_; }
  // With nothing until then it sleeps.
  std::int64_t spin_ns() const noexcept { return spin_ns_; }
  // What comes later was not worth it.
  std::int64_t late_ns() const noexcept { return spin_ns_ / 2; }
  // What a sleeper finds earlier might have been found by a spin: he is woken late.
  std::int64_t slow_ns() const noexcept { return 2 * spin_ns_; }

  // After each wait for an answer: how long there was none.
  void waited(std::int64_t ns) noexcept;

 private:
  std::int64_t spin_ns_;
  int quick_ = 0;  // quick sleeps; a slow one takes some of them back
  int wanted_ = quick_least;
  int late_ = 0;  // spins that were late beyond those in time
  int good_ = 0;  // spins in time
};

class SpinWait {
 public:
  explicit SpinWait(std::chrono::microseconds spin) noexcept : policy_(spin) {}
  // Something was sent: the next wait is for an answer. A stream in one direction is not worth a spin.
  void sent() noexcept { awaits_.store(true, std::memory_order_relaxed); }
  // As loop.wait(true). What is readable is taken for the answer.
  os::EventLoop::Ready wait(os::EventLoop& loop) noexcept;
  bool spins() const noexcept { return policy_.spins(); }

 private:
  SpinPolicy policy_;
  std::atomic<bool> awaits_{false};
};

}  // namespace dlog::channel
