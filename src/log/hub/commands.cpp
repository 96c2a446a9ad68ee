// What callers ask of the log thread: see commands.hpp.
#include "log/hub/commands.hpp"

#include <algorithm>
#include <utility>

#include "os/wait.hpp"

namespace dlog::hub {

Commands::Ticket Commands::request(Command command) {
  const std::lock_guard lock(mutex_);
  awaited_.push_back(last_requested_ + 1);
  // One more of the kind behind another says nothing new: so those who ask without memory find room, for the last is mostly such a one.
  const bool again = !commands_.empty() && commands_.back() == command;
  if (!again || command == Command::suspend || command == Command::resume) commands_.push_back(command);
  waiting_.fetch_add(1, std::memory_order_seq_cst);
  return ++last_requested_;
}

bool Commands::wait(Ticket ticket, std::chrono::milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + std::clamp(deadline, std::chrono::milliseconds{0}, wait_max);
  for (;;) {
    const std::uint32_t turn = turn_.load(std::memory_order_acquire);
    if (done_.load(std::memory_order_acquire) >= ticket) return true;
    const std::chrono::nanoseconds left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) return false;
    os::wait_while(turn_, turn, left.count());
  }
}

void Commands::leave(Ticket ticket) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase(awaited_, ticket);
}

bool Commands::superseded() noexcept {
  const std::lock_guard lock(mutex_);
  return std::find(commands_.begin(), commands_.end(), Command::leave) != commands_.end() &&
         std::none_of(awaited_.begin(), awaited_.end(), [this](Ticket ticket) { return ticket <= taken_; });
}

void Commands::take(std::vector<Command>& out) {
  const std::lock_guard lock(mutex_);
  waiting_.store(0, std::memory_order_seq_cst);
  taken_ = last_requested_;
  out.clear();
  out.swap(commands_);
}

void Commands::done() {
  {
    const std::lock_guard lock(mutex_);
    done_.store(taken_, std::memory_order_release);
  }
  turn_.fetch_add(1, std::memory_order_release);
  os::wake_all(turn_);
}

}  // namespace dlog::hub
