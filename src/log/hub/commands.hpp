// What callers ask of the log thread and wait for: each is carried out after everything that was logged before it.
//
// Threads: request(), wait() and leave() any; the rest the log thread. Who waits holds no lock: a signal handler that interrupts the
// wait may exit, which asks and waits itself.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
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
  // Who asks for want of memory must not need any.
  static constexpr std::size_t kept_max = 64;

  Commands() {
    commands_.reserve(kept_max);
    awaited_.reserve(kept_max);
  }
  Ticket request(Command command);
  // False: not carried out within the deadline.
  bool wait(Ticket ticket, std::chrono::milliseconds deadline);
  // Whoever asked waits no more, and does not care what becomes of it.
  void leave(Ticket ticket) noexcept;

  // Sequentially consistent with the log thread's going to sleep.
  bool any() const noexcept { return waiting_.load(std::memory_order_seq_cst) != 0; }
  // All that wait now, in exchange for the memory of the last ones; done() says that they were carried out.
  void take(std::vector<Command>& out);
  void done();
  // The process is asked to leave, and nobody waits any more for those that were taken.
  bool superseded() noexcept;

 private:
  std::mutex mutex_;
  std::vector<Command> commands_;
  std::vector<Ticket> awaited_;
  std::atomic<std::uint32_t> waiting_{0};
  Ticket last_requested_ = 0;
  Ticket taken_ = 0;
  std::atomic<Ticket> done_{0};
  std::atomic<std::uint32_t> turn_{0};  // counts on when done_ does
};

}  // namespace dlog::hub
