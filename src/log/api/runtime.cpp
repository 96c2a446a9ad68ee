// The one dlog of this process, and the public functions of its life: see runtime.hpp and dlog/runtime.hpp.
#include "log/api/runtime.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "dlog/emit.hpp"
#include "dlog/sink.hpp"
#include "log/event/outlet.hpp"
#include "log/hub/replay.hpp"
#include "log/sink/both.hpp"
#include "log/sink/console.hpp"
#include "os/clock.hpp"
#include "os/counter.hpp"
#include "os/environment.hpp"
#include "os/output.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "os/socket.hpp"
#include "os/thread.hpp"

namespace dlog {

namespace capture {
constinit Common common;
}  // namespace capture

namespace api {
namespace {

constexpr std::chrono::milliseconds exit_deadline{2000};
constexpr std::chrono::milliseconds last_words_deadline{200};
// Loopback answers within the call; only a listener whose backlog is full does not.
constexpr std::chrono::milliseconds connect_deadline{200};

// The threshold once more, for a process that is forked: there the other one is wiped. 0: dlog never ran.
constinit std::atomic<std::uint8_t> kept_threshold{0};

void set_threshold(Level level) {
  const Level known = std::min(level, Level::off);
  const auto threshold = static_cast<std::uint8_t>(static_cast<unsigned>(known) + 1);
  kept_threshold.store(threshold, std::memory_order_relaxed);
  capture::common.threshold.store_relaxed(threshold);
}

// A fork waits so long for the log thread to leave a sink, and for another thread to have started dlog.
constexpr std::chrono::milliseconds fork_wait{100};

// The log thread of a process that was forked without handlers comes up within this, or never.
constexpr std::chrono::milliseconds coming_up{500};

// Between the handlers of a fork(), in the thread that forks: is the log thread outside of all sinks, and stays there?
constinit thread_local bool kept_out_of_sinks = false;

// How much was lost as the last flush of this thread told.
struct Told {
  const Runtime* by = nullptr;
  std::uint64_t lost = 0;
};
constinit thread_local Told told;

sink::ConsoleChoice console_choice(const Settings& settings) {
  const Config& config = settings.config;
  return {config.format,    config.progress,     config.output_fd, settings.surroundings,
          config.bar_theme, config.bar_template, config.taskbar};
}

// Whoever stops or ends this process while bars stand on its screen finds it tidy.
void guard_bars(bool live) {
  if (!live) return os::release_screen();
  os::guard_screen([](bool stops) {
    if (Runtime* runtime = Runtime::running()) runtime->thread().stop_in_handler(stops);
  });
}

std::string cannot_open(const std::string& path, const std::string& why) {
  return fmt::format("cannot open the log file {}: {}", path, why);
}

// What a child does when its parent is gone: its own console, and its own file where it has one, where what the parent had not
// confirmed comes first, then what it did not take.
sink::SocketSink::Succession own_console(const sink::ConsoleChoice& choice, const std::string& file_path,
                                         const std::string& name, std::uint32_t pid, const std::string& parent) {
  return [choice, file_path, name, pid, parent](const sink::Estate& estate) {
    auto console = sink::open_console(choice);
    std::string no_file;
    if (!file_path.empty()) {
      auto file = sink::open_file(file_path);
      if (file) console = std::make_unique<sink::Both>(std::move(console), std::move(*file));
      else no_file = cannot_open(file_path, file.reason());
    }
    const auto say = [&](const std::string& text) {
      const Record record = event::notice_record(Level::warn, text);
      console->accept({os::wall_ns(), {0, "dlog", pid, 0}, &record, nullptr});
    };
    std::string text = fmt::format("the parent at {} is gone ({}); logging here", parent, estate.reason);
    const std::string_view shown = estate.had_last_word ? "has not shown" : "may have shown";
    if (estate.unconfirmed_records != 0)
      text += fmt::format("; {} records that it {} follow", estate.unconfirmed_records, shown);
    if (estate.forgotten_records != 0)
      text += fmt::format("; {} before them it {} {}", estate.forgotten_records, shown,
                          estate.had_last_word ? "either, and nobody kept them" : "as well");
    say(text);
    if (!no_file.empty()) say(no_file);
    hub::replay(estate.unconfirmed, name, pid, *console);
    if (estate.unconfirmed_records != 0 && !estate.had_last_word) say("end of what the parent may have shown");
    hub::replay(estate.unsent, name, pid, *console);
    return console;
  };
}

}  // namespace

constinit Runtime::Here Runtime::here_;
Runtime* Runtime::latest_ = nullptr;
std::atomic<std::uint64_t> Runtime::dropped_before_{0};
Runtime* Runtime::forgotten_runtimes_ = nullptr;
constinit std::atomic<bool> Runtime::ends_{false};
constinit bool Runtime::wiped_ = false;
constinit bool Runtime::hears_of_forks_ = false;
// When the program is brought up; where somebody logs before that, in a constructor of another object, with the first call.
const bool Runtime::prepared_ = prepare();
// Part of a plug-in: the log thread lives in what would be unloaded.
const bool Runtime::stays_loaded_ = os::keep_loaded();

// Before any thread can start dlog: a fork may meet the start itself, which holds a lock, or the first use of the tables that
// are never destroyed, which holds one of the compiler's.
bool Runtime::prepare() noexcept {
  static const bool once = [] {
    // What vfork() and posix_spawn() make shares this memory, and is not wiped.
    wiped_ = os::wipe_in_forked_child(&here_, sizeof here_) &&
             os::wipe_in_forked_child(&capture::common, sizeof capture::common);
    sites();
    sinks();
    hears_of_forks_ = os::around_forks(before_fork, after_fork_in_parent, in_forked_child);
    return true;
  }();
  return once;
}

Runtime& Runtime::get() {
  if (Runtime* runtime = running()) return *runtime;
  start(nullptr);
  return *running();
}

bool Runtime::start(const Config* config) {
  prepare();
  const std::lock_guard lock(here_.start_mutex);
  if (running() != nullptr) return false;
  const bool unheard = latest_ != nullptr;  // of a fork
  if (unheard) forget_parents();
  const Config asked = config != nullptr                ? *config
                       : forgotten_runtimes_ != nullptr ? forgotten_runtimes_->asked_
                                                        : Config{};
  const Lookup environment = [](const char* name) { return os::environment(name); };
  Settings settings = settle_settings(asked, environment);
  File file{settings.config.file, {}};
  file.path = forgotten_runtimes_ != nullptr && forgotten_runtimes_->file_.given == file.given
                  ? forgotten_runtimes_->file_.path
                  : os::absolute_path(file.given);
  settings.config.file = file.path;
  const Level settled = settings.config.level;
  // A level that was set while the process ran, by the program or by a parent, is that of its forks as well.
  if (const Runtime* const before = forgotten_runtimes_; before != nullptr && config == nullptr) {
    const auto kept = static_cast<Level>(kept_threshold.load(std::memory_order_relaxed) - 1);
    if (kept != before->settled_level_) settings.config.level = kept;
  }
  auto* const started = new Runtime(asked, std::move(settings), unheard);
  started->file_ = std::move(file);
  started->settled_level_ = settled;
  latest_ = started;
  here_.current.store(started, std::memory_order_release);
  started->thread().drop_for_memory(dropped_before_.exchange(0, std::memory_order_relaxed));
  return true;
}

void Runtime::drop_for_memory() noexcept {
  if (Runtime* runtime = running()) runtime->thread().drop_for_memory();
  else dropped_before_.fetch_add(1, std::memory_order_relaxed);
}

event::SiteTable& Runtime::sites() {
  static auto* const table = new event::SiteTable;  // never destroyed: calls know their numbers
  return *table;
}

hub::SinkList& Runtime::sinks() {
  static auto* const list = new hub::SinkList;  // never destroyed: the log thread outlives every static object
  return *list;
}

// `unheard`: in a child of a fork that ran no handlers.
Runtime::Runtime(const Config& asked, Settings settings, bool unheard) : asked_(asked) {
  const Config& config = settings.config;
  capture::common.steady_counter.store_relaxed(os::counter_is_steady());
  hub::LogThread::Setup setup;
  setup.config = config;
  setup.self.name = config.process_name.empty() ? os::program_name() : config.process_name;
  setup.self.pid = os::process_id();
  setup.threshold = &capture::common.threshold;
  setup.doorbell = &capture::common.doorbell;
  setup.sites = &sites();
  setup.sinks = &sinks();
  setup.notices = settings.notices;
  setup.live = guard_bars;
  setup.all_ring = unheard && !os::is_main_thread();
  if (unheard) setup.coming_up = coming_up;

  set_level(config.level);
  const Announcement* const untold = untold_announcement();
  if (untold != nullptr) settings.pipe = untold->address;
  if (config.join_parent && !settings.pipe.empty()) join_parent(settings, untold, setup);
  if (role_ == Role::aggregator) open_outlets(settings, setup);
  thread_ = std::make_unique<hub::LogThread>(std::move(setup));
  if (role_ == Role::aggregator && config.listen) listen(config);
  // A process that was forked while its parent was ending has its own end behind it: what runs then must be asked for again, and
  // whoever ends it by _exit() meanwhile has no other moment.
  const bool ends = ends_.exchange(false, std::memory_order_relaxed);
  if (ends) thread_->write_through();
  if (const std::string reason = thread_->start(); !reason.empty()) {
    thread_->say_first({Level::warn, fmt::format("no log thread ({}); records are written by their callers", reason)});
  }
  hook_into_process(config.handle_signals, ends);
}

const Announcement* Runtime::untold_announcement() noexcept {
  const Runtime* const parent = forgotten_runtimes_;
  if (parent == nullptr || parent->is_announced_ || parent->address().empty()) return nullptr;
  return &parent->announcement_;
}

void Runtime::join_parent(const Settings& settings, const Announcement* untold, hub::LogThread::Setup& setup) {
  const auto stay_alone = [&](const std::string& why) {
    setup.notices.push_back(
        {Level::debug, fmt::format("{}=\"{}\": {}; using the own console", pipe_variable, settings.pipe, why)});
  };
  const auto address = os::parse_loopback_address(settings.pipe);
  if (!address) return stay_alone("not a loopback address and port");
  const std::string id = untold != nullptr ? untold->id : inherited_id(address->port, setup.notices);
  if (const std::string why = stranger_behind(*address, id); !why.empty()) return stay_alone(why);
  auto socket = os::connect_to(*address, connect_deadline);
  if (!socket) return stay_alone(socket.reason());
  // Once more: the port may have changed hands in between. Nothing has been said yet.
  if (const std::string why = stranger_behind(*address, id); !why.empty()) return stay_alone(why);
  announcement_ = {settings.pipe, id};
  is_announced_ = untold == nullptr;
  auto to_parent = std::make_unique<sink::SocketSink>(
      std::move(*socket), encoder_for(announcement_, setup.self),
      own_console(console_choice(settings), settings.config.file, setup.self.name, setup.self.pid, settings.pipe),
      [this](std::optional<Level> level) { parent_sets_level(level); });
  to_parent_ = to_parent.get();
  setup.outlets.push_back(std::move(to_parent));
  role_ = Role::child;
}

void Runtime::set_level(Level level) {
  const std::lock_guard lock(level_mutex_);
  own_level_ = std::min(level, Level::off);
  apply_level();
}

// In the log thread.
void Runtime::parent_sets_level(std::optional<Level> level) {
  const std::lock_guard lock(level_mutex_);
  if (!level) own_level_ = std::max(own_level_, parents_level_);
  parents_level_ = std::min(level.value_or(Level::trace), Level::off);
  apply_level();
}

// Under the mutex.
void Runtime::apply_level() { set_threshold(std::max(own_level_, parents_level_)); }

void Runtime::open_outlets(const Settings& settings, hub::LogThread::Setup& setup) {
  setup.outlets.push_back(sink::open_console(console_choice(settings)));
  const std::string& path = settings.config.file;
  if (path.empty()) return;
  auto file = sink::open_file(path);
  if (file) setup.outlets.push_back(std::move(*file));
  else setup.notices.push_back({Level::warn, cannot_open(path, file.reason())});
}

void Runtime::listen(const Config& config) {
  const std::string token = new_token();
  if (const std::string reason = thread_->listen(hub::Admission(config.trust, token)); !reason.empty()) {
    thread_->say_first({Level::warn, fmt::format("cannot listen ({}); children keep their own consoles", reason)});
    return;
  }
  announcement_ = announcement_of(thread_->port(), thread_->cookie(), token);
  is_announced_ = config.set_environment && announce(announcement_);
  if (config.set_environment && !is_announced_) {
    thread_->say_first(
        {Level::warn, fmt::format("cannot set {}: no memory; children keep their own consoles", pipe_variable)});
  }
}

void Runtime::hook_into_process(bool all_signals, bool once_more) {
  static bool hooked = false;  // under the start's mutex
  if (!std::exchange(hooked, true) || once_more) {
    const bool at_exit = std::atexit(before_exit) == 0;
    const bool at_quick_exit = std::at_quick_exit(before_exit) == 0;
    // Nobody would write at the end what waits then: so nothing waits.
    if (!at_exit || !at_quick_exit) {
      thread_->write_through();
      thread_->submit_notice(Level::warn,
                             "the end of the process goes unseen (no memory); each record is written at once");
    }
    if (!hears_of_forks_ && !wiped_) {
      thread_->submit_notice(Level::warn, "forks go unseen (no memory); forked processes must not log");
    }
  }
  os::flush_on_signals(all_signals, at_signal);
}

void Runtime::before_exit() {
  ends_.store(true, std::memory_order_relaxed);
  Runtime* runtime = running();
  if (runtime == nullptr) return;
  runtime->thread().write_through();
  if (runtime->thread().is_here()) return runtime->thread().leave_from_within();
  if (runtime->thread().run_while_moving(hub::Command::leave, exit_deadline)) return;
  // Whoever should have taken the records takes nothing. A child still has its own stderr to say so; a parent's is what is stuck.
  if (runtime->role() != Role::child) return;
  const std::uint64_t lost = runtime->thread().undecided() + runtime->to_parent_->unsent();
  if (lost == 0) return;  // all is on its way, though nobody has said so
  try {
    // Its stderr may be as stuck as its parent is: whose processes stand still, often stands still with them.
    os::write_last_words(2,
                         fmt::format("dlog[{}]: the parent at {} takes nothing; {} records lost at exit\n",
                                     os::process_id(), runtime->address(), lost),
                         last_words_deadline);
  } catch (const std::exception&) {
    // No memory for the sentence.
  }
}

void Runtime::at_signal(bool dies) {
  if (Runtime* runtime = running()) runtime->thread().flush_in_handler(dies);
}

// A child of a start that is not over would inherit the descriptors of something that nobody has in hand yet. It is waited for, and
// not kept away: other handlers of this fork may log.
void Runtime::before_fork() {
  const auto end = std::chrono::steady_clock::now() + fork_wait;
  while (running() == nullptr && std::chrono::steady_clock::now() < end) {
    if (const std::unique_lock lock(here_.start_mutex, std::try_to_lock); lock) break;
    std::this_thread::sleep_for(std::chrono::microseconds{100});
  }
  const Runtime* const runtime = running();
  const bool within = runtime != nullptr && runtime->thread_->is_here();  // a sink forks
  kept_out_of_sinks = sinks().keep_out(within ? std::chrono::milliseconds{0} : fork_wait);
  os::hold_local_time(fork_wait);
}

void Runtime::after_fork_in_parent() {
  kept_out_of_sinks = false;
  os::release_local_time();
  sinks().let_in();
}

// Called before or after other handlers of the same fork.
void Runtime::in_forked_child() {
  forget_fork();
  kept_out_of_sinks = false;
}

void Runtime::forget_fork() noexcept {
  if (wiped_ && running() != nullptr) return;  // one before us has logged: dlog runs here
  new (&here_.start_mutex) std::mutex;
  here_.current.store(nullptr, std::memory_order_relaxed);
  capture::common.threshold.store_relaxed(0);
  capture::common.doorbell.store_relaxed(0);
  forget_parents();
}

// The log thread is not here, and its locks may be held for ever: everything is left as it is, and the next call starts anew.
void Runtime::forget_parents() noexcept {
  sites().renew_lock();
  sinks().renew(kept_out_of_sinks);
  os::renew_local_time();
  Runtime* parents = std::exchange(latest_, nullptr);
  if (parents == nullptr) return;
  parents->forgotten_ = std::exchange(forgotten_runtimes_, parents);
  parents->thread_->abandon();
  if (parents->to_parent_ != nullptr) parents->to_parent_->abandon();
}

}  // namespace api

using api::Runtime;

bool init(const Config& config) {
  if (Runtime::start(&config)) return true;
  Runtime::get().thread().submit_notice(Level::debug, "dlog::init() came too late: dlog runs with its first settings");
  return false;
}

FlushResult flush(std::chrono::milliseconds deadline) noexcept {
  Runtime* runtime = Runtime::running();
  if (runtime == nullptr) return {Runtime::dropped_before() == 0, Runtime::dropped_before()};
  const bool carried_out = runtime->thread().run(hub::Command::flush, deadline);
  const Stats counts = runtime->thread().stats();
  const std::uint64_t lost = counts.dropped + counts.undeliverable;
  const api::Told before = std::exchange(api::told, {runtime, lost});
  return {carried_out && lost == (before.by == runtime ? before.lost : 0), lost};
}

void finish() noexcept {
  if (Runtime* runtime = Runtime::running()) runtime->thread().run(hub::Command::tidy, api::exit_deadline);
}

Level level() noexcept {
  if (const auto least = capture::common.threshold.load_relaxed(); least != 0) return static_cast<Level>(least - 1);
  // In a process that was forked.
  if (const auto kept = api::kept_threshold.load(std::memory_order_relaxed); kept != 0)
    return static_cast<Level>(kept - 1);
  try {
    return api::settle_settings({}, [](const char* name) { return os::environment(name); }).config.level;
  } catch (const std::exception&) {
    return Config{}.level;
  }
}

void set_level(Level level) noexcept {
  try {
    Runtime& runtime = Runtime::get();
    runtime.set_level(level);
    runtime.thread().level_changed();
  } catch (const std::exception&) {
    // No memory to start dlog: nothing is logged that the level could concern.
  }
}

Role role() noexcept {
  try {
    return Runtime::get().role();
  } catch (const std::exception&) {
    return Role::aggregator;
  }
}

std::string pipe_address() { return Runtime::get().address(); }

std::vector<std::string> child_environment() { return api::variables_of(Runtime::get().announcement()); }

Stats stats() noexcept {
  if (Runtime* runtime = Runtime::running()) return runtime->thread().stats();
  Stats stats{};
  stats.enqueued = stats.dropped = Runtime::dropped_before();
  return stats;
}

void add_sink(std::shared_ptr<Sink> sink) { Runtime::sinks().add(std::move(sink)); }

}  // namespace dlog
