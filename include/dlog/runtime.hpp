// The life of dlog in this process: start, flush, finish, and what can be asked of it.
//
// Threads: any, unless said otherwise. dlog is started by the first of: init(), a record, a progress bar, set_level(), role(),
// pipe_address(), child_environment(). It then has one log thread and, unless this process is a child, a listener on 127.0.0.1
// that children find through DLOG_PIPE. It is never destroyed: logging works in static destructors and atexit handlers.
// Errors: nothing here throws but for want of memory; what fails at start is told once on the console, and logging goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "dlog/config.hpp"
#include "dlog/level.hpp"
#include "dlog/stats.hpp"

#pragma GCC visibility push(default)  // the attribute of a namespace does not reach definitions elsewhere in clang
namespace dlog {

// aggregator: this process owns the console (and listens). child: its records go to the parent that DLOG_PIPE names.
enum class Role { aggregator, child };

// true: these settings, overridden by the environment, took effect. false: dlog was running already; the first settings
// stay, and a debug line says so. Call it early in main: it sets DLOG_PIPE in the environment of this process.
bool init(const Config& config = {});

struct FlushResult {
  // Everything that this process logged since the last flush of this thread (in its first: since the process started), and before this
  // call, was shown: written to the console, in a child to its parent's. A parent that speaks the seed protocol only says nothing:
  // there, handed to the kernel.
  bool complete = false;
  std::uint64_t lost = 0;  // records of this process known not to have been written, since it started
  explicit operator bool() const noexcept { return complete; }
};

// A barrier: returns when everything that this process logged before the call is shown, and how far its bars are, or at the
// deadline. On the log thread (in a sink) it returns at once, incomplete. Not for signal handlers.
FlushResult flush(std::chrono::milliseconds deadline = std::chrono::milliseconds{2000}) noexcept;

// flush(), and the console is left tidy: bars that are still live leave the screen until they change again. Done at exit
// anyway, where live bars are written once in their last state. Logging still works after it.
void finish() noexcept;

// The lowest level that is logged. Before the start: what the environment asks for. A process that is forked goes on with the level
// that was in force.
Level level() noexcept;
// From now on this one; in a child nothing below what its parent's program has set at run time.
void set_level(Level level) noexcept;

Role role() noexcept;

// What DLOG_PIPE holds for children of this process, as "127.0.0.1:<port>"; empty: no listener.
std::string pipe_address();

// The variables that a child needs, as "NAME=value", for those who build an environment by hand (posix_spawn, execve).
std::vector<std::string> child_environment();

// Counts up to now; all zero before the start.
Stats stats() noexcept;

}  // namespace dlog
#pragma GCC visibility pop
