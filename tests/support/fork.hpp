// Code under test in a process of its own: forked, its output caught, its end awaited.
#pragma once

#include <functional>
#include <string>

namespace dlog::test {

struct Ended {
  int code = -1;   // exit code; -1: ended by a signal
  int signal = 0;  // 0: exited
  std::string out{};
  std::string err{};
};

// Runs `body` in a forked child whose stdout and stderr are pipes, then calls exit(0) there. An exception is written to stderr
// and ends the child with code 99. Handlers of signals are the system's. The caller has only one thread.
Ended in_child(const std::function<void()>& body);

// Forks where there may be other threads, as a program does that has been logging, runs `body` in the child, which keeps stdout
// and stderr, and calls exit(0) there. Returns what waitpid says.
int fork_and_wait(const std::function<void()>& body);

// In the child: one line on stdout, at once.
void say(const std::string& line);

}  // namespace dlog::test
