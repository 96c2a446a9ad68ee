// Spin-then-sleep: where the other side answers at once, waking a sleeper takes longer than the answer, so the waiting thread looks for it
// for a moment before it sleeps. It does so only while what comes does come that fast: after a wait in vain it sleeps at once, until it has
// been woken quickly several times in a row; each further one doubles how often, as where both sides have one core between them.
//
// One thread at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "os/event_loop.hpp"

namespace dlog::channel {

// When to spin; pure.
class SpinPolicy {
 public:
  static constexpr int quick_least = 8;  // so many quick sleeps at first
  static constexpr int quick_most = 1024;
  static constexpr int trusted_after = 64;  // so many spins in time in a row, and what was in vain before is forgotten

  static constexpr std::chrono::microseconds spin_most = std::chrono::minutes(1);

  explicit SpinPolicy(std::chrono::microseconds spin) noexcept
      : spin_ns_(std::chrono::nanoseconds(std::clamp(spin, std::chrono::microseconds(0), spin_most)).count()) {}

  std::int64_t spin_ns() const noexcept { return spin_ns_; }
  bool spins() const noexcept { return quick_ >= wanted_; }
  // How long there was nothing. A sleeper is woken late, so it may take twice as long as a spin.
  void slept(std::int64_t ns) noexcept { quick_ = ns < 2 * spin_ns_ ? quick_ + 1 : std::max(quick_ - quick_least, 0); }
  void spun(bool in_time) noexcept {
    if (in_time) {
      if (in_time_ < trusted_after && ++in_time_ == trusted_after) wanted_ = quick_least;
      return;
    }
    in_time_ = quick_ = 0;
    wanted_ = std::min(2 * wanted_, quick_most);
  }

 private:
  std::int64_t spin_ns_;
  int quick_ = 0;  // quick sleeps; a long one takes some of them back
  int wanted_ = quick_least;
  int in_time_ = 0;  // spins in a row
};

class SpinWait {
 public:
  explicit SpinWait(std::chrono::microseconds spin) noexcept : policy_(spin) {}
  // As loop.wait(true).
  os::EventLoop::Ready wait(os::EventLoop& loop) noexcept;

 private:
  SpinPolicy policy_;
};

}  // namespace dlog::channel
