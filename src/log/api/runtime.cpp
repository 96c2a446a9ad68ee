// The one dlog of this process, and the public functions of its life: see runtime.hpp and dlog/runtime.hpp.
#include "log/api/runtime.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <utility>

#include "dlog/emit.hpp"
#include "dlog/sink.hpp"
#include "log/event/outlet.hpp"
#include "log/hub/replay.hpp"
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
// Loopback answers within the call; only a listener whose backlog is full does not.
constexpr std::chrono::milliseconds connect_deadline{200};

std::mutex start_mutex;

void set_threshold(Level level) {
  const Level known = std::min(level, Level::off);
  capture::common.threshold.store_relaxed(static_cast<std::uint8_t>(static_cast<unsigned>(known) + 1));
}

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

// What a child does when its parent is gone: its own console, where what the parent did not take comes first.
sink::SocketSink::Succession own_console(const sink::ConsoleChoice& choice, const std::string& name, std::uint32_t pid,
                                         const std::string& parent) {
  return [choice, name, pid, parent](std::span<const std::byte> frames, const std::string& reason) {
    auto console = sink::open_console(choice);
    const std::string text = fmt::format("the parent at {} is gone ({}); logging here", parent, reason);
    const Record record = event::notice_record(Level::warn, text);
    console->accept({os::wall_ns(), {0, "dlog", pid, 0}, &record, nullptr});
    hub::replay(frames, name, pid, *console);
    return console;
  };
}

}  // namespace

std::atomic<Runtime*> Runtime::current_{nullptr};
Runtime* Runtime::forgotten_runtimes_ = nullptr;

Runtime& Runtime::get() {
  if (Runtime* runtime = running()) return *runtime;
  start(forgotten_runtimes_ == nullptr ? Config{} : forgotten_runtimes_->asked_);
  return *running();
}

bool Runtime::start(const Config& config) {
  const std::lock_guard lock(start_mutex);
  if (running() != nullptr) return false;
  const Lookup environment = [](const char* name) { return os::environment(name); };
  current_.store(new Runtime(config, settle_settings(config, environment)), std::memory_order_release);
  return true;
}

event::SiteTable& Runtime::sites() {
  static auto* const table = new event::SiteTable;  // never destroyed: calls know their numbers
  return *table;
}

hub::SinkList& Runtime::sinks() {
  static auto* const list = new hub::SinkList;  // never destroyed: the log thread outlives every static object
  return *list;
}

Runtime::Runtime(const Config& asked, Settings settings) : asked_(asked) {
  const Config& config = settings.config;
  capture::common.portable_clock.store_relaxed(!os::counter_is_steady());
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

  set_threshold(config.level);
  if (config.join_parent && !settings.pipe.empty()) join_parent(settings, setup);
  if (role_ == Role::aggregator) open_outlets(settings, setup);
  thread_ = std::make_unique<hub::LogThread>(std::move(setup));
  if (role_ == Role::aggregator && config.listen) listen(config);
  if (const std::string reason = thread_->start(); !reason.empty()) {
    thread_->say_first({Level::warn, fmt::format("no log thread ({}); records are written by their callers", reason)});
  }
  hook_into_process(config.handle_signals);
}

void Runtime::join_parent(const Settings& settings, hub::LogThread::Setup& setup) {
  const auto stay_alone = [&](const std::string& why) {
    setup.notices.push_back(
        {Level::debug, fmt::format("{}=\"{}\": {}; using the own console", pipe_variable, settings.pipe, why)});
  };
  const auto address = os::parse_loopback_address(settings.pipe);
  if (!address) return stay_alone("not a loopback address and port");
  auto socket = os::connect_to(*address, connect_deadline);
  if (!socket) return stay_alone(socket.reason());
  announcement_ = {settings.pipe, inherited_id(address->port, setup.notices)};
  auto to_parent = std::make_unique<sink::SocketSink>(
      std::move(*socket), encoder_for(announcement_, setup.self),
      own_console(console_choice(settings), setup.self.name, setup.self.pid, settings.pipe));
  to_parent_ = to_parent.get();
  setup.outlets.push_back(std::move(to_parent));
  role_ = Role::child;
}

void Runtime::open_outlets(const Settings& settings, hub::LogThread::Setup& setup) {
  setup.outlets.push_back(sink::open_console(console_choice(settings)));
  const std::string& path = settings.config.file;
  if (path.empty()) return;
  auto file = sink::open_file(path);
  if (file) setup.outlets.push_back(std::move(*file));
  else setup.notices.push_back({Level::warn, fmt::format("cannot open the log file {}: {}", path, file.reason())});
}

void Runtime::listen(const Config& config) {
  if (const std::string reason = thread_->listen(); !reason.empty()) {
    thread_->say_first({Level::warn, fmt::format("cannot listen ({}); children keep their own consoles", reason)});
    return;
  }
  announcement_ = announcement_of(thread_->port(), thread_->cookie());
  if (config.set_environment && !announce(announcement_)) {
    thread_->say_first(
        {Level::warn, fmt::format("cannot set {}: no memory; children keep their own consoles", pipe_variable)});
  }
}

void Runtime::hook_into_process(bool all_signals) {
  static bool hooked = false;  // under start_mutex
  if (!std::exchange(hooked, true)) {
    std::atexit(before_exit);
    std::at_quick_exit(before_exit);
    os::after_fork_in_child(in_forked_child);
  }
  os::flush_on_signals(all_signals, at_signal);
}

void Runtime::before_exit() {
  Runtime* runtime = running();
  if (runtime == nullptr) return;
  runtime->thread().write_through();
  if (hub::LogThread::is_here()) return runtime->thread().leave_from_within();
  if (runtime->thread().run_while_moving(hub::Command::leave, exit_deadline)) return;
  // Whoever should have taken the records takes nothing. A child still has its own stderr to say so; a parent's is what is stuck.
  if (runtime->role() != Role::child) return;
  try {
    const os::SigpipeBlocked no_sigpipe;
    os::write_all(2, fmt::format("dlog[{}]: the parent at {} takes nothing; {} records lost at exit\n",
                                 os::process_id(), runtime->address(), runtime->thread().undecided()));
  } catch (const std::exception&) {
    // No memory for the sentence.
  }
}

void Runtime::at_signal(bool dies) {
  if (Runtime* runtime = running()) runtime->thread().flush_in_handler(dies);
}

// The log thread is not here, and its locks may be held for ever: everything is left as it is, and the next call starts anew.
void Runtime::in_forked_child() {
  os::renew_thread_id();
  new (&start_mutex) std::mutex;
  sites().renew_lock();
  Runtime* parents = current_.exchange(nullptr);
  if (parents == nullptr) return;
  parents->forgotten_ = std::exchange(forgotten_runtimes_, parents);
  capture::common.threshold.store_relaxed(0);
  parents->thread_->abandon();
  if (parents->to_parent_ != nullptr) parents->to_parent_->abandon();
}

}  // namespace api

using api::Runtime;

bool init(const Config& config) {
  if (Runtime::start(config)) return true;
  Runtime::get().thread().submit_notice(Level::debug, "dlog::init() came too late: dlog runs with its first settings");
  return false;
}

FlushResult flush(std::chrono::milliseconds deadline) noexcept {
  Runtime* runtime = Runtime::running();
  if (runtime == nullptr) return {true, 0};
  const bool carried_out = runtime->thread().run(hub::Command::flush, deadline);
  const Stats counts = runtime->thread().stats();
  const std::uint64_t lost = counts.dropped + counts.undeliverable;
  return {carried_out && runtime->nothing_lost_since(lost), lost};
}

void finish() noexcept {
  if (Runtime* runtime = Runtime::running()) runtime->thread().run(hub::Command::tidy, api::exit_deadline);
}

Level level() noexcept {
  if (const auto least = capture::common.threshold.load_relaxed(); least != 0) return static_cast<Level>(least - 1);
  try {
    return api::settle_settings({}, [](const char* name) { return os::environment(name); }).config.level;
  } catch (const std::exception&) {
    return Config{}.level;
  }
}

void set_level(Level level) noexcept {
  try {
    Runtime::get();
    api::set_threshold(level);
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
  Runtime* runtime = Runtime::running();
  return runtime == nullptr ? Stats{} : runtime->thread().stats();
}

void add_sink(std::shared_ptr<Sink> sink) { Runtime::sinks().add(std::move(sink)); }

}  // namespace dlog
