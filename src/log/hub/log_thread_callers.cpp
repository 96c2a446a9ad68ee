// What callers do with the log thread: queue, wake, wait. See log_thread.hpp.
#include <chrono>
#include <cstring>
#include <exception>
#include <mutex>

#include "log/hub/log_thread.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "os/thread.hpp"

namespace dlog::hub {

constinit thread_local bool LogThread::in_step_ = false;

Item* LogThread::open(Item::Kind kind, Level level, std::size_t payload_bytes) noexcept {
  enqueued_.fetch_add(1, std::memory_order_relaxed);
  const std::size_t cost = sizeof(Item) + payload_bytes;
  // The log thread itself must not wait for itself.
  const bool may_wait = !in_step_ && has_thread_.load(std::memory_order_relaxed);
  if (!backlog_.admit(cost, may_wait, [this] { wake(); })) return nullptr;
  Item* item = Item::make(kind, payload_bytes);
  if (item == nullptr) {
    backlog_.release(cost);
    backlog_.drop();
    return nullptr;
  }
  item->level = level;
  item->thread = os::thread_id();
  return item;
}

void LogThread::submit(Item* item) noexcept {
  const Level level = item->level;
  const std::size_t cost = item->cost();
  item->stamp_ns = os::monotonic_ns();
  if (!queue_.push(item)) {
    Item::destroy(item);
    backlog_.release(cost);
    backlog_.drop();
    return;
  }
  if (in_step_) {  // the next step takes it, where there is one
    if (left_from_within_) leave_from_within();
    return;
  }
  if (!has_thread_.load(std::memory_order_acquire)) return step_in_caller();
  wake_for(level);
  if (write_through_.load(std::memory_order_relaxed) && !run(Command::flush, std::chrono::seconds{2})) {
    write_through_.store(false, std::memory_order_relaxed);  // the console is stuck: no second wait
  }
}

void LogThread::submit_bar(std::unique_ptr<BarChange> change) noexcept {
  Item* item = Item::make(Item::Kind::bar, 0);
  if (item == nullptr) return;
  backlog_.take(item->cost());
  item->bar = change.release();
  submit(item);
}

void LogThread::submit_notice(Level level, std::string_view text) noexcept {
  Item* item = Item::make(Item::Kind::text, text.size());
  if (item == nullptr) return;
  backlog_.take(item->cost());
  item->level = level;
  item->notice = true;
  std::memcpy(item->payload(), text.data(), text.size());
  submit(item);
}

bool LogThread::run(Command command, std::chrono::milliseconds deadline) noexcept {
  return ask(command, [&](Commands::Ticket ticket) { return commands_.wait(ticket, deadline); });
}

bool LogThread::run_while_moving(Command command, std::chrono::milliseconds stall) noexcept {
  return ask(command, [&](Commands::Ticket ticket) {
    for (std::uint64_t before = delivery_.movement();;) {
      if (commands_.wait(ticket, stall)) return true;
      const std::uint64_t now = delivery_.movement();
      if (now == before) return false;
      before = now;
    }
  });
}

template <class Wait>
bool LogThread::ask(Command command, Wait wait) noexcept {
  if (in_step_) return false;
  try {
    const Commands::Ticket ticket = commands_.request(command);
    if (!has_thread_.load(std::memory_order_acquire)) {
      step_in_caller();
      return commands_.wait(ticket, std::chrono::milliseconds{0});
    }
    wake();
    return wait(ticket);
  } catch (const std::exception&) {  // no memory for the request
    return false;
  }
}

std::uint64_t LogThread::undecided() const noexcept {
  const Stats now = stats();
  const std::uint64_t decided = delivery_.own_records() + now.dropped;
  return now.enqueued > decided ? now.enqueued - decided : 0;
}

bool LogThread::is_here() noexcept { return in_step_; }

void LogThread::wake() noexcept {
  if (sleep_.exchange(Sleep::awake, std::memory_order_seq_cst) != Sleep::awake && poller_) poller_->wake();
}

void LogThread::wake_for(Level level) noexcept {
  const Sleep sleep = sleep_.load(std::memory_order_seq_cst);
  if (sleep == Sleep::parked || (sleep == Sleep::napping && level >= config_.flush_on)) wake();
}

void LogThread::step_in_caller() noexcept {
  const std::lock_guard lock(caller_steps_);
  const os::SigpipeBlocked no_sigpipe;
  in_step_ = true;
  try {
    step(0);
  } catch (const std::exception&) {
    backlog_.drop();  // no memory for the batch; what was drained is still there for the next step
  }
  in_step_ = false;
}

Stats LogThread::stats() const noexcept {
  return {enqueued_.load(std::memory_order_relaxed),
          shown_.load(std::memory_order_relaxed),
          backlog_.dropped(),
          undeliverable_.load(std::memory_order_relaxed),
          children_.load(std::memory_order_relaxed),
          refused_.load(std::memory_order_relaxed)};
}

void LogThread::abandon() noexcept {
  if (poller_) poller_->abandon();
  if (connections_) connections_->abandon();
  Queue::forget_thread();
  in_step_ = false;
}

void LogThread::flush_in_handler(bool dies) noexcept {
  if (in_step_ || !has_thread_.load(std::memory_order_acquire)) return;
  handler_dies_.store(dies, std::memory_order_relaxed);
  const std::uint32_t asked = handler_asks_.fetch_add(1, std::memory_order_seq_cst) + 1;
  wake();
  for (int waited_ms = 0; waited_ms < 2000; ++waited_ms) {
    if (handler_answered_.load(std::memory_order_acquire) >= asked) return;
    os::sleep_in_handler_ms(1);
  }
}

}  // namespace dlog::hub
