// What a process's threads do while nothing is asked of them, as the kernel counts it: context switches and time on a core.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace bench {

struct Activity {
  std::uint64_t switches = 0;
  std::uint64_t on_core_ns = 0;
  std::uint64_t threads = 0;
};

// All threads of the process but its main one, which is the benchmark's own.
inline Activity activity_of(pid_t pid) {
  Activity sum;
  std::error_code error;
  const std::string main_thread = std::to_string(pid);
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + main_thread + "/task", error)) {
    if (task.path().filename() == main_thread) continue;
    ++sum.threads;
    std::ifstream status(task.path() / "status");
    for (std::string word; status >> word;) {
      std::uint64_t count = 0;
      if ((word == "voluntary_ctxt_switches:" || word == "nonvoluntary_ctxt_switches:") && status >> count) {
        sum.switches += count;
      }
    }
    std::uint64_t on_core = 0;
    if (std::ifstream(task.path() / "schedstat") >> on_core) sum.on_core_ns += on_core;
  }
  return sum;
}

// Activity between two looks, a second.
struct Rest {
  double switches = 0;
  double core_percent = 0;
};
inline Rest rest_between(const Activity& before, const Activity& after, double seconds) {
  return {static_cast<double>(after.switches - before.switches) / seconds,
          static_cast<double>(after.on_core_ns - before.on_core_ns) / 1e7 / seconds};
}

}  // namespace bench
