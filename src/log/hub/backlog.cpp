// The bound of the queue: see backlog.hpp.
#include "log/hub/backlog.hpp"

#include "os/wait.hpp"

namespace dlog::hub {

bool Backlog::try_take(std::size_t bytes, std::size_t most) noexcept {
  const std::size_t before = waiting_.fetch_add(bytes, std::memory_order_seq_cst);
  if (before == 0 || before + bytes <= most) return true;
  waiting_.fetch_sub(bytes, std::memory_order_seq_cst);
  return false;
}

bool Backlog::wait_for_room(std::size_t bytes, std::size_t most) noexcept {
  if (!wait_ || stalled_.load(std::memory_order_relaxed)) return false;
  const auto until = std::chrono::steady_clock::now() + wait_limit_;
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  bool taken = false;
  for (;;) {
    const std::uint32_t turn = turn_.load(std::memory_order_seq_cst);
    taken = try_take(bytes, most);
    const std::chrono::nanoseconds left = until - std::chrono::steady_clock::now();
    if (taken || left.count() <= 0) break;
    os::wait_while(turn_, turn, left.count());
  }
  sleepers_.fetch_sub(1, std::memory_order_seq_cst);
  if (!taken) stalled_.store(true, std::memory_order_relaxed);
  return taken;
}

void Backlog::release(std::size_t bytes) noexcept {
  const std::size_t left = waiting_.fetch_sub(bytes, std::memory_order_seq_cst) - bytes;
  stalled_.store(false, std::memory_order_relaxed);
  // Some room at once: a sleeper that is woken for each block would do nothing but fall asleep again.
  if (left > bytes_max_ / 4 * 3 || sleepers_.load(std::memory_order_seq_cst) == 0) return;
  turn_.fetch_add(1, std::memory_order_seq_cst);
  os::wake_all(turn_);
}

}  // namespace dlog::hub
