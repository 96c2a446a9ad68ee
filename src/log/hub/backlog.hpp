// The bound of the queue: how many bytes wait, who may add more, and what was given up.
//
// Threads: any. Who waits holds nothing, and may be interrupted for ever. A part of the room is a reserve for the records that matter most.
// A wait ends when room is made, or at the limit; after a wait that found none, calls drop at once until room is made, so that a
// console that takes nothing holds each caller once.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "log/hub/commands.hpp"

namespace dlog::hub {

class Backlog {
 public:
  Backlog(std::size_t bytes_max, bool wait, std::chrono::milliseconds wait_limit)
      : bytes_max_(bytes_max), wait_(wait), wait_limit_(std::min(wait_limit, wait_max)) {}

  // Takes room for `bytes`, if need be after waiting (where `may_wait`), and of the reserve where `reserve`. False: counted as
  // dropped. Something is always admitted when nothing waits. `full` is called to wake the log thread: at high water and before a
  // wait.
  template <class Full>
  bool admit(std::size_t bytes, bool reserve, bool may_wait, Full full) noexcept {
    const std::size_t most = reserve ? bytes_max_ : bytes_max_ - bytes_max_ / reserve_part;
    if (try_take(bytes, most)) {
      if (high()) full();
      return true;
    }
    full();
    if (may_wait && wait_for_room(bytes, most)) return true;
    drop();
    return false;
  }
  void release(std::size_t bytes) noexcept;
  // A record that is given up: there was no room for it, or no memory.
  void drop() noexcept { dropped_.fetch_add(1, std::memory_order_relaxed); }
  void drop_for_memory(std::uint64_t records = 1) noexcept {
    dropped_for_memory_.fetch_add(records, std::memory_order_relaxed);
  }

  static constexpr std::size_t reserve_part = 8;  // of the whole: an eighth

  // More than half of it is taken.
  bool high() const noexcept { return waiting() > bytes_max_ / 2; }
  std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_seq_cst); }
  std::uint64_t dropped_for_room() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  std::uint64_t dropped_for_memory() const noexcept { return dropped_for_memory_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const noexcept { return dropped_for_room() + dropped_for_memory(); }

 private:
  bool try_take(std::size_t bytes, std::size_t most) noexcept;
  bool wait_for_room(std::size_t bytes, std::size_t most) noexcept;

  const std::size_t bytes_max_;
  const bool wait_;
  const std::chrono::milliseconds wait_limit_;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> dropped_for_memory_{0};
  std::atomic<bool> stalled_{false};
  std::atomic<int> sleepers_{0};
  std::atomic<std::uint32_t> turn_{0};  // counts on when there is room for sleepers
};

}  // namespace dlog::hub
