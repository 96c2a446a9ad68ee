// What the kernel knows about this process: CPU time, memory.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace bench {

inline double cpu_seconds_of(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// User and system time of all threads.
inline double cpu_seconds() { return cpu_seconds_of(RUSAGE_SELF); }

// The same of the calling thread alone.
inline double thread_cpu_seconds() { return cpu_seconds_of(RUSAGE_THREAD); }

// How often the calling thread had to leave its core to somebody else, without waiting for anything.
inline std::int64_t interruptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

// A number of /proc/self/status: "VmHWM" (peak RSS, KiB), "VmRSS" (KiB), "Threads". ru_maxrss would not do: it begins with
// the peak of whoever started this process.
inline std::uint64_t process_status(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    std::uint64_t value = 0;
    if (word == name + ":" && status >> value) return value;
  }
  return 0;
}

}  // namespace bench
