// Test program: becomes a daemon, and goes on logging: t_daemon <how> <when> <records>
// how: "null" (fork, setsid, fork, /dev/null in the place of 0 to 2), "closed" (the same, 0 to 2 closed), "daemon" (daemon(3)).
// when: "after": the daemon logs once the first process has gone; "before": half of it before that.
// The daemon changes to the root folder, and says its number first.
#include <dlog/dlog.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

void log_numbered(int first, int last) {
  for (int i = first; i < last; ++i)
    dlog::info("rec daemon/0 {} {}|", i, std::string(static_cast<std::size_t>(i % 97), 'x'));
}

struct Pipe {
  int read = -1;
  int write = -1;
  Pipe() {
    int ends[2];
    if (pipe(ends) != 0) std::exit(70);
    read = ends[0];
    write = ends[1];
  }
  // Until nobody has the other end.
  void wait_for_end() const {
    char byte = 0;
    while (::read(read, &byte, 1) > 0) {
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::puts("t_daemon null|closed|daemon after|before <records>");
    return 64;
  }
  const std::string how = argv[1];
  const bool before = std::string(argv[2]) == "before";
  const int records = std::atoi(argv[3]);
  dlog::info("first process");
  // The first process holds one end of each to its own end; so the daemon knows when it has gone, and it when half is logged.
  const Pipe first_goes;
  const Pipe half;
  const pid_t child = fork();
  if (child < 0) return 70;
  if (child > 0) {
    close(half.write);
    if (before) half.wait_for_end();
    dlog::info("first process goes");
    return 0;
  }
  close(half.read);
  if (how == "daemon") {
    close(first_goes.write);  // the process between us and the first holds no end of it
    if (daemon(0, 0) != 0) return 70;
  } else {
    setsid();
    close(first_goes.write);
    const pid_t grandchild = fork();
    if (grandchild < 0) return 70;
    if (grandchild > 0) _exit(0);
    if (chdir("/") != 0) return 70;
    const int null = how == "null" ? open("/dev/null", O_RDWR) : -1;
    for (int fd = 0; fd < 3; ++fd) {
      if (null < 0) close(fd);
      else dup2(null, fd);
    }
    if (null > 2) close(null);
  }
  if (before) {
    dlog::info("daemon {}", getpid());
    log_numbered(0, records / 2);
    dlog::flush();
  }
  close(half.write);
  first_goes.wait_for_end();
  if (!before) {
    dlog::info("daemon {}", getpid());
    log_numbered(0, records / 2);
  }
  log_numbered(records / 2, records);
}
