// One executable that starts itself: the copies find the first one's console by the environment alone.
#include <dlog/dlog.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

namespace {

constexpr int children = 3;
constexpr int steps = 20;

int child(const std::string& number) {
  dlog::info("child {} says hello", number);
  dlog::ProgressBar bar("Child " + number, steps);
  for (int step = 0; step < steps; ++step) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
    ++bar;
    if (step == steps / 2) dlog::warn("child {} is half way", number);
  }
  bar.finish();
  dlog::info("child {} is done", number);
  return 0;
}

int parent(char* program) {
  dlog::info("the parent listens at {}", dlog::pipe_address());
  std::array<pid_t, children> pids{};
  for (int i = 0; i < children; ++i) {
    std::string number = std::to_string(i + 1);
    std::string word = "child";
    char* arguments[] = {program, word.data(), number.data(), nullptr};
    const int failed =
        posix_spawn(&pids[static_cast<std::size_t>(i)], "/proc/self/exe", nullptr, nullptr, arguments, environ);
    if (failed != 0) {
      dlog::error("cannot start child {}: {}", number, std::strerror(failed));
      return 1;
    }
  }
  int failures = 0;
  for (const pid_t pid : pids) {
    int status = 0;
    waitpid(pid, &status, 0);
    if (status != 0) ++failures;
  }
  dlog::info("all {} children have ended", children);
  return failures;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 3 && std::string_view(arguments[1]) == "child") return child(arguments[2]);
  return parent(arguments[0]);
}
