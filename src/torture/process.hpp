// A victim: this program once more, in a process group of its own, which is waited for with a deadline and killed by its number.
//
// Threads: one owner, the tool's main thread; a victim dies with it. Errors: std::runtime_error where no process can be started.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace torture {

// What a victim is started with. -1: /dev/null.
struct Start {
  static constexpr int closed = -2;

  std::vector<std::string> words;        // what victim, and how; see victim.hpp
  std::vector<std::string> environment;  // beside what clean_environment() holds
  int in = -1;
  int out = -1;
  int err = -1;
  int ledger = -1;
};

// This process's environment without what would change how dlog speaks, and with what makes it speak as a Tally reads.
std::vector<std::string> clean_environment();

struct Ending {
  bool hung = false;
  int status = 0;  // as waitpid says

  bool returned(int code) const;
  bool killed_by(int signal) const;
  std::string text() const;
};

class Process {
 public:
  explicit Process(const Start& start);
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();  // kills what is left of it

  pid_t pid() const { return pid_; }
  void kill_at_once();
  // Still there at the deadline: it hangs, and is killed with all that it started.
  Ending wait(std::chrono::milliseconds limit);

 private:
  bool ended(int& status);

  pid_t pid_ = -1;
  bool over_ = false;
  Ending ending_;
};

}  // namespace torture
