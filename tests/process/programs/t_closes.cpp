// Test program: logs, closes every descriptor above 2, opens files and sockets of its own that get the same numbers, and goes on
// logging: t_closes <how> <records> <first>
// how: "range" (close_range), "loop" (one after the other), "idle" (as "range", and the log thread sleeps meanwhile), "waits" (as "range", after "open" and a line), "fork" (a child
// that was made without fork's handlers does it, before it logs). first: of which kind the lowest number is, 0 to 2.
// Prints, for the tests to see: "closed", then waits for a line before it logs on; "harmed <what>" for each own file that is not as it
// was left; "done".
#include <dlog/dlog.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int numbers = 64;  // more than dlog had
constexpr const char* content = "the program's own\n";

void answer(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void wait_for_line() {
  for (int c = std::getchar(); c != '\n' && c != EOF;) c = std::getchar();
}

void log_numbered(const char* who, int first, int last) {
  for (int i = first; i < last; ++i)
    dlog::info("rec {}/0 {} {}|", who, i, std::string(static_cast<std::size_t>(i % 97), 'x'));
}

void close_all(bool one_by_one) {
  if (!one_by_one) {
    close_range(3, ~0U, 0);
    return;
  }
  for (int fd = 3; fd < 1024; ++fd) close(fd);
}

enum class Kind { file, socket, pipe };

// Which number became what. Of sockets and pipes the other ends stand above `numbers`.
struct Own {
  int fd;
  int other;
  Kind kind;
};

int away(int fd) {
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, 500);
  close(fd);
  return moved;
}

// By turns, so that each kind comes to stand where something of dlog's was; `first` is the kind of the lowest number.
std::vector<Own> open_own(int first) {
  std::vector<Own> own;
  for (int turn = first; own.size() < numbers; ++turn) {
    int ends[2] = {-1, -1};
    const auto kind = static_cast<Kind>(turn % 3);
    if (kind == Kind::file) {
      char path[] = "/tmp/dlog-closes-XXXXXX";
      ends[0] = mkstemp(path);
      unlink(path);
      if (write(ends[0], content, std::char_traits<char>::length(content)) < 0) std::exit(70);
      lseek(ends[0], 0, SEEK_SET);
    } else if (kind == Kind::socket) {
      if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::exit(70);
      if (write(ends[1], content, 1) != 1) std::exit(70);
      ends[1] = away(ends[1]);
    } else {
      if (pipe(ends) != 0) std::exit(70);
      std::swap(ends[0], ends[1]);  // the end that is written to gets a number of dlog's
      const int low = fcntl(ends[0], F_DUPFD, 0);
      ends[1] = away(ends[1]);
      ends[0] = (close(ends[0]), low);
    }
    own.push_back({ends[0], ends[1], kind});
  }
  return own;
}

std::string read_all(int fd) {
  std::string all;
  char piece[4096];
  fcntl(fd, F_SETFL, O_NONBLOCK);
  for (ssize_t got = 0; (got = read(fd, piece, sizeof piece)) > 0;) all.append(piece, static_cast<std::size_t>(got));
  return all;
}

void check(const std::vector<Own>& all) {
  for (const Own& own : all) {
    const std::string number = std::to_string(own.fd);
    if (fcntl(own.fd, F_GETFD) == -1) answer("harmed " + number + ": closed");
    if (own.kind == Kind::file) {
      if (lseek(own.fd, 0, SEEK_CUR) != 0) answer("harmed " + number + ": the file's place");
      if (read_all(own.fd) != content) answer("harmed " + number + ": the file's content");
    } else {
      if (!read_all(own.other).empty()) answer("harmed " + number + ": written to");
      if (own.kind == Kind::socket && read_all(own.fd) != std::string(content, 1))
        answer("harmed " + number + ": read from");
    }
  }
}

void go_on(const char* who, int records, int first) {
  const std::vector<Own> own = open_own(first);
  answer("closed");
  wait_for_line();
  log_numbered(who, records / 2, records);
  answer(dlog::flush(std::chrono::seconds{30}) ? "flushed" : "not flushed");
  check(own);
  answer("done");
  wait_for_line();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::puts("t_closes range|loop|idle|waits|fork <records> 0|1|2");
    return 64;
  }
  const std::string how = argv[1];
  const int records = std::atoi(argv[2]);
  const int first = std::atoi(argv[3]);
  log_numbered("closes", 0, records / 2);
  dlog::flush(std::chrono::seconds{30});
  if (how == "fork") {
    const auto child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
    if (child == 0) {
      close_all(false);
      go_on("closes", records, first);
      std::exit(0);
    }
    int status = -1;
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : 71;
  }
  // Longer than the log thread naps: it sleeps on what is closed now.
  if (how == "idle") std::this_thread::sleep_for(std::chrono::milliseconds(600));
  if (how == "waits") {
    answer("open");
    wait_for_line();
  }
  close_all(how == "loop");
  go_on("closes", records, first);
}
