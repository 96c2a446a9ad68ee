// Starting a program as a child, and learning of its end.
//
// Any thread; wait_for() of one child one thread at a time. Errors are values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "os/descriptor.hpp"

namespace dlog::os {

struct StartPlan {
  std::string program{};            // looked for in PATH unless it holds a slash
  std::vector<std::string> args{};  // after the program's own name
  std::string folder{};             // empty: where this process is
  // Names to set, or to take away, in what the child inherits of this process's environment. The last one of a name counts.
  std::vector<std::pair<std::string, std::optional<std::string>>> environment{};
  // This process's descriptor and the child's number for it; all else that is not close-on-exec is inherited as it is.
  std::vector<std::pair<int, int>> descriptors{};
};

struct StartedProcess {
  std::int64_t pid = 0;
  Descriptor ended{};  // becomes readable when it has ended
};

// SIGPIPE is what it is by default there, and no signal is blocked.
Result<StartedProcess> start_process(const StartPlan& plan);

struct ProcessEnd {
  bool known = true;  // false: somebody else has asked for it first, or SIGCHLD is ignored
  int code = 0;       // where signal is 0
  int signal = 0;
};
// How it ended, once it has. The process is no zombie after that, and its number may be another's.
std::optional<ProcessEnd> wait_for(std::int64_t pid) noexcept;

// Ends it, whatever it does, and returns when it is no zombie any more.
void kill_and_wait(const StartedProcess& process) noexcept;

// False: it has ended, or may not be sent that signal.
bool send_signal(const StartedProcess& process, int signal) noexcept;

}  // namespace dlog::os
