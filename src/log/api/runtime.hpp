// The one dlog of this process: made by the first call, never destroyed, made anew in a forked child.
//
// Threads: any.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dlog/runtime.hpp"
#include "log/api/announcement.hpp"
#include "log/api/settings.hpp"
#include "log/event/site_table.hpp"
#include "log/hub/log_thread.hpp"
#include "log/sink/socket_sink.hpp"
#include "os/memory.hpp"

namespace dlog::api {

class Runtime {
 public:
  // Starts it if need be, with the environment's settings.
  static Runtime& get();
  // Null: not started yet.
  static Runtime* running() noexcept { return here_.current.load(std::memory_order_acquire); }
  // Null: as the environment and, in a forked process, its parent's program say. False: it was running already.
  static bool start(const Config* config);

  // A record that never came to be, for want of memory; also before there is a runtime.
  static void drop_for_memory() noexcept;
  // How many before.
  static std::uint64_t dropped_before() noexcept { return dropped_before_.load(std::memory_order_relaxed); }

  hub::LogThread& thread() noexcept { return *thread_; }
  Role role() const noexcept { return role_; }
  const Announcement& announcement() const noexcept { return announcement_; }
  // What DLOG_PIPE holds for children; empty: no listener.
  const std::string& address() const noexcept { return announcement_.address; }

  // What is logged here: what this process was told last, by its environment, its program, or dlog::set_level(); and nothing that its
  // parent, of a child, does not want to see.
  void set_level(Level level);

  // The call sites of this process; those of the process it was forked from with them.
  static event::SiteTable& sites();
  // There before the start, so that sinks can be added first.
  static hub::SinkList& sinks();

 private:
  Runtime(const Config& asked, Settings settings, bool unheard);

  // None: the parent is gone. Its level stays, and is then this process's own.
  void parent_sets_level(std::optional<Level> level);
  void apply_level();
  // Of the process that this one was forked from, where its environment does not say it. Null: none.
  static const Announcement* untold_announcement() noexcept;
  // Becomes a child where DLOG_PIPE leads to a listener, or `untold` does; else says why not.
  void join_parent(const Settings& settings, const Announcement* untold, hub::LogThread::Setup& setup);
  static void open_outlets(const Settings& settings, hub::LogThread::Setup& setup);
  void listen(const Config& config);
  void hook_into_process(bool all_signals, bool once_more);
  static void before_exit();
  static void at_signal(bool dies);
  static void before_fork();
  static void after_fork_in_parent();
  static void in_forked_child();
  static void forget_fork() noexcept;
  static bool prepare() noexcept;
  static void forget_parents() noexcept;

  // In a page of its own, which is wiped in a process that was forked: by fork(), which runs a handler of ours as well, or by a way
  // that runs none.
  struct alignas(os::wiped_page_bytes) Here {
    std::atomic<Runtime*> current{nullptr};
    std::mutex start_mutex{};
  };
  static Here here_;
  static std::atomic<bool> ends_;  // the handler at the end of the process has begun
  static bool wiped_;
  static bool hears_of_forks_;
  static const bool prepared_;
  static const bool stays_loaded_;
  static Runtime* latest_;  // the same as `current`, and not wiped: what is left of the parent's, until it is forgotten
  static std::atomic<std::uint64_t> dropped_before_;
  static Runtime* forgotten_runtimes_;  // of processes this one was forked from; kept in sight of leak checkers

  Runtime* forgotten_ = nullptr;

  // The log file: as it was asked for, and where that was then. A daemon that goes to another folder goes on with the same file.
  struct File {
    std::string given{};
    std::string path{};
  };

  File file_;
  Config asked_;  // by the program; a forked process asks for the same
  Role role_ = Role::aggregator;
  Announcement announcement_;          // the listener's, or the parent's
  bool is_announced_ = true;           // in the environment
  Level settled_level_ = Level::info;  // as program and environment asked for it at the start
  std::mutex level_mutex_;
  Level own_level_ = Level::trace;
  Level parents_level_ = Level::trace;     // where there is a parent, and as it says
  sink::SocketSink* to_parent_ = nullptr;  // owned by the log thread
  std::unique_ptr<hub::LogThread> thread_;
};

}  // namespace dlog::api
