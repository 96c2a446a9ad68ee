// Test program: forks without exec while it logs; both sides go on logging: t_fork <children> <records> [word...].
// "busy": a second thread of the parent logs all the time, so that the fork meets a log thread at work. "_Fork", "clone": forks that
// way, where no handler runs. "thread": the forks' records are logged by turns, first by a thread that they start. "bar": a bar of the
// parent's, which another thread changes all the time, is changed and ended by the forks as well. "silent": the forks end the thread
// that forked without a word.
#include <dlog/dlog.hpp>

#include <dlfcn.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

pid_t raw_clone() { return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)); }

using Fork = pid_t (*)();

void log_numbered(const std::string& name, int first, int last) {
  for (int i = first; i < last; ++i)
    dlog::info("rec {}/0 {} {}|", name, i, std::string(static_cast<std::size_t>(i % 97), 'x'));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::puts("t_fork <children> <records> [busy|_Fork|clone|thread|bar|silent...]");
    return 64;
  }
  const int children = std::atoi(argv[1]);
  const int records = std::atoi(argv[2]);
  const auto asked_for = [&](std::string_view word) {
    for (int i = 3; i < argc; ++i)
      if (argv[i] == word) return true;
    return false;
  };
  Fork method = fork;
  if (asked_for("clone")) method = raw_clone;
  if (asked_for("_Fork")) method = reinterpret_cast<Fork>(dlsym(RTLD_DEFAULT, "_Fork"));
  if (method == nullptr) {
    std::puts("no _Fork");
    return 0;
  }
  std::optional<dlog::ProgressBar> bar;
  if (asked_for("bar")) bar.emplace("the parent's", 100);
  std::atomic<bool> stop{false};
  std::atomic<int> busy_count{0};
  std::thread busy;
  if (asked_for("busy")) {
    busy = std::thread([&] {
      for (int i = 0; !stop; ++i) {
        log_numbered("busy", i, i + 1);
        busy_count = i + 1;
        if (bar) bar->set_message(i % 2 == 0 ? "one message" : "another message, which is longer than the first");
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
    });
  }
  log_numbered("parent", 0, records);
  std::vector<pid_t> pids;
  int failures = 0;
  const auto wait_for = [&](pid_t pid) {
    int status = -1;
    if (pid >= 0 && waitpid(pid, &status, 0) == pid && status == 0) return;
    std::printf("child %d ended with %d\n", static_cast<int>(pid), status);
    ++failures;
  };
  // A sanitizer's own locks do not survive a fork: no thread of ours may be in the middle of an allocation then.
  const bool sanitized = std::getenv("DLOG_TEST_SANITIZE") != nullptr;
  for (int child = 0; child < children; ++child) {
    if (sanitized) {
      dlog::flush();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const pid_t pid = method();
    if (pid == 0) {
      const std::string name = "fork" + std::to_string(child);
      if (bar) {
        bar->set_message("not this one's");
        bar->push(50);
        bar->fail("no");
      }
      if (asked_for("thread")) {
        for (int i = 0; i < records; i += 2) {
          std::thread([&] { log_numbered(name, i, i + 1); }).join();
          log_numbered(name, i + 1, i + 2);
        }
      } else if (!asked_for("silent")) {
        log_numbered(name, 0, records);
      }
      std::exit(0);  // not a return: `busy` names a thread that this process does not have
    }
    if (sanitized) wait_for(pid);
    else pids.push_back(pid);
  }
  log_numbered("parent", records, 2 * records);
  for (const pid_t pid : pids) wait_for(pid);
  stop = true;
  if (busy.joinable()) busy.join();
  dlog::info("after the children");
  std::printf("busy %d\n", busy_count.load());
  return failures == 0 ? 0 : 1;
}
