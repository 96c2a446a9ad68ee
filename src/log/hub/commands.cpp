// What callers ask of the log thread: see commands.hpp.
#include "log/hub/commands.hpp"

#include <algorithm>
#include <utility>

namespace dlog::hub {

Commands::Ticket Commands::request(Command command) {
  const std::lock_guard lock(mutex_);
  commands_.push_back(command);
  waiting_.fetch_add(1, std::memory_order_seq_cst);
  return ++last_requested_;
}

bool Commands::wait(Ticket ticket, std::chrono::milliseconds deadline) {
  std::unique_lock lock(mutex_);
  return carried_out_.wait_until(lock, std::chrono::steady_clock::now() + std::min(deadline, wait_max),
                                 [&] { return done_ >= ticket; });
}

std::vector<Command> Commands::take() {
  const std::lock_guard lock(mutex_);
  waiting_.store(0, std::memory_order_seq_cst);
  taken_ = last_requested_;
  return std::exchange(commands_, {});
}

void Commands::done() {
  const std::lock_guard lock(mutex_);
  done_ = taken_;
  carried_out_.notify_all();
}

}  // namespace dlog::hub
