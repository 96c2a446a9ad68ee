// Code under test in a process of its own: see fork.hpp.
#include "support/fork.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>

#include "support/allocator_at_fork.hpp"

// For the sanitizers' sake, where they are on.
//
// A child of a process with threads has none of the other ones, and all that stood on their stacks only is lost to it: no search
// for leaks there. It may start threads of its own.
namespace {
bool child_of_threads = false;
}
extern "C" int __lsan_is_turned_off();  // NOLINT(bugprone-reserved-identifier)
extern "C" int __lsan_is_turned_off() { return child_of_threads ? 1 : 0; }
extern "C" const char* __tsan_default_options();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace dlog::test {
namespace {

struct Pipe {
  int read_end;
  int write_end;
  Pipe() {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
};

[[noreturn]] void be_child(const std::function<void()>& body, Pipe out, Pipe err) {
  ::dup2(out.write_end, 1);
  ::dup2(err.write_end, 2);
  for (const int fd : {out.read_end, out.write_end, err.read_end, err.write_end}) ::close(fd);
  // Catch2's handlers would report the parent's test from in here.
  for (const int number : {SIGINT, SIGILL, SIGFPE, SIGSEGV, SIGTERM, SIGABRT}) ::signal(number, SIG_DFL);
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exception: %s\n", error.what());
    std::_Exit(99);
  } catch (...) {
    std::_Exit(99);
  }
  std::exit(0);
}

void read_both(Pipe out, Pipe err, Ended& into) {
  std::array<pollfd, 2> ends{{{out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}}};
  std::array<std::string*, 2> texts{&into.out, &into.err};
  for (int open = 2; open > 0;) {
    if (::poll(ends.data(), ends.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].revents == 0) continue;
      char bytes[4096];
      const ssize_t got = ::read(ends[i].fd, bytes, sizeof bytes);
      if (got > 0) {
        texts[i]->append(bytes, static_cast<std::size_t>(got));
      } else if (got == 0 || errno != EINTR) {
        ::close(ends[i].fd);
        ends[i].fd = -1;  // poll passes it over
        --open;
      }
    }
  }
}

}  // namespace

Ended in_child(const std::function<void()>& body) {
  std::cout.flush();
  std::fflush(nullptr);
  const Pipe out;
  const Pipe err;
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork");
  if (pid == 0) be_child(body, out, err);
  ::close(out.write_end);
  ::close(err.write_end);
  Ended ended;
  read_both(out, err, ended);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  return ended;
}

int fork_and_wait(const std::function<void()>& body) {
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork");
  if (pid == 0) {
    child_of_threads = true;
    body();
    std::exit(0);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void say(const std::string& line) {
  const std::string text = line + '\n';
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = ::write(1, text.data() + done, text.size() - done);
    if (wrote < 0) std::_Exit(98);
    done += static_cast<std::size_t>(wrote);
  }
}

}  // namespace dlog::test
