// The log thread: see log_thread.hpp.
#include "log/hub/log_thread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "log/event/captured.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "os/thread.hpp"

namespace dlog::hub {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t nap_ns = 1 * ms;      // a record that wakes nobody waits no longer
constexpr std::int64_t linger_ns = 50 * ms;  // naps go on for so long after the last record; then a caller must wake it
constexpr std::int64_t sample_every_ns = 100 * ms;  // of bars
constexpr std::int64_t tell_drops_every_ns = 1000 * ms;
constexpr std::size_t ready_max = 64;          // connections served in a turn: bounds the memory of their pieces
constexpr std::int64_t heard_out_ns = 5 * ms;  // silence after which nothing more is expected of children that ended
constexpr std::int64_t heard_out_chat_ns = 500 * ms;
constexpr std::uint64_t heard_out_bytes_max = std::uint64_t{64} << 20;  // of each: more than the kernel holds for one
constexpr std::size_t release_bytes = std::size_t{32} << 10;

thread_local bool in_step = false;  // this thread is the log thread, or stands in for it

}  // namespace

LogThread::LogThread(Setup setup)
    : config_(std::move(setup.config)),
      delivery_(std::move(setup.self), *setup.threshold, std::move(setup.outlets), *setup.sinks),
      first_notices_(std::move(setup.notices)),
      backlog_(config_.queue_bytes, config_.overflow == Overflow::block, config_.block_limit) {
  if (auto poller = os::Poller::create()) poller_.emplace(std::move(*poller));
}

std::string LogThread::listen() {
  if (!poller_) return "no descriptor to sleep on";
  auto listening = os::listen_on_loopback();
  if (!listening) return listening.reason();
  connections_ = std::make_unique<Connections>(*poller_, delivery_.speaker(), std::move(*listening));
  return {};
}

std::string LogThread::start() {
  if (!poller_) return "no descriptor to sleep on";
  has_thread_.store(true, std::memory_order_release);
  std::string reason = os::start_thread("dlog", thread_body, this);
  if (!reason.empty()) has_thread_.store(false, std::memory_order_release);
  return reason;
}

// ---- callers

Item* LogThread::open(Item::Kind kind, Level level, std::size_t payload_bytes) noexcept {
  enqueued_.fetch_add(1, std::memory_order_relaxed);
  const std::size_t cost = sizeof(Item) + payload_bytes;
  // The log thread itself must not wait for itself.
  const bool may_wait = !in_step && has_thread_.load(std::memory_order_relaxed);
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
  if (!has_thread_.load(std::memory_order_acquire)) return step_in_caller();
  wake_for(level);
  if (write_through_.load(std::memory_order_relaxed) && !in_step && !run(Command::flush, std::chrono::seconds{2})) {
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
  if (in_step) return false;
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

void LogThread::leave_from_within() noexcept {
  try {
    delivery_.leave(true);
  } catch (const std::exception&) {
    // No memory for the last words, and nobody left to tell.
  }
}

bool LogThread::is_here() noexcept { return in_step; }

void LogThread::wake() noexcept {
  if (sleep_.exchange(Sleep::awake, std::memory_order_seq_cst) != Sleep::awake && poller_) poller_->wake();
}

void LogThread::wake_for(Level level) noexcept {
  const Sleep sleep = sleep_.load(std::memory_order_seq_cst);
  if (sleep == Sleep::parked || (sleep == Sleep::napping && level >= config_.flush_on)) wake();
}

void LogThread::step_in_caller() noexcept {
  if (in_step) return;
  const std::lock_guard lock(caller_steps_);
  const os::SigpipeBlocked no_sigpipe;
  in_step = true;
  try {
    step(0);
  } catch (const std::exception&) {
    backlog_.drop();  // no memory for the batch; what was drained is still there for the next step
  }
  in_step = false;
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
  in_step = false;
}

// ---- the log thread

void LogThread::thread_body(void* self) noexcept { static_cast<LogThread*>(self)->loop(); }

void LogThread::loop() noexcept {
  in_step = true;
  for (;;) {
    try {
      step(plan_sleep());
    } catch (const std::exception&) {
      // No memory. What was drained is kept; the next step tries again, after a nap so that others can free some.
      std::array<std::uint64_t, 1> none{};
      poller_->wait(nap_ns, std::span(none).first(0));
    }
  }
}

std::int64_t LogThread::due_ns() const {
  std::int64_t due = delivery_.due_ns();
  if (connections_) due = std::min(due, connections_->due_ns());
  if (!bars_.empty()) due = std::min(due, sample_ns_ + sample_every_ns);
  if (backlog_.dropped() != told_drops_) due = std::min(due, told_drops_ns_ + tell_drops_every_ns);
  return due;
}

// How long to sleep, having said to callers whether they must wake us.
std::int64_t LogThread::plan_sleep() {
  if (!items_.empty() || !first_notices_.empty()) return 0;
  const std::int64_t now_ns = os::monotonic_ns();
  const std::int64_t due = due_ns();
  const std::int64_t until_due =
      due == event::Outlet::never ? os::Poller::for_ever : std::max<std::int64_t>(0, due - now_ns);
  const auto at_most = [&](std::int64_t ns) {
    return until_due == os::Poller::for_ever ? ns : std::min(ns, until_due);
  };

  const bool quiet = now_ns - active_ns_ >= linger_ns;
  // Whoever adds to the backlog after this store finds it and wakes us; whoever added before is seen below.
  sleep_.store(quiet ? Sleep::parked : Sleep::napping, std::memory_order_seq_cst);
  const bool asked = commands_.any() ||
                     handler_asks_.load(std::memory_order_seq_cst) != handler_answered_.load(std::memory_order_relaxed);
  if (asked) return 0;
  // Something is about to be queued, or was: no parking; and no spinning on a caller that is slow to finish.
  if (backlog_.waiting() != 0) return quiet ? at_most(nap_ns) : 0;
  return quiet ? until_due : at_most(nap_ns);
}

void LogThread::step(std::int64_t timeout_ns) {
  std::array<std::uint64_t, ready_max> keys;
  if (poller_) poller_->wait(timeout_ns, keys);
  sleep_.store(Sleep::awake, std::memory_order_relaxed);

  // Taken before the sockets and the queue are looked at: whatever was logged before this moment is there when it is read. What
  // is younger waits for the next turn, so that nothing that came after a record of another source overtakes it.
  const std::vector<Command> commands = commands_.any() ? commands_.take() : std::vector<Command>();
  const std::uint32_t handler_asks = handler_asks_.load(std::memory_order_acquire);
  const std::int64_t cut_ns = os::monotonic_ns();
  const std::int64_t wall_ns = os::wall_ns();

  const std::size_t ready = connections_ ? poller_->wait(0, keys) : 0;

  for (Notice& first : std::exchange(first_notices_, {})) delivery_.notice(first.level, first.text);
  if (connections_) connections_->serve(std::span(keys).first(ready), cut_ns, wall_ns);
  take_queue();
  if (!items_.empty() || ready != 0 || !commands.empty()) active_ns_ = cut_ns;
  deliver_until(cut_ns, wall_ns - cut_ns);
  if (cut_ns - sample_ns_ >= sample_every_ns) sample_bars(cut_ns);

  say_complaints(cut_ns, !commands.empty());
  delivery_.settle();
  if (active_ns_ == cut_ns) delivery_.flush_sinks();
  if (!commands.empty()) carry_out(commands);
  if (handler_asks != handler_answered_.load(std::memory_order_relaxed)) {
    const bool dies = handler_dies_.load(std::memory_order_relaxed);
    if (dies) hear_children_out();
    leave(dies);
    handler_answered_.store(handler_asks, std::memory_order_release);
  }
  count();
  if (!commands.empty()) commands_.done();
}

void LogThread::take_queue() {
  const std::size_t before = items_.size();
  queue_.drain(items_);
  if (items_.size() == before) return;
  const auto earlier = [](const ItemOwner& a, const ItemOwner& b) { return a->stamp_ns < b->stamp_ns; };
  // Stable: a thread's records of one clock tick keep their order.
  if (!std::is_sorted(items_.begin(), items_.end(), earlier)) std::stable_sort(items_.begin(), items_.end(), earlier);
}

void LogThread::deliver_until(std::int64_t cut_ns, std::int64_t wall_offset_ns) {
  // What was delivered leaves the list, and its room is given back, also where an exception ends this.
  struct Progress {
    LogThread& log;
    std::size_t next = 0;
    std::size_t freed = 0;
    ~Progress() {
      log.items_.erase(log.items_.begin(), log.items_.begin() + static_cast<std::ptrdiff_t>(next));
      if (freed != 0) log.backlog_.release(freed);
    }
  } done{*this};

  const auto own_waits = [&] { return done.next < items_.size() && items_[done.next]->stamp_ns <= cut_ns; };
  const auto child_waits = [&] { return connections_ && connections_->waiting(); };
  while (own_waits() || child_waits()) {
    if (child_waits() && (!own_waits() || items_[done.next]->stamp_ns + wall_offset_ns > connections_->earliest_ns())) {
      connections_->take([this](const Event& event) { delivery_.of_child(event); });
      continue;
    }
    const ItemOwner item = std::move(items_[done.next++]);
    done.freed += item->cost();
    deliver_item(*item, item->stamp_ns + wall_offset_ns);
    if (done.freed >= release_bytes) backlog_.release(std::exchange(done.freed, 0));
  }
}

void LogThread::deliver_item(const Item& item, std::int64_t time_ns) {
  if (item.kind != Item::Kind::bar) return delivery_.own_record(item, time_ns);
  bars_.apply(*item.bar, [&](const Bar& bar) { delivery_.own_bar(bar, time_ns); });
}

void LogThread::say_complaints(std::int64_t now_ns, bool all) {
  delivery_.say_complaints();
  if (connections_) {
    if (const std::string text = connections_->take_complaint(); !text.empty()) delivery_.notice(Level::warn, text);
  }
  const std::uint64_t dropped = backlog_.dropped();
  if (dropped == told_drops_ || (!all && now_ns - told_drops_ns_ < tell_drops_every_ns)) return;
  delivery_.notice(Level::warn, fmt::format("{} records dropped: the queue was full", dropped - told_drops_));
  told_drops_ = dropped;
  told_drops_ns_ = now_ns;
}

void LogThread::sample_bars(std::int64_t now_ns) {
  sample_ns_ = now_ns;
  const std::int64_t time_ns = os::wall_ns();
  bars_.sample([&](const Bar& bar) { delivery_.own_bar(bar, time_ns); });
}

void LogThread::carry_out(const std::vector<Command>& commands) {
  for (const Command command : commands) {
    switch (command) {
      case Command::flush: delivery_.flush(); break;
      case Command::tidy: leave(false); break;
      case Command::leave:
        hear_children_out();
        leave(true);
        break;
      case Command::suspend:
      case Command::resume: delivery_.suspend(command == Command::suspend); break;
    }
  }
}

// A child that has ended before us left what it said in the kernel: it is read until nothing comes any more. A living child that
// goes on talking is heard until it was seen to have said all, and not for long; one that floods, no longer than a dead one could.
void LogThread::hear_children_out() {
  if (!connections_) return;
  const std::uint64_t bytes_max = connections_->bytes_read() + heard_out_bytes_max * connections_->open();
  const std::int64_t chat_until_ns = os::monotonic_ns() + heard_out_chat_ns;
  connections_->begin_hearing_out();
  std::array<std::uint64_t, ready_max> keys;
  while (connections_->open() != 0 && connections_->bytes_read() < bytes_max) {
    const std::int64_t before_ns = os::monotonic_ns();
    const std::size_t ready = poller_->wait(heard_out_ns, keys);
    const std::int64_t now_ns = os::monotonic_ns();
    // A wake-up that was meant for the log thread ends the sleep early, and is no silence.
    if (ready == 0 && now_ns - before_ns >= heard_out_ns) return;
    if (now_ns >= chat_until_ns && connections_->all_heard_out()) return;
    const std::int64_t wall_ns = os::wall_ns();
    connections_->serve(std::span(keys).first(ready), now_ns, wall_ns);
    take_queue();
    deliver_until(now_ns, wall_ns - now_ns);
  }
}

void LogThread::leave(bool for_good) {
  const std::int64_t time_ns = os::wall_ns();
  const auto tell = [&](const Bar& bar) { delivery_.own_bar(bar, time_ns); };
  if (for_good) bars_.end_all(tell);
  else bars_.sample(tell);
  delivery_.leave(for_good);
}

void LogThread::count() {
  const std::uint64_t undelivered = delivery_.undelivered();
  const std::uint64_t delivered = delivery_.own_records();
  undeliverable_.store(undelivered, std::memory_order_relaxed);
  shown_.store(delivered - std::min(undelivered, delivered), std::memory_order_relaxed);
  if (!connections_) return;
  children_.store(connections_->open(), std::memory_order_relaxed);
  refused_.store(connections_->refused(), std::memory_order_relaxed);
}

void LogThread::flush_in_handler(bool dies) noexcept {
  if (in_step || !has_thread_.load(std::memory_order_acquire)) return;
  handler_dies_.store(dies, std::memory_order_relaxed);
  const std::uint32_t asked = handler_asks_.fetch_add(1, std::memory_order_seq_cst) + 1;
  wake();
  for (int waited_ms = 0; waited_ms < 2000; ++waited_ms) {
    if (handler_answered_.load(std::memory_order_acquire) >= asked) return;
    os::sleep_in_handler_ms(1);
  }
}

}  // namespace dlog::hub
