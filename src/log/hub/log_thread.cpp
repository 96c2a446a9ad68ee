// The log thread: see log_thread.hpp.
#include "log/hub/log_thread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/civil_time.hpp"
#include "dlog/emit.hpp"
#include "os/barrier.hpp"
#include "os/clock.hpp"
#include "os/thread.hpp"

namespace dlog::hub {
namespace {

constexpr std::int64_t nap_ns = 1 * ns_per_ms;
// The first records of a program are seen sooner: many say no more.
constexpr std::int64_t first_nap_ns = nap_ns / 10;
constexpr std::int64_t first_naps_ns = 10 * ns_per_ms;
// After so long without a record longer naps will do: a record that wakes nobody waits no longer than the longest.
constexpr std::int64_t short_naps_ns = 50 * ns_per_ms;
constexpr std::int64_t late_nap_ns = 4 * ns_per_ms;
// A turn found nothing, though a block is full: its writer was stopped between two lines.
constexpr std::int64_t behind_nap_ns = 20'000;
constexpr std::int64_t long_nap_ns =
    10 * ns_per_ms;  // instead of parking, where the system has no barrier for all threads
constexpr std::int64_t full_nap_ns = 50 * ns_per_ms;  // while a sink takes nothing, or as it says itself
// Two threads' time stamps may be out of step by so much: a processor reads its counter ahead of time.
constexpr std::int64_t settling_ns = 2'000;
constexpr std::int64_t sample_every_ns = 100 * ns_per_ms;  // of bars
constexpr std::int64_t tell_drops_every_ns = 1000 * ns_per_ms;

// A time stamp that is so far ahead is none: the counter was set back.
constexpr std::int64_t future_ns = 1000 * ns_per_ms;
constexpr std::uint8_t nobody_rings = UINT8_MAX;

}  // namespace

LogThread::LogThread(Setup setup)
    : config_(std::move(setup.config)),
      linger_ns_(std::chrono::nanoseconds(setup.linger).count()),
      on_live_(setup.live),
      delivery_(std::move(setup.self), *setup.threshold, *setup.sites, std::move(setup.outlets), *setup.sinks),
      first_notices_(std::move(setup.notices)),
      lanes_(config_.queue_bytes, config_.overflow == Overflow::block, config_.block_limit),
      records_(lanes_),
      doorbell_(*setup.doorbell) {
  set_doorbell(all_ring);  // until there is a thread, callers do its work
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
  started_ns_ = active_ns_ = os::monotonic_ns();
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
  if (delivery_.full()) return due;  // all else would add to it
  if (connections_) due = std::min(due, connections_->due_ns());
  if (!bars_.empty()) due = std::min(due, sample_ns_ + sample_every_ns);
  if (lanes_.backlog().dropped() != told_drops_) due = std::min(due, told_drops_ns_ + tell_drops_every_ns);
  return due;
}

// How long to sleep, having said to callers whether they must wake us.
std::int64_t LogThread::plan_sleep() {
  const bool full = delivery_.full();
  if (!full && (interrupted_ || !items_.empty() || !first_notices_.empty())) return 0;
  const std::int64_t now_ns = os::monotonic_ns();
  const std::int64_t due = due_ns();
  const std::int64_t until_due =
      due == event::Outlet::never ? os::Poller::for_ever : std::max<std::int64_t>(0, due - now_ns);
  const auto at_most = [&](std::int64_t ns) {
    return until_due == os::Poller::for_ever ? ns : std::min(ns, until_due);
  };

  const bool quiet = now_ns - active_ns_ >= linger_ns_;
  const std::int64_t nap = now_ns - started_ns_ < first_naps_ns  ? first_nap_ns
                           : now_ns - active_ns_ < short_naps_ns ? nap_ns
                                                                 : late_nap_ns;
  naps_.store(!full, std::memory_order_seq_cst);
  // Since it was parked last nobody rang: the doorbell has been there all the time, and all see it.
  const bool still_parked = parked_ && quiet && !full && doorbell_.load_relaxed() == all_ring;
  set_doorbell(quiet && !full ? all_ring : static_cast<std::uint8_t>(config_.flush_on));
  // Whoever commits a record from now on finds the doorbell; what was committed before is seen below. It is us who pay for that:
  // the callers' side of it is a load. Without the barrier a caller might have looked at the doorbell before we set it, and its
  // record be on its way.
  const bool all_seen = still_parked || (quiet && !full && os::barrier_in_all_threads());
  parked_ = all_seen;
  if (!errand_.in_hand && somebody_asks()) return 0;
  if (full) return at_most(full_nap_ns);
  // A block is full and not read to its end, or much room is taken: more is to be had, or its writer was stopped just before it
  // said so.
  if (records_.behind() || lanes_.backlog().high()) return active_ns_ == now_.monotonic_ns ? 0 : at_most(behind_nap_ns);
  // What is too young for this turn waits for the next: no parking, and no spinning either.
  if (!quiet || !lanes_.nothing_announced() || records_.waiting()) return at_most(nap);
  lanes_.trim();
  return all_seen ? until_due : at_most(long_nap_ns);
}

void LogThread::set_doorbell(std::uint8_t rank) noexcept {
  const bool always = !has_thread_.load(std::memory_order_relaxed) || write_through_.load(std::memory_order_relaxed);
  if (always) rank = all_ring;
  if (doorbell_.load_relaxed() != rank) doorbell_.store_seq_cst(rank);
}

// The time that this turn is cut at. Taken before the sockets and the queue are looked at: whatever was logged before this moment
// is there when it is read. What is younger waits for the next turn, so that nothing that came after a record of another source
// overtakes it.
std::uint64_t LogThread::take_turn() {
  now_ = clock_.refresh();
  return now_.ticks - clock_.ticks_in(settling_ns);
}

// The same, for when somebody waits for all that was logged before.
std::uint64_t LogThread::settled_cut() noexcept {
  const std::uint64_t asked = capture::ticks() + clock_.ticks_in(settling_ns);
  for (;;) {
    const std::uint64_t cut = take_turn();
    if (static_cast<std::int64_t>(cut - asked) >= 0) return cut;
  }
}

void LogThread::step(std::int64_t timeout_ns) {
  // While a sink is full children wait in the kernel, and do not end the sleep.
  if (poller_ && timeout_ns != 0)
    delivery_.full() ? poller_->sleep_unless_woken(timeout_ns) : poller_->sleep(timeout_ns);
  naps_.store(false, std::memory_order_relaxed);
  // Somebody rang: what for is shown in this turn, however young it is.
  const bool rung = doorbell_.load_relaxed() == nobody_rings;
  // While we work the same ring as during a nap, once a turn. So after a nap that nobody ended nothing is stored here, where all
  // callers look. After a sleep that nobody ended, where all ring, they go on doing so.
  parked_ = parked_ && !rung;
  if (!parked_) set_doorbell(static_cast<std::uint8_t>(config_.flush_on));

  const bool asked = take_errand();
  const bool somebody_waits = rung || asked || !has_thread_.load(std::memory_order_relaxed);
  const std::uint64_t cut = somebody_waits ? settled_cut() : take_turn();
  if (asked) errand_.cut = cut;

  const std::uint64_t before = delivery_.events();
  const std::uint64_t own_before = delivery_.own_records();
  const std::size_t ready = delivery_.full() ? 0 : take_in(cut);
  // What comes through a socket ends the sleep by itself: naps are for callers of this process, who are spared the bell.
  if (delivery_.own_records() != own_before || asked) active_ns_ = now_.monotonic_ns;
  if (!delivery_.full()) {
    if (now_.monotonic_ns - sample_ns_ >= sample_every_ns) sample_bars(now_.monotonic_ns);
    const bool all = errand_.in_hand && errand_.delivered && !std::exchange(errand_.complaints_said, true);
    say_complaints(now_.monotonic_ns, all);
  }
  delivery_.settle();
  if (delivery_.events() != before || ready != 0 || asked) delivery_.flush_sinks();
  tell_live();
  run_errand();
  count();
}

// What callers queued and what children sent, up to the cut. Returns how many children were ready.
std::size_t LogThread::take_in(std::uint64_t cut) {
  // What came before an errand goes first, and nothing keeps it from its end.
  const bool before_errand = errand_.in_hand && !errand_.carried_out();
  say_first_notices();
  const bool serve = connections_ && !(before_errand && std::exchange(errand_.served, true));
  const std::size_t ready = serve ? connections_->serve(now_.monotonic_ns, now_.wall_ns) : 0;
  take_queue();
  const bool all = deliver_until(before_errand ? errand_.cut : cut);
  if (before_errand && all) errand_.delivered = true;
  return ready;
}

void LogThread::say_first_notices() {
  while (!first_notices_.empty()) {
    const Notice first = std::move(first_notices_.front());
    first_notices_.erase(first_notices_.begin());
    delivery_.notice(first.level, first.text);
  }
}

void LogThread::take_queue() {
  lanes_.drain(parcels_);
  const std::size_t before = items_.size();
  items_.reserve(before + parcels_.size());
  std::size_t taken = 0;
  try {
    for (; taken < parcels_.size(); ++taken) {
      Parcel* const parcel = parcels_[taken];
      if (parcel->kind == Parcel::Kind::block) records_.add(static_cast<Block*>(parcel));
      else take_item(static_cast<Item*>(parcel));
    }
  } catch (const std::exception&) {  // no memory for the rest: it stays for the next turn
    parcels_.erase(parcels_.begin(), parcels_.begin() + static_cast<std::ptrdiff_t>(taken));
    throw;
  }
  parcels_.clear();
  if (items_.size() == before) return;
  const auto earlier = [](const ItemOwner& a, const ItemOwner& b) { return a->ticks < b->ticks; };
  // Stable: a thread's items of one tick keep their order.
  if (!std::is_sorted(items_.begin(), items_.end(), earlier)) std::stable_sort(items_.begin(), items_.end(), earlier);
}

void LogThread::take_item(Item* item) {
  items_.emplace_back(item);
  const auto ahead = static_cast<std::int64_t>(item->ticks - now_.ticks);
  if (ahead > 0 && clock_.ticks_in(future_ns) < static_cast<std::uint64_t>(ahead)) item->ticks = now_.ticks;
}

// False: a sink is full, and the rest waits.
bool LogThread::deliver_until(std::uint64_t cut) {
  // What was delivered leaves the list also where an exception ends this.
  struct Progress {
    std::vector<ItemOwner>& items;
    std::size_t next = 0;
    ~Progress() { items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(next)); }
  } done{items_};

  const auto full = [this] { return delivery_.full(); };
  interrupted_ = true;
  records_.begin(cut, clock_.ticks_in(future_ns));
  while (!full()) {
    const bool item_waits = done.next < items_.size() && items_[done.next]->ticks <= cut;
    const bool child_waits = connections_ && connections_->waiting();
    const std::uint64_t item = item_waits ? items_[done.next]->ticks : OwnRecords::none;
    const std::uint64_t child = child_waits ? clock_.ticks_at(connections_->earliest_ns()) : OwnRecords::none;
    const std::uint64_t first = std::min({item, child, cut});
    const auto deliver = [this](const OwnRecord& record) {
      delivery_.own_record(record, clock_.wall_ns(record.ticks));
    };
    if (!records_.deliver_until(first, deliver, full)) return false;
    // An own event comes before a child's of the same time.
    if (item_waits && item <= child) {
      const ItemOwner taken = std::move(items_[done.next++]);
      deliver_item(*taken);
    } else if (child_waits) {
      const std::uint64_t own = std::min(records_.earliest(), item);
      const std::int64_t until_ns = own == OwnRecords::none ? event::Outlet::never : clock_.wall_ns(own);
      connections_->take_until(
          until_ns, [this](const Event& event) { delivery_.of_child(event); }, full);
    } else {
      interrupted_ = false;
      return true;
    }
  }
  return false;
}

void LogThread::deliver_item(Item& item) {
  const std::int64_t time_ns = clock_.wall_ns(item.ticks);
  if (item.kind == Parcel::Kind::bar) {
    bars_.apply(static_cast<const BarChange&>(item), [&](const Bar& bar) { delivery_.own_bar(bar, time_ns); });
  } else {
    const auto& notice = static_cast<const NoticeItem&>(item);
    delivery_.own_notice(notice.level, notice.text, time_ns);
  }
}

void LogThread::say_complaints(std::int64_t now_ns, bool all) {
  delivery_.say_complaints();
  if (connections_) {
    if (const std::string text = connections_->take_complaint(); !text.empty()) delivery_.notice(Level::warn, text);
  }
  const std::uint64_t dropped = lanes_.backlog().dropped();
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
