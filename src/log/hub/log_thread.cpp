// The log thread: see log_thread.hpp.
#include "log/hub/log_thread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/civil_time.hpp"
#include "os/clock.hpp"
#include "os/thread.hpp"

namespace dlog::hub {
namespace {

constexpr std::int64_t nap_ns = 1 * ns_per_ms;  // a record that wakes nobody waits no longer
constexpr std::int64_t linger_ns =
    50 * ns_per_ms;  // naps go on for so long after the last record; then a caller must wake it
constexpr std::int64_t sample_every_ns = 100 * ns_per_ms;  // of bars
constexpr std::int64_t tell_drops_every_ns = 1000 * ns_per_ms;
constexpr std::int64_t heard_out_ns =
    5 * ns_per_ms;  // silence after which nothing more is expected of children that ended
constexpr std::int64_t heard_out_chat_ns = 500 * ns_per_ms;
constexpr std::uint64_t heard_out_bytes_max = std::uint64_t{64} << 20;  // of each: more than the kernel holds for one
constexpr std::size_t release_bytes = std::size_t{32} << 10;

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
  const std::int64_t wall_ns = os::wall_ns();
  auto listening = os::listen_on_loopback();
  if (!listening) return listening.reason();
  connections_ = std::make_unique<Connections>(*poller_, delivery_.speaker(), std::move(*listening), wall_ns);
  return {};
}

std::string LogThread::start() {
  if (!poller_) return "no descriptor to sleep on";
  has_thread_.store(true, std::memory_order_release);
  std::string reason = os::start_thread("dlog", thread_body, this);
  if (!reason.empty()) has_thread_.store(false, std::memory_order_release);
  return reason;
}

void LogThread::thread_body(void* self) noexcept { static_cast<LogThread*>(self)->loop(); }

void LogThread::loop() noexcept {
  in_step_ = true;
  for (;;) {
    try {
      step(plan_sleep());
    } catch (const std::exception&) {
      // No memory. What was drained is kept; the next step tries again, after a nap so that others can free some.
      poller_->sleep(nap_ns);
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
  if (poller_) poller_->sleep(timeout_ns);
  sleep_.store(Sleep::awake, std::memory_order_relaxed);

  // Taken before the sockets and the queue are looked at: whatever was logged before this moment is there when it is read. What
  // is younger waits for the next turn, so that nothing that came after a record of another source overtakes it.
  const std::vector<Command> commands = commands_.any() ? commands_.take() : std::vector<Command>();
  const std::uint32_t handler_asks = handler_asks_.load(std::memory_order_acquire);
  const std::int64_t cut_ns = os::monotonic_ns();
  const std::int64_t wall_ns = os::wall_ns();

  say_first_notices();
  const std::size_t ready = connections_ ? connections_->serve(cut_ns, wall_ns) : 0;
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

void LogThread::say_first_notices() {
  while (!first_notices_.empty()) {
    const Notice first = std::move(first_notices_.front());
    first_notices_.erase(first_notices_.begin());
    delivery_.notice(first.level, first.text);
  }
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
  while (connections_->open() != 0 && connections_->bytes_read() < bytes_max) {
    const std::int64_t before_ns = os::monotonic_ns();
    poller_->sleep(heard_out_ns);
    const std::int64_t now_ns = os::monotonic_ns();
    const std::int64_t wall_ns = os::wall_ns();
    const std::size_t ready = connections_->serve(now_ns, wall_ns);
    // A wake-up that was meant for the log thread ends the sleep early, and is no silence.
    if (ready == 0 && now_ns - before_ns >= heard_out_ns) return;
    if (now_ns >= chat_until_ns && connections_->all_heard_out()) return;
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

void LogThread::leave_from_within() noexcept {
  const bool again = std::exchange(left_from_within_, true);
  try {
    delivery_.pass_over_sinks();
    std::erase(items_, nullptr);  // what is being handed out, or was
    if (connections_) connections_->finish_take();
    say_first_notices();
    take_queue();
    const std::int64_t now_ns = os::monotonic_ns();
    deliver_until(now_ns, os::wall_ns() - now_ns);
    if (!again) hear_children_out();
    leave(true);
  } catch (const std::exception&) {
    // No memory for the last words, and nobody left to tell.
  }
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

}  // namespace dlog::hub
