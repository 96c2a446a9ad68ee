// Tests of os/terminal: what is a terminal, and how large it is said to be.
#include "os/terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "os/child.hpp"
#include "os/descriptor.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;

struct Size {
  int columns;
  int rows;
  int shown_columns;
  int shown_rows;
};

TEST_CASE("terminal: both ends of a pseudo terminal are one") {
  const test::Ends ends = test::make_terminal(100, 30);
  CHECK(os::is_terminal(ends.theirs.get()));
  CHECK(os::is_terminal(ends.ours.get()));
}

TEST_CASE("terminal: pipes, files and nothing are none, and have the usual size") {
  const test::Ends pipe = test::make_pipe();
  const os::Descriptor file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const int closed = [] { return os::Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)).get(); }();
  for (const int fd : {pipe.ours.get(), pipe.theirs.get(), file.get(), closed, -1}) {
    CAPTURE(fd);
    CHECK_FALSE(os::is_terminal(fd));
    CHECK(os::terminal_size(fd).columns == 80);
    CHECK(os::terminal_size(fd).rows == 24);
  }
}

TEST_CASE("terminal: its size is asked anew each time, and the usual one where it does not say") {
  const test::Ends ends = test::make_terminal(1, 1);
  for (const Size size : {Size{132, 43, 132, 43}, Size{0, 0, 80, 24}, Size{1, 1, 1, 1}, Size{0, 50, 80, 24},
                          Size{50, 0, 80, 24}, Size{65'535, 65'535, 65'535, 65'535}}) {
    CAPTURE(size.columns, size.rows);
    test::set_size(ends.theirs, size.columns, size.rows);
    CHECK(os::terminal_size(ends.theirs.get()).columns == size.shown_columns);
    CHECK(os::terminal_size(ends.theirs.get()).rows == size.shown_rows);
  }
}

TEST_CASE("terminal: one that has hung up is still asked without harm") {
  test::Ends ends = test::make_terminal(100, 30);
  ends.ours.reset();
  CHECK_FALSE(os::is_terminal(ends.theirs.get()));
  CHECK(os::terminal_size(ends.theirs.get()).columns == 80);
}

TEST_CASE("terminal: a process is in the background where another group of its session has the terminal") {
  CHECK(test::said_in_child([] {
          const test::Ends ends = test::make_terminal(80, 24);
          const int fd = ends.theirs.get();
          std::string said = fmt::format("{}", os::in_background(fd));  // not its terminal
          ::signal(SIGTTOU, SIG_IGN);
          ::signal(SIGHUP, SIG_IGN);  // of the terminal, when it goes
          ::setsid();
          ::ioctl(fd, TIOCSCTTY, 0);
          said += fmt::format(" {}", os::in_background(fd));
          const pid_t other = ::fork();
          if (other == 0) {
            ::setpgid(0, 0);
            ::tcsetpgrp(fd, ::getpgrp());
            ::_exit(os::in_background(fd) ? 1 : 0);
          }
          int status = 0;
          ::waitpid(other, &status, 0);
          said += fmt::format(" {}", WEXITSTATUS(status));
          const pid_t third = ::fork();
          if (third == 0) {
            ::setpgid(0, 0);
            ::_exit(os::in_background(fd) ? 1 : 0);
          }
          ::tcsetpgrp(fd, ::getpgrp());
          ::waitpid(third, &status, 0);
          return said + fmt::format(" {} {}", WEXITSTATUS(status), os::in_background(-1));
        }) == "false false 0 1 false");
}

}  // namespace
