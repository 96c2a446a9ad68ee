// Workers made by fork() alone, as servers do: each becomes a client of the first process's console with its first call. What a
// worker has to say is shown before flush() returns, so it may end in any way it likes.
#include <dlog/dlog.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int workers = 3;
constexpr int jobs = 8;

[[noreturn]] void work(int number) {
  dlog::ProgressBar bar("Worker " + std::to_string(number), jobs);
  for (int job = 0; job < jobs; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    dlog::debug("worker {} did job {}", number, job);
    ++bar;
  }
  bar.finish();
  const dlog::FlushResult written = dlog::flush();
  _exit(written ? 0 : 1);  // no handler runs, and nothing is lost
}

}  // namespace

int main() {
  dlog::info("process {} listens at {}", getpid(), dlog::pipe_address());
  std::vector<pid_t> pids;
  for (int number = 1; number <= workers; ++number) {
    const pid_t pid = fork();
    if (pid == 0) work(number);
    if (pid < 0) dlog::error("cannot fork: {}", std::strerror(errno));
    else pids.push_back(pid);
  }
  int failures = workers - static_cast<int>(pids.size());
  for (const pid_t pid : pids) {
    int status = 0;
    waitpid(pid, &status, 0);
    if (status != 0) ++failures;
  }
  dlog::info("all {} workers have ended", workers);
  return failures;
}
