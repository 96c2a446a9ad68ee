// The one dlog of this process: made by the first call, never destroyed, made anew in a forked child.
//
// Threads: any.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "dlog/runtime.hpp"
#include "log/api/announcement.hpp"
#include "log/api/settings.hpp"
#include "log/event/site_table.hpp"
#include "log/hub/log_thread.hpp"
#include "log/sink/socket_sink.hpp"

namespace dlog::api {

class Runtime {
 public:
  // Starts it if need be, with the environment's settings.
  static Runtime& get();
  // Null: not started yet.
  static Runtime* running() noexcept { return current_.load(std::memory_order_acquire); }
  // False: it was running already.
  static bool start(const Config& config);

  hub::LogThread& thread() noexcept { return *thread_; }
  Role role() const noexcept { return role_; }
  const Announcement& announcement() const noexcept { return announcement_; }
  // What DLOG_PIPE holds for children; empty: no listener.
  const std::string& address() const noexcept { return announcement_.address; }

  // Is `lost` what the last flush knew already?
  bool nothing_lost_since(std::uint64_t lost) noexcept {
    return lost_told_.exchange(lost, std::memory_order_relaxed) == lost;
  }

  // The call sites of this process; those of the process it was forked from with them.
  static event::SiteTable& sites();
  // There before the start, so that sinks can be added first.
  static hub::SinkList& sinks();

 private:
  Runtime(const Config& asked, Settings settings);

  // Becomes a child where DLOG_PIPE leads to a listener; else says why not.
  void join_parent(const Settings& settings, hub::LogThread::Setup& setup);
  static void open_outlets(const Settings& settings, hub::LogThread::Setup& setup);
  void listen(const Config& config);
  static void hook_into_process(bool all_signals);
  static void before_exit();
  static void at_signal(bool dies);
  static void in_forked_child();

  static std::atomic<Runtime*> current_;
  static Runtime* forgotten_runtimes_;  // of processes this one was forked from; kept in sight of leak checkers

  Runtime* forgotten_ = nullptr;

  Config asked_;  // by the program; a forked process asks for the same
  Role role_ = Role::aggregator;
  Announcement announcement_;  // the listener's, or the parent's
  std::atomic<std::uint64_t> lost_told_{0};
  sink::SocketSink* to_parent_ = nullptr;  // owned by the log thread
  std::unique_ptr<hub::LogThread> thread_;
};

}  // namespace dlog::api
