// Test program: forks processes, one after the other, each of which logs one numbered record and ends. It never logs itself, so
// each of them is dlog's start anew, with the DLOG_PIPE that it finds; that costs a hundredth of starting a program.
//   t_stale <name> <processes>
#include <dlog/dlog.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const int count = std::atoi(argv[2]);
  int failures = 0;
  for (int i = 0; i < count; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      dlog::info("rec {}/0 {}", argv[1], i);
      std::exit(0);
    }
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) ++failures;
  }
  std::printf("failures %d\n", failures);
}
