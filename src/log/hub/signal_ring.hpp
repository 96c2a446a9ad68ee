// What signal handlers say, on its way to the log thread: constant texts, by their addresses, in a ring without locks that takes no
// memory.
//
// Threads: put() any, in signal handlers as well, also in one that interrupted put(); take() the log thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dlog/level.hpp"

namespace dlog::hub {

inline constexpr std::size_t signal_texts_max = 256;  // that wait

struct SignalText {
  Level level = Level::info;
  std::string_view text{};
  const void* spot = nullptr;  // see capture::Spot
  std::uint64_t ticks = 0;
  std::uint64_t thread = 0;
};

class SignalRing {
 public:
  // False: it is full.
  bool put(const SignalText& text) noexcept;
  bool take(SignalText& text) noexcept;
  bool empty() const noexcept;  // of what can be taken
  // How many were put.
  std::uint64_t put_count() const noexcept { return next_.load(std::memory_order_relaxed); }

 private:
  // In its n-th round a slot is free at 2n and filled at 2n + 1.
  struct Slot {
    std::atomic<std::uint64_t> state{0};
    SignalText text{};
  };
  static std::uint64_t free_state(std::uint64_t place) noexcept { return place / signal_texts_max * 2; }

  std::array<Slot, signal_texts_max> slots_{};
  std::atomic<std::uint64_t> next_{0};
  std::uint64_t taken_ = 0;
};

}  // namespace dlog::hub
