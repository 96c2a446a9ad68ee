// What callers do with the log thread: queue, wake, wait. See log_thread.hpp.
#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>

#include "base/civil_time.hpp"
#include "dlog/emit.hpp"
#include "log/hub/log_thread.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "os/thread.hpp"

namespace dlog::hub {
namespace {

constexpr std::chrono::milliseconds next_step{1};  // where there is no log thread, and something waits for a sink

// A signal handler waits as long as something moves, but not for ever.
constexpr std::int64_t handler_ns_max = 5'000 * ns_per_ms;
constexpr std::int64_t handler_stall_ns_max = 2'000 * ns_per_ms;

}  // namespace

constinit thread_local bool LogThread::in_step_ = false;

[[gnu::hot]] char* LogThread::place(std::size_t bytes, Level level) noexcept {
  // The log thread itself must not wait for itself.
  const bool may_wait = !in_step_ && has_thread_.load(std::memory_order_relaxed);
  return lanes_.place(bytes, level >= Level::warn, may_wait, [this] { wake_for_room(); });
}

void LogThread::ring() noexcept {
  if (in_step_) {  // the next step takes it, where there is one
    if (left_from_within_) leave_from_within();
    return;
  }
  if (!has_thread_.load(std::memory_order_acquire)) return step_in_caller();
  wake();
  if (write_through_.load(std::memory_order_relaxed) && !run(Command::flush, std::chrono::seconds{2})) {
    write_through_.store(false, std::memory_order_relaxed);  // the console is stuck: no second wait
  }
}

void LogThread::submit(ItemOwner item) noexcept {
  item->ticks = capture::ticks();
  if (!lanes_.push(item.get())) return;
  static_cast<void>(item.release());  // the log thread owns it
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (doorbell_.load_relaxed() == 0) ring();
}

void LogThread::submit_bar(std::unique_ptr<BarChange> change) noexcept { submit(ItemOwner(change.release())); }

void LogThread::submit_notice(Level level, std::string_view text) noexcept {
  try {
    auto notice = std::make_unique<NoticeItem>();
    notice->level = level;
    notice->text = text;
    submit(ItemOwner(notice.release()));
  } catch (const std::exception&) {
    // No memory to say it.
  }
}

bool LogThread::run(Command command, std::chrono::milliseconds deadline) noexcept {
  return ask(command, [&](Commands::Ticket ticket) { return await(ticket, deadline); });
}

bool LogThread::run_while_moving(Command command, std::chrono::milliseconds stall) noexcept {
  return ask(command, [&](Commands::Ticket ticket) {
    for (std::uint64_t before = delivery_.movement();;) {
      if (await(ticket, stall)) return true;
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
    if (has_thread_.load(std::memory_order_acquire)) wake();
    return wait(ticket);
  } catch (const std::exception&) {  // no memory for the request
    return false;
  }
}

// Where there is no log thread its steps are taken meanwhile.
bool LogThread::await(Commands::Ticket ticket, std::chrono::milliseconds deadline) {
  if (has_thread_.load(std::memory_order_acquire)) return commands_.wait(ticket, deadline);
  const auto until = std::chrono::steady_clock::now() + std::min(deadline, wait_max);
  for (;;) {
    step_in_caller();
    if (commands_.wait(ticket, std::chrono::milliseconds{0})) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
    commands_.wait(ticket, next_step);
  }
}

std::uint64_t LogThread::undecided() const noexcept {
  const Stats now = stats();
  const std::uint64_t decided = delivery_.own_records() + now.dropped;
  return now.enqueued > decided ? now.enqueued - decided : 0;
}

bool LogThread::is_here() noexcept { return in_step_; }

void LogThread::wake() noexcept {
  const bool always = write_through_.load(std::memory_order_relaxed);
  const std::uint8_t before = doorbell_.exchange(always ? 0 : UINT8_MAX);
  if ((always || before != UINT8_MAX) && poller_) poller_->wake();
}

// While it works it makes room anyway. Who took room before it looked whether to sleep is seen there, who took it later sees it
// sleep: both are sequentially consistent.
void LogThread::wake_for_room() noexcept {
  if (naps_.load(std::memory_order_seq_cst) && naps_.exchange(false, std::memory_order_seq_cst)) wake();
}

void LogThread::step_in_caller() noexcept {
  const std::lock_guard lock(caller_steps_);
  const os::SigpipeBlocked no_sigpipe;
  in_step_ = true;
  try {
    step(0);
  } catch (const std::exception&) {
    lanes_.drop();  // no memory for the batch; what was drained is still there for the next step
  }
  in_step_ = false;
}

void LogThread::write_through() noexcept {
  write_through_.store(true, std::memory_order_relaxed);
  doorbell_.store_seq_cst(all_ring);
}

Stats LogThread::stats() const noexcept {
  Stats stats{};
  stats.shown = shown_.load(std::memory_order_relaxed);
  stats.undeliverable = undeliverable_.load(std::memory_order_relaxed);
  stats.dropped = lanes_.backlog().dropped();
  stats.enqueued = lanes_.written() + stats.dropped;
  stats.children = children_.load(std::memory_order_relaxed);
  stats.refused = refused_.load(std::memory_order_relaxed);
  return stats;
}

void LogThread::abandon() noexcept {
  if (poller_) poller_->abandon();
  if (connections_) connections_->abandon();
  delivery_.abandon();
  Lanes::forget_thread();
  in_step_ = false;
}

void LogThread::ask_in_handler(Command command) noexcept {
  if (in_step_ || !has_thread_.load(std::memory_order_acquire)) return;
  handler_command_.store(command, std::memory_order_relaxed);
  const std::uint32_t asked = handler_asks_.fetch_add(1, std::memory_order_seq_cst) + 1;
  wake();
  std::uint64_t seen = delivery_.movement();
  const std::int64_t begun_ns = os::monotonic_ns();
  for (std::int64_t moved_ns = begun_ns, now_ns = begun_ns;
       now_ns - begun_ns < handler_ns_max && now_ns - moved_ns < handler_stall_ns_max; now_ns = os::monotonic_ns()) {
    if (handler_answered_.load(std::memory_order_acquire) >= asked) return;
    os::sleep_in_handler_ms(1);
    const std::uint64_t now = delivery_.movement();
    if (now != seen) moved_ns = now_ns;
    seen = now;
  }
}

}  // namespace dlog::hub
