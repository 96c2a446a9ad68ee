// The log thread: see log_thread.hpp.
#include "log/hub/log_thread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <new>
#include <thread>
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
constexpr const char* does_not_come_up =
    "it does not come up: a thread of the process that this one was forked from held a lock of the C library";
constexpr std::int64_t tell_drops_every_ns = 1000 * ns_per_ms;

// A time stamp that is so far ahead is none: the counter was set back.
constexpr std::int64_t future_ns = 1000 * ns_per_ms;
constexpr std::uint8_t nobody_rings = UINT8_MAX;
// Of the outlet's descriptor, in the poller: none that Connections knows.
constexpr std::uint64_t outlet_key = 0;

}  // namespace

LogThread::LogThread(Setup setup)
    : config_(std::move(setup.config)),
      linger_ns_(std::chrono::nanoseconds(setup.linger).count()),
      all_ring_always_(setup.all_ring),
      coming_up_(setup.coming_up),
      on_live_(setup.live),
      delivery_(std::move(setup.self), *setup.threshold, *setup.sites, std::move(setup.outlets), *setup.sinks),
      first_notices_(std::move(setup.notices)),
      threshold_(*setup.threshold),
      lanes_(config_.queue_bytes, config_.overflow == Overflow::block, config_.block_limit),
      records_(lanes_),
      doorbell_(*setup.doorbell) {
  errand_.commands.reserve(Commands::kept_max);
  set_doorbell(all_ring);  // until there is a thread, callers do its work
  make_poller();
  watching_ = poller();
}

bool LogThread::make_poller() {
  auto made = os::Poller::create();
  if (!made) return false;
  pollers_.push_back(std::make_unique<os::Poller>(std::move(*made)));
  poller_.store(pollers_.back().get(), std::memory_order_release);
  return true;
}

// The program has closed the descriptors that the poller works with, as daemons close all that they find: their numbers may be its
// own files' now. What else was closed is found where it is used.
void LogThread::mend_poller() {
  if (poller() == nullptr || (!poller()->is_whole() && !make_poller())) return;
  if (std::exchange(watching_, poller()) == poller()) return;
  watched_ = -1;
  parked_ = false;
  if (connections_) connections_->go_on_with(*poller());
}

// Called by who could not wake the log thread. It may sleep for ever: a sleep on descriptors that are closed, and whose numbers are
// given to others, can go on with those. Nobody can call it back; but as long as it sleeps, it holds nothing.
void LogThread::relieve() noexcept {
  std::uint64_t seen = shift_.load(std::memory_order_acquire);
  const bool sleeps = seen % 2 != 0;
  if (!sleeps || poller()->is_whole() || !shift_.compare_exchange_strong(seen, seen + 1, std::memory_order_acq_rel))
    return;
  try {
    make_poller();  // where there is none to be had, the new thread tries again and again
    if (os::start_thread("dlog", thread_body, this).empty()) return;
  } catch (const std::exception&) {
    // No memory: as if the system had refused the thread.
  }
  has_thread_.store(false, std::memory_order_release);  // callers do its work
}

std::string LogThread::listen(Admission admission) {
  if (poller() == nullptr) return "no descriptor to sleep on";
  const std::int64_t wall_ns = os::wall_ns();
  auto listening = os::listen_on_loopback();
  if (!listening) return listening.reason();
  connections_ = std::make_unique<Connections>(*poller(), delivery_.speaker(), std::move(*listening),
                                               std::move(admission), wall_ns);
  connections_->begin_at(shown_level());
  connections_->limit_records(config_.child_records_per_second);
  return {};
}

std::string LogThread::start() {
  if (poller() == nullptr) return "no descriptor to sleep on";
  has_thread_.store(true, std::memory_order_release);
  std::string reason = os::start_thread("dlog", thread_body, this);
  if (reason.empty() && coming_up_.count() != 0 && !is_up_within(coming_up_)) reason = does_not_come_up;
  if (!reason.empty()) has_thread_.store(false, std::memory_order_release);
  return reason;
}

// In who started it. False: it will not do anything, should it come up later.
bool LogThread::is_up_within(std::chrono::milliseconds deadline) noexcept {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (thread_.load(std::memory_order_acquire) == Thread::starts) {
    if (std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::microseconds{20});
      continue;
    }
    Thread starts = Thread::starts;
    if (thread_.compare_exchange_strong(starts, Thread::given_up, std::memory_order_acq_rel)) return false;
  }
  return true;
}

// In the thread. What it meets first in the C library: its own part of thread_local objects, its own part of the heap.
bool LogThread::came_up() noexcept {
  stepping_ = this;
  ::operator delete(::operator new(1, std::nothrow));
  Thread before = Thread::starts;
  thread_.compare_exchange_strong(before, Thread::is_up, std::memory_order_acq_rel);
  return before != Thread::given_up;
}

void LogThread::thread_body(void* self) noexcept {
  auto* const it = static_cast<LogThread*>(self);
  if (it->came_up()) it->loop();
}

void LogThread::loop() noexcept {
  const std::uint64_t shift = shift_.load(std::memory_order_acquire);
  started_ns_ = active_ns_ = os::monotonic_ns();
  if (watching_ == poller()) watch_outlet();
  for (;;) {
    try {
      if (const std::int64_t timeout_ns = plan_sleep(); timeout_ns != 0 && !sleep(timeout_ns, shift)) return;
      step();
    } catch (const std::exception&) {
      // No memory. What was drained is kept; the next step tries again, after a nap so that others can free some.
      poller()->sleep(nap_ns);
    }
  }
}

// False: meanwhile another thread has been put in our place, for nobody could wake us; all of this is its own now.
bool LogThread::sleep(std::int64_t timeout_ns, std::uint64_t shift) noexcept {
  os::Poller& sleeps_on = *poller();
  // While a sink is full children wait in the kernel, and do not end the sleep.
  const bool full = delivery_.full();
  std::uint64_t asleep = shift + 1;
  shift_.store(asleep, std::memory_order_release);  // from here on all else may be another's
  full ? sleeps_on.sleep_unless_woken(timeout_ns) : sleeps_on.sleep(timeout_ns);
  return shift_.compare_exchange_strong(asleep, shift, std::memory_order_acq_rel);
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
  const bool always = !has_thread_.load(std::memory_order_relaxed) || every_one_rings();
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

void LogThread::step() {
  naps_.store(false, std::memory_order_relaxed);
  mend_poller();
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
  answer_children(false);
  tell_live();
  run_errand();
  watch_outlet();
  count();
}

// What callers queued and what children sent, up to the cut. Returns how many children were ready.
std::size_t LogThread::take_in(std::uint64_t cut) {
  if (errand_.ends() && errand_.carried_out()) return 0;  // what came later nobody would write any more
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
  take_signals();
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

void LogThread::take_signals() {
  for (std::size_t i = 0; i < signal_texts_max && !signals_.empty(); ++i) {
    auto item = std::make_unique<SignalItem>();
    items_.reserve(items_.size() + 1);
    signals_.take(item->said);
    item->ticks = item->said.ticks;
    take_item(item.release());
  }
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
  if (item.admitted != 0) lanes_.release(item.admitted);
  if (item.kind == Parcel::Kind::bar) {
    bars_.apply(static_cast<const BarChange&>(item), [&](const Bar& bar) { delivery_.own_bar(bar, time_ns); });
  } else if (item.kind == Parcel::Kind::signal) {
    delivery_.own_signal(static_cast<const SignalItem&>(item).said, time_ns);
  } else {
    const auto& notice = static_cast<const NoticeItem&>(item);
    delivery_.own_notice(notice.level, notice.text, time_ns);
  }
}

void LogThread::say_complaints(std::int64_t now_ns, bool all) {
  delivery_.say_complaints();
  if (connections_) {
    for (std::string text; !(text = connections_->take_complaint()).empty();) delivery_.notice(Level::warn, text);
  }
  if (lanes_.backlog().dropped() == told_drops_ || (!all && now_ns - told_drops_ns_ < tell_drops_every_ns)) return;
  const std::uint64_t for_memory = lanes_.backlog().dropped_for_memory() - told_drops_for_memory_;
  const std::uint64_t for_room = lanes_.backlog().dropped_for_room() - (told_drops_ - told_drops_for_memory_);
  if (for_room != 0) delivery_.notice(Level::warn, fmt::format("{} records dropped: the queue was full", for_room));
  told_drops_ += for_room;
  if (for_memory != 0) delivery_.notice(Level::warn, fmt::format("{} records dropped: no memory", for_memory));
  told_drops_ += for_memory;
  told_drops_for_memory_ += for_memory;
  told_drops_ns_ = now_ns;
}

void LogThread::sample_bars(std::int64_t now_ns) {
  sample_ns_ = now_ns;
  const std::int64_t time_ns = os::wall_ns();
  bars_.sample([&](const Bar& bar) { delivery_.own_bar(bar, time_ns); });
}

// Children who asked whether all that they said is written are told so once it is.
void LogThread::answer_children(bool last) {
  if (!connections_) return;
  const auto lost_of = [this](std::uint64_t source_id) { return delivery_.undelivered_of(source_id); };
  // One after the other: asked once more in each turn, a console that is always busy would never be at its end.
  if (!flushing_for_children_ && connections_->asked_to_flush() && !delivery_.full()) {
    connections_->take_flushes();
    delivery_.flush();
    flushing_for_children_ = true;
  }
  if (flushing_for_children_ && !delivery_.owes()) {
    connections_->answer_flushes(lost_of);
    flushing_for_children_ = false;
  }
  connections_->tell_news(shown_level(), last, lost_of);
}

Level LogThread::shown_level() const noexcept {
  const std::uint8_t threshold = threshold_.load_relaxed();
  return static_cast<Level>(threshold == 0 ? 0 : threshold - 1);
}

// What an outlet hears ends the sleep, too.
void LogThread::watch_outlet() {
  const int input = delivery_.input();
  if (input == watched_ || poller() == nullptr) return;
  if (watched_ >= 0) {
    poller()->forget(watched_);
    delivery_.input_forgotten();
  }
  if (input >= 0) poller()->watch(input, outlet_key);
  watched_ = input;
}

void LogThread::count() {
  const std::uint64_t undelivered = delivery_.undelivered();
  const std::uint64_t delivered = delivery_.own_records();
  const std::uint64_t not_shown = undelivered + delivery_.waiting();
  undeliverable_.store(undelivered, std::memory_order_relaxed);
  shown_.store(delivered - std::min(not_shown, delivered), std::memory_order_relaxed);
  if (!connections_) return;
  children_.store(connections_->open(), std::memory_order_relaxed);
  refused_.store(connections_->refused(), std::memory_order_relaxed);
}

}  // namespace dlog::hub
