// Test program: forks while another thread makes the first call, and so starts dlog: t_fork_at_start <children>.
#include <dlog/dlog.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::puts("t_fork_at_start <children>");
    return 64;
  }
  const int children = std::atoi(argv[1]);
  std::thread first([] { dlog::info("rec first/0 0 |"); });
  std::vector<pid_t> pids;
  for (int child = 0; child < children; ++child) {
    const pid_t pid = fork();
    if (pid == 0) {
      dlog::info("rec fork{}/0 0 |", child);
      std::exit(0);
    }
    pids.push_back(pid);
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  first.join();
  int failures = 0;
  for (const pid_t pid : pids) {
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) ++failures;
  }
  return failures == 0 ? 0 : 1;
}
