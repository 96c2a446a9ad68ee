// Test program: forks without exec while it logs; both sides go on logging: t_fork <children> <records> [busy].
// "busy": a second thread of the parent logs all the time, so that the fork meets a log thread at work.
#include <dlog/dlog.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

void log_numbered(const std::string& name, int first, int last) {
  for (int i = first; i < last; ++i)
    dlog::info("rec {}/0 {} {}|", name, i, std::string(static_cast<std::size_t>(i % 97), 'x'));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::puts("t_fork <children> <records> [busy]");
    return 64;
  }
  const int children = std::atoi(argv[1]);
  const int records = std::atoi(argv[2]);
  std::atomic<bool> stop{false};
  std::atomic<int> busy_count{0};
  std::thread busy;
  if (argc > 3) {
    busy = std::thread([&] {
      for (int i = 0; !stop; ++i) {
        log_numbered("busy", i, i + 1);
        busy_count = i + 1;
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
    const pid_t pid = fork();
    if (pid == 0) {
      log_numbered("fork" + std::to_string(child), 0, records);
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
