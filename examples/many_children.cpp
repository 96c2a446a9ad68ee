// A parent and six children, three different programs: this is what scripts/demo shows.
//
// The parent logs and shows a bar of its own; the children (many_children_download, _compile and _verify, found beside this
// program) know nothing of it. With --quick all goes ten times faster.
#include <dlog/dlog.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace {

pid_t start(const std::filesystem::path& program, const std::string& task, const std::string& speed) {
  std::string name = program.string();
  std::string task_copy = task;
  std::string speed_copy = speed;
  char* arguments[] = {name.data(), task_copy.data(), speed_copy.data(), nullptr};
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, name.c_str(), nullptr, nullptr, arguments, environ);
  if (failed == 0) return pid;
  dlog::error("cannot start {}: {}", name, std::strerror(failed));
  return -1;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string speed = count > 1 && std::string_view(arguments[1]) == "--quick" ? "10" : "1";
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const std::vector<std::pair<std::string, std::string>> tasks{
      {"many_children_download", "fonts"}, {"many_children_download", "images"},
      {"many_children_compile", "engine"}, {"many_children_compile", "plug-ins"},
      {"many_children_verify", "archive"}, {"many_children_verify", "signature"},
  };
  dlog::info("building a release with {} children", tasks.size());
  dlog::ProgressBar all("Release", tasks.size());
  int failures = 0;
  std::vector<pid_t> pids;
  for (const auto& [program, task] : tasks) {
    const pid_t pid = start(folder / program, task, speed);
    if (pid > 0) pids.push_back(pid);
    else ++failures;
  }
  while (!pids.empty()) {
    int status = 0;
    const pid_t ended = wait(&status);
    if (ended <= 0) break;
    std::erase(pids, ended);
    ++all;
    if (status != 0) ++failures;
    dlog::debug("process {} ended with status {}", ended, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }
  if (failures == 0) {
    all.finish();
    dlog::info("the release is ready");
  } else {
    all.fail(std::to_string(failures) + " children failed");
  }
  return failures == 0 ? 0 : 1;
}
