// Test program: logs, starts children, logs while they run, waits for them and logs again.
//   t_spawn <how> <children> <threads> <records> <command> [arguments...]
// how: "environ" passes this process's environment on, "built" one with only what child_environment() names of dlog.
// "%" in an argument becomes the child's number. T_OUT, where set, is a folder for the children's stdout and stderr.
#include <dlog/dlog.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

extern char** environ;

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// What this process was given but for dlog's own variables, and then what dlog says a child needs.
std::vector<std::string> built_environment() {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("DLOG_")) result.emplace_back(*entry);
  }
  for (auto& entry : dlog::child_environment()) result.push_back(entry);
  return result;
}

pid_t start(std::vector<std::string> command, int child, bool built) {
  for (auto& argument : command) {
    for (auto at = argument.find('%'); at != std::string::npos; at = argument.find('%', at + 1)) {
      argument.replace(at, 1, std::to_string(child));
    }
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (const char* folder = std::getenv("T_OUT"); folder != nullptr) {
    const std::string path = std::string(folder) + "/" + std::to_string(child);
    posix_spawn_file_actions_addopen(&actions, 1, (path + ".out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, (path + ".err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  std::vector<std::string> environment;
  if (built) environment = built_environment();
  auto arguments = pointers(command);
  auto variables = pointers(environment);
  pid_t pid = -1;
  const int failed =
      posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), built ? variables.data() : environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) std::printf("cannot start %s: %d\n", arguments[0], failed);
  return failed != 0 ? -1 : pid;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::puts("t_spawn environ|built <children> <threads> <records> <command> [arguments...]");
    return 64;
  }
  const bool built = std::string_view(argv[1]) == "built";
  const int children = std::atoi(argv[2]);
  const int threads = std::atoi(argv[3]);
  const int records = std::atoi(argv[4]);
  const std::vector<std::string> command(argv + 5, argv + argc);

  dlog::info("before the children");
  std::vector<pid_t> pids;
  for (int child = 0; child < children; ++child) pids.push_back(start(command, child, built));
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([=] {
      for (int i = 0; i < records; ++i)
        dlog::info("rec parent/{} {} {}|", thread, i, std::string(static_cast<std::size_t>(i % 97), 'x'));
    });
  }
  for (auto& thread : running) thread.join();
  int failures = 0;
  for (const pid_t pid : pids) {
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
      std::printf("child %d ended with %d\n", static_cast<int>(pid), status);
      ++failures;
    }
  }
  dlog::info("after the children");
  return failures == 0 ? 0 : 1;
}
