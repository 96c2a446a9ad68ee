// When is a record in the file? Watched from outside the logger, by the file's size.
#pragma once

#include <sys/prctl.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "ticks.hpp"

namespace bench {

inline std::uint64_t file_bytes(const std::string& file) {
  struct stat status {};
  return stat(file.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

// Naps of this thread end when they should, not when it suits the kernel (50 us later, otherwise).
inline void nap_precisely() { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

// Waits until the file holds more than `bytes`; false: it did not within 5 s. The look-out sleeps between its looks: on a
// machine with two cores the logger needs them.
inline bool wait_beyond(const std::string& file, std::uint64_t bytes) {
  const auto deadline = Steady::now() + std::chrono::seconds(5);
  while (file_bytes(file) <= bytes) {
    if (Steady::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(10));
  }
  return true;
}

// Runs `log` and says after how many microseconds the file has grown; over 5 s: it has not.
template <class Log>
double shown_after_us(const std::string& file, const Log& log) {
  const std::uint64_t before = file_bytes(file);
  const std::int64_t start = steady_ns();
  log();
  wait_beyond(file, before);
  return static_cast<double>(steady_ns() - start) / 1e3;
}

}  // namespace bench
