// The log thread: takes what callers queued and what children sent, in the order of time, and hands it to the sinks.
//
// Threads: the members under "callers" any; the rest the log thread. It sleeps when idle, and is woken through the poller by a
// caller who finds it asleep. Where no thread or poller can be had, the same steps run in the calling thread, under a lock.
// Lifetimes: it is never destroyed while its thread runs; programs keep it to their end.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dlog/atomic.hpp"
#include "dlog/config.hpp"
#include "dlog/stats.hpp"
#include "log/event/outlet.hpp"
#include "log/event/site_table.hpp"
#include "log/hub/bar_registry.hpp"
#include "log/hub/commands.hpp"
#include "log/hub/connections.hpp"
#include "log/hub/delivery.hpp"
#include "log/hub/item.hpp"
#include "log/hub/lanes.hpp"
#include "log/hub/own_records.hpp"
#include "log/hub/signal_ring.hpp"
#include "log/hub/tick_clock.hpp"
#include "os/poller.hpp"

namespace dlog::hub {

struct Notice {
  Level level = Level::warn;
  std::string text;
};

class LogThread {
 public:
  struct Setup {
    Config config;  // queue_bytes, overflow, block_limit, flush_on and child_records_per_second are read
    Delivery::Self self;
    const capture::Atomic<std::uint8_t>* threshold = nullptr;  // 1 + the lowest level that is shown
    capture::Atomic<std::uint8_t>* doorbell = nullptr;  // the lowest level whose records ring(): see capture::Common
    const event::SiteTable* sites = nullptr;
    std::vector<std::unique_ptr<event::Outlet>> outlets;  // the first one's losses are counted
    SinkList* sinks = nullptr;
    std::vector<Notice> notices;  // what there is to say first
    // Called on the log thread where live bars come to stand on a screen, and where they have left it; may be null.
    void (*live)(bool on) = nullptr;
    // Every record rings, whatever the doorbell would say.
    bool all_ring = false;
    // How long start() waits for the thread to come up: a process that was forked without handlers may have locks of the C library
    // that nobody gives back, and a new thread meets them first. 0: it is not waited for.
    std::chrono::milliseconds coming_up{0};
    // Naps go on for so long after the last record; then a caller must wake the log thread, which costs it some 15 us.
    std::chrono::milliseconds linger{250};
  };
  explicit LogThread(Setup setup);

  // Before start(). Empty: it listens; else the reason why not.
  std::string listen(Admission admission = {});
  std::uint16_t port() const noexcept { return connections_ ? connections_->port() : 0; }
  std::uint64_t cookie() const noexcept { return connections_ ? connections_->cookie() : 0; }
  // A notice before all else.
  void say_first(Notice notice) { first_notices_.push_back(std::move(notice)); }
  // Empty: the thread runs; else why not, and the steps run in the callers.
  std::string start();

  // ---- callers
  // A place for a record of the calling thread, to be committed (dlog/emit.hpp). Null: dropped, and counted.
  char* place(std::size_t bytes, Level level) noexcept;
  // A record was committed that must be seen soon: its level is not below the doorbell's.
  void ring() noexcept;
  // Records that never came to be, for want of memory.
  void drop_for_memory(std::uint64_t records = 1) noexcept { lanes_.drop_for_memory(records); }
  // False: no memory, or for a bar that starts no room, which counts as a record that was dropped.
  bool submit_bar(std::unique_ptr<BarChange> change) noexcept;
  void submit_notice(Level level, std::string_view text) noexcept;
  // For a signal handler: what never changes or goes away; without locks. What there is no room for is dropped, and counted.
  void say_in_handler(Level level, std::string_view text, const void* spot) noexcept;
  // True: carried out within the deadline. On the log thread: false, at once.
  bool run(Command command, std::chrono::milliseconds deadline) noexcept;
  // The same, waiting on as long as something moves: false only after `stall` without an event delivered or a byte taken.
  bool run_while_moving(Command command, std::chrono::milliseconds stall) noexcept;
  // Records of this process that are logged and not yet delivered.
  std::uint64_t undecided() const noexcept;
  // The threshold was changed: children who asked are told.
  void level_changed() noexcept;
  // Everything logged from now on is written before its call returns: the process is ending.
  void write_through() noexcept;
  Stats stats() const noexcept;
  // Is the calling thread the log thread, or stands in for it?
  bool is_here() const noexcept { return stepping_ == this; }
  // exit() was called by a sink, and never comes back to it: what waits is written, and the sinks are not called again.
  void leave_from_within() noexcept;
  // For a signal handler: as run(Command::leave) where the process `dies` of it, else as run(Command::tidy); without locks.
  void flush_in_handler(bool dies) noexcept { ask_in_handler(dies ? Command::leave : Command::tidy); }
  // The same for one that is about to stop the process, and when it goes on: as run(Command::suspend) and resume.
  void stop_in_handler(bool stops) noexcept { ask_in_handler(stops ? Command::suspend : Command::resume); }

  // After a fork, in the child: lets go of what only the parent may use. Nothing else may be called afterwards.
  void abandon() noexcept;

 private:
  // The one whose log thread this thread is, or stands in for. A thread that forked within a sink is another's in the child.
  static constinit thread_local const LogThread* stepping_;
  template <class Wait>
  bool ask(Command command, Wait wait) noexcept;
  static void thread_body(void* self) noexcept;
  bool came_up() noexcept;
  bool is_up_within(std::chrono::milliseconds deadline) noexcept;
  void loop() noexcept;
  os::Poller* poller() const noexcept { return poller_.load(std::memory_order_acquire); }
  bool make_poller();
  void mend_poller();
  bool sleep(std::int64_t timeout_ns, std::uint64_t shift) noexcept;
  void relieve() noexcept;
  void step();
  void step_in_caller() noexcept;
  bool submit(ItemOwner item) noexcept;
  // Room for it in the queue; false: none, counted as a record that was dropped.
  bool admit(Item& item, std::size_t bytes) noexcept;
  // For room. The log thread itself must not wait for itself.
  bool may_wait() const noexcept { return !is_here() && has_thread_.load(std::memory_order_relaxed); }
  // A signal handler must not start a thread.
  void wake(bool may_start_thread = true) noexcept;
  void wake_for_room() noexcept;
  void set_doorbell(std::uint8_t rank) noexcept;
  // Records do not wait: they are written before their call returns, or a thread of another process may come with one.
  bool every_one_rings() const noexcept { return all_ring_always_ || write_through_.load(std::memory_order_relaxed); }

  void ask_in_handler(Command command) noexcept;
  bool await(Commands::Ticket ticket, std::chrono::milliseconds deadline);

  std::int64_t plan_sleep();
  std::int64_t due_ns() const;
  std::size_t take_in(std::uint64_t cut);
  void say_first_notices();
  std::uint64_t take_turn();
  std::uint64_t settled_cut() noexcept;
  void take_queue();
  void take_item(Item* item);
  void take_signals();
  bool deliver_until(std::uint64_t cut);
  void deliver_item(Item& item);
  void say_complaints(std::int64_t now_ns, bool all);
  void sample_bars(std::int64_t now_ns);
  bool somebody_asks() const noexcept;
  bool take_errand();
  void run_errand();
  void tell_live();
  bool carry_out(Command command);
  bool hear_children_out();
  void leave(bool for_good);
  template <class Done>
  void go_on_while_moving(Done done);
  void count();
  void answer_children(bool last);
  void watch_outlet();
  Level shown_level() const noexcept;

  static constexpr std::uint8_t all_ring = 0;  // the doorbell

  // What callers and signal handlers asked for together. It is in hand until what came before it is delivered, all of it is
  // carried out, and the sinks have written what that took.
  struct Errand {
    std::vector<Command> commands{};  // of callers
    std::optional<Command> of_handlers{};
    std::uint32_t handler_asks = 0;  // the handlers' last request
    std::uint64_t cut = 0;           // what was logged before it
    std::size_t done = 0;            // of the commands, the handlers' last
    bool in_hand = false;
    bool served = false;     // children were asked once more
    bool delivered = false;  // what came before
    bool complaints_said = false;
    std::size_t size() const noexcept { return commands.size() + (of_handlers ? 1 : 0); }
    bool carried_out() const noexcept { return done == size(); }
    // The process leaves.
    bool ends() const noexcept {
      return in_hand && (of_handlers == Command::leave ||
                         std::find(commands.begin(), commands.end(), Command::leave) != commands.end());
    }
  };
  // Children are heard out, over several turns where a sink is full.
  struct HearingOut {
    std::uint64_t bytes_max;
    std::int64_t chat_until_ns;
  };

  const Config config_;
  const std::int64_t linger_ns_;
  const bool all_ring_always_;
  const std::chrono::milliseconds coming_up_;
  void (*const on_live_)(bool on);
  bool live_ = false;  // as it was told
  Delivery delivery_;
  std::vector<Notice> first_notices_;

  std::atomic<os::Poller*> poller_{nullptr};            // the latest; null: the system has none
  std::vector<std::unique_ptr<os::Poller>> pollers_{};  // callers may be at work with those before
  const os::Poller* watching_ = nullptr;                // the one that what we own is watched by
  // Of the thread that is the log thread: even while it works, one more while it sleeps. Who puts another in its place counts on.
  std::atomic<std::uint64_t> shift_{0};
  std::unique_ptr<Connections> connections_;
  const capture::Atomic<std::uint8_t>& threshold_;
  int watched_ = -1;  // the outlet's descriptor
  Lanes lanes_;
  SignalRing signals_;
  OwnRecords records_;
  TickClock clock_;
  TickClock::Now now_{};
  capture::Atomic<std::uint8_t>& doorbell_;
  Commands commands_;
  BarRegistry bars_;

  std::atomic<bool> write_through_{false};
  std::atomic<bool> has_thread_{false};
  enum class Thread : std::uint8_t { starts, is_up, given_up };
  std::atomic<Thread> thread_{Thread::starts};
  bool parked_ = false;            // all threads see that the doorbell is set to all_ring
  std::atomic<bool> naps_{false};  // a queue that is half full ends its sleep
  std::mutex caller_steps_;        // where there is no thread
  std::atomic<std::uint32_t> handler_asks_{0};
  std::atomic<std::uint32_t> handler_answered_{0};
  std::atomic<Command> handler_command_{Command::flush};

  bool flushing_for_children_ = false;
  bool interrupted_ = false;  // the last delivery did not reach its cut
  Errand errand_;
  std::optional<HearingOut> hearing_out_;
  bool left_from_within_ = false;
  bool gave_up_ = false;          // then: nothing moved
  std::vector<Parcel*> parcels_;  // drained
  std::vector<ItemOwner> items_;  // drained, in the order of time
  std::int64_t started_ns_ = 0;
  std::int64_t active_ns_ = 0;  // when something last happened
  std::int64_t sample_ns_ = 0;
  std::int64_t told_drops_ns_ = 0;
  std::uint64_t told_drops_ = 0;  // of all these:
  std::uint64_t told_drops_for_memory_ = 0;

  // Written by the log thread only.
  std::atomic<std::uint64_t> shown_{0};
  std::atomic<std::uint64_t> undeliverable_{0};
  std::atomic<std::uint64_t> children_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace dlog::hub
