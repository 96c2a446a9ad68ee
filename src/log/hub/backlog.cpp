// The bound of the queue: see backlog.hpp.
#include "log/hub/backlog.hpp"

namespace dlog::hub {

bool Backlog::try_take(std::size_t bytes, std::size_t most) noexcept {
  const std::size_t before = waiting_.fetch_add(bytes, std::memory_order_seq_cst);
  if (before == 0 || before + bytes <= most) return true;
  waiting_.fetch_sub(bytes, std::memory_order_seq_cst);
  return false;
}

bool Backlog::wait_for_room(std::size_t bytes, std::size_t most) noexcept {
  if (!wait_ || stalled_.load(std::memory_order_relaxed)) return false;
  std::unique_lock lock(mutex_);
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  const bool taken =
      room_.wait_until(lock, std::chrono::steady_clock::now() + wait_limit_, [&] { return try_take(bytes, most); });
  sleepers_.fetch_sub(1, std::memory_order_seq_cst);
  if (!taken) stalled_.store(true, std::memory_order_relaxed);
  return taken;
}

void Backlog::release(std::size_t bytes) noexcept {
  const std::size_t left = waiting_.fetch_sub(bytes, std::memory_order_seq_cst) - bytes;
  stalled_.store(false, std::memory_order_relaxed);
  // Some room at once: a sleeper that is woken for each block would do nothing but fall asleep again.
  if (left > bytes_max_ / 4 * 3 || sleepers_.load(std::memory_order_seq_cst) == 0) return;
  const std::lock_guard lock(mutex_);  // a sleeper is inside wait(), or has not looked yet
  room_.notify_all();
}

}  // namespace dlog::hub
