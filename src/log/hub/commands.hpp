// What callers ask of the log thread and wait for: each is carried out after everything that was logged before it.
//
// Threads: request() and wait() any; the rest the log thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace dlog::hub {

// A year: longer waits would overflow the clock.
inline constexpr std::chrono::milliseconds wait_max = std::chrono::hours{24 * 365};

enum class Command : std::uint8_t { flush, tidy, leave, suspend, resume };

class Commands {
 public:
  using Ticket = std::uint64_t;

  Ticket request(Command command);
  // False: not carried out within the deadline.
  bool wait(Ticket ticket, std::chrono::milliseconds deadline);

  // Sequentially consistent with the log thread's going to sleep.
  bool any() const noexcept { return waiting_.load(std::memory_order_seq_cst) != 0; }
  // All that wait now; done() says that they were carried out.
  std::vector<Command> take();
  void done();

 private:
  std::mutex mutex_;
  std::condition_variable carried_out_;
  std::vector<Command> commands_;
  std::atomic<std::uint32_t> waiting_{0};
  Ticket last_requested_ = 0;
  Ticket taken_ = 0;
  Ticket done_ = 0;
};

}  // namespace dlog::hub
