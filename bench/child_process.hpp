// A child of the benchmark: this program once more, which speaks to its parent in lines on its stdout and starts when its
// stdin ends.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace bench {

// In the child: all is prepared; wait until the parent says go.
inline void ready_then_wait() {
  std::puts("ready");
  std::fflush(stdout);
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) == 1) {
  }
}

class ChildProcess {
 public:
  explicit ChildProcess(std::vector<std::string> arguments) {
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) std::abort();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    arguments.insert(arguments.begin(), "child");
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    if (posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, words.data(), environ) != 0) std::abort();
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    to_child_ = in[1];
    from_child_ = fdopen(out[0], "r");
  }
  ChildProcess(ChildProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        to_child_(std::exchange(other.to_child_, -1)),
        from_child_(std::exchange(other.from_child_, nullptr)) {}
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess() {
    if (pid_ > 0 && !ended()) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    if (to_child_ >= 0) close(to_child_);
    if (from_child_ != nullptr) std::fclose(from_child_);
  }

  pid_t pid() const { return pid_; }
  // The next line of its stdout; empty: there is none.
  std::string line() {
    std::string text;
    for (int c; (c = std::getc(from_child_)) != EOF && c != '\n';) text += static_cast<char>(c);
    return text;
  }
  // The next line, which is a number. A child without one has failed, and so has the benchmark.
  double number() {
    const std::string text = line();
    if (text.empty()) {
      std::fputs("a child has ended before its time\n", stderr);
      std::exit(1);
    }
    return std::strtod(text.c_str(), nullptr);
  }
  void go() { close(std::exchange(to_child_, -1)); }
  void poke() { [[maybe_unused]] const ssize_t written = write(to_child_, "", 1); }
  bool ended() {
    if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    return pid_ <= 0;
  }
  void wait() {
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  int to_child_ = -1;
  std::FILE* from_child_ = nullptr;
};

}  // namespace bench
