// What callers do with the log thread: queue, wake, wait. See log_thread.hpp.
#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <utility>

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

constexpr std::chrono::milliseconds look_every{100};  // whether something moved

// A signal handler waits as long as something moves, but not for ever.
constexpr std::int64_t handler_ns_max = 5'000 * ns_per_ms;
constexpr std::int64_t handler_stall_ns_max = 2'000 * ns_per_ms;

int urgency(Command command) {
  switch (command) {
    case Command::flush: break;
    case Command::tidy: return 1;
    case Command::suspend:
    case Command::resume: return 2;
    case Command::leave: return 3;
  }
  return 0;
}

}  // namespace

constinit thread_local const LogThread* LogThread::stepping_ = nullptr;

[[gnu::hot]] char* LogThread::place(std::size_t bytes, Level level) noexcept {
  return lanes_.place(bytes, level >= Level::warn, may_wait(), [this] { wake_for_room(); });
}

void LogThread::ring() noexcept {
  if (is_here()) {  // the next step takes it, where there is one
    if (left_from_within_) leave_from_within();
    return;
  }
  if (!has_thread_.load(std::memory_order_acquire)) return step_in_caller();
  wake();
  if (write_through_.load(std::memory_order_relaxed) && !run(Command::flush, std::chrono::seconds{2})) {
    write_through_.store(false, std::memory_order_relaxed);  // the console is stuck: no second wait
  }
}

bool LogThread::submit(ItemOwner item) noexcept {
  item->ticks = capture::ticks();
  if (!lanes_.push(item.get())) {
    if (item->admitted != 0) lanes_.release(item->admitted);
    return false;
  }
  static_cast<void>(item.release());  // the log thread owns it
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (doorbell_.load_relaxed() == 0) ring();
  return true;
}

bool LogThread::submit_bar(std::unique_ptr<BarChange> change) noexcept {
  // Its end needs no room of its own: there are no more of them than bars that live.
  if (change->state != BarState::running) return submit(ItemOwner(change.release()));
  const std::size_t bytes = sizeof(BarChange) + sizeof(BarCell) + change->cell->description.size() +
                            change->texts.message.size() + change->texts.bar_template.size();
  if (admit(*change, bytes)) return submit(ItemOwner(change.release()));
  change->cell->refused.store(true, std::memory_order_relaxed);
  return false;
}

bool LogThread::admit(Item& item, std::size_t bytes) noexcept {
  if (!lanes_.admit(bytes, may_wait(), [this] { wake_for_room(); })) return false;
  item.admitted = bytes;
  return true;
}

void LogThread::submit_notice(Level level, std::string_view text) noexcept {
  try {
    auto notice = std::make_unique<NoticeItem>();
    notice->level = level;
    notice->text = text;
    if (admit(*notice, sizeof(NoticeItem) + text.size())) submit(ItemOwner(notice.release()));
  } catch (const std::exception&) {
    // No memory to say it.
  }
}

void LogThread::say_in_handler(Level level, std::string_view text, const void* spot) noexcept {
  if (!signals_.put({level, text, spot, capture::ticks(), os::thread_id_in_handler()})) lanes_.drop_for_room();
  if (has_thread_.load(std::memory_order_acquire)) wake(false);
  if (write_through_.load(std::memory_order_relaxed)) ask_in_handler(Command::flush);
}

bool LogThread::run(Command command, std::chrono::milliseconds deadline) noexcept {
  return ask(command, [&](Commands::Ticket ticket) { return await(ticket, deadline); });
}

bool LogThread::run_while_moving(Command command, std::chrono::milliseconds stall) noexcept {
  return ask(command, [&](Commands::Ticket ticket) {
    // Looked at in pieces: what moved at the beginning of the wait must not double it.
    const std::chrono::milliseconds piece = std::min(stall, look_every);
    std::chrono::milliseconds stalled{0};
    for (std::uint64_t before = delivery_.movement(); stalled < stall; stalled += piece) {
      if (await(ticket, piece)) return true;
      const std::uint64_t now = delivery_.movement();
      if (now != std::exchange(before, now)) stalled = -piece;
    }
    return false;
  });
}

template <class Wait>
bool LogThread::ask(Command command, Wait wait) noexcept {
  if (is_here()) return false;
  try {
    const Commands::Ticket ticket = commands_.request(command);
    if (has_thread_.load(std::memory_order_acquire)) wake();
    const bool carried_out = wait(ticket);
    commands_.leave(ticket);
    return carried_out;
  } catch (const std::exception&) {  // no memory for the request
    return false;
  }
}

// Where there is no log thread its steps are taken meanwhile.
bool LogThread::await(Commands::Ticket ticket, std::chrono::milliseconds deadline) {
  if (has_thread_.load(std::memory_order_acquire)) return commands_.wait(ticket, deadline);
  const auto until = std::chrono::steady_clock::now() + std::clamp(deadline, std::chrono::milliseconds{0}, wait_max);
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

void LogThread::wake(bool may_start_thread) noexcept {
  const bool always = every_one_rings();
  const std::uint8_t before = doorbell_.exchange(always ? 0 : UINT8_MAX);
  if ((!always && before == UINT8_MAX) || poller() == nullptr || poller()->wake()) return;
  doorbell_.store_seq_cst(all_ring);  // it was not heard: the next caller rings again
  if (may_start_thread) relieve();
}

// While it works it makes room anyway. Who took room before it looked whether to sleep is seen there, who took it later sees it
// sleep: both are sequentially consistent.
void LogThread::wake_for_room() noexcept {
  if (naps_.load(std::memory_order_seq_cst) && naps_.exchange(false, std::memory_order_seq_cst)) wake();
}

void LogThread::step_in_caller() noexcept {
  const std::lock_guard lock(caller_steps_);
  const os::SigpipeBlocked no_sigpipe;
  const LogThread* const before = std::exchange(stepping_, this);
  try {
    step();
  } catch (const std::exception&) {
    // No memory for the batch: it is still there for the next step.
  }
  stepping_ = before;
}

void LogThread::level_changed() noexcept {
  if (is_here()) return;
  if (has_thread_.load(std::memory_order_acquire)) wake();
  else step_in_caller();
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
  stats.enqueued = lanes_.written() + signals_.put_count() + stats.dropped;
  stats.children = children_.load(std::memory_order_relaxed);
  stats.refused = refused_.load(std::memory_order_relaxed);
  return stats;
}

void LogThread::abandon() noexcept {
  if (poller() != nullptr) poller()->abandon();
  if (connections_) connections_->abandon();
  delivery_.abandon();
  Lanes::forget_thread();
}

void LogThread::ask_in_handler(Command command) noexcept {
  if (is_here() || !has_thread_.load(std::memory_order_acquire)) return;
  // Of two handlers the one that asks for more: who dies must not be given what another only flushes for.
  for (Command other = handler_command_.load(std::memory_order_relaxed);
       urgency(command) >= urgency(other) && !handler_command_.compare_exchange_weak(other, command);) {
  }
  const std::uint32_t asked = handler_asks_.fetch_add(1, std::memory_order_seq_cst) + 1;
  wake(false);
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
