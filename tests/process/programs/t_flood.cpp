// Test program: logs numbered records for some time, much in a short time, and says how many and how long its longest call took.
#include <dlog/dlog.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

// t_flood <name> <milliseconds>
int main(int argc, char** argv) {
  if (argc != 3) return 64;
  using Clock = std::chrono::steady_clock;
  const std::string name = argv[1];
  const auto until = Clock::now() + std::chrono::milliseconds(std::atoi(argv[2]));
  dlog::ProgressBar bar(name);
  Clock::duration longest{};
  std::uint64_t logged = 0;
  while (Clock::now() < until) {
    for (int i = 0; i < 60; ++i, ++logged) {
      const auto before = Clock::now();
      dlog::info("rec {}/0 {} {}|", name, logged, std::string(logged % 97, 'x'));
      longest = std::max(longest, Clock::now() - before);
    }
    bar.push(logged);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  bar.finish();
  const long long longest_ms = std::chrono::duration_cast<std::chrono::milliseconds>(longest).count();
  const dlog::Stats stats = dlog::stats();
  std::printf("logged %llu\ndropped %llu\nlongest %lld\n", static_cast<unsigned long long>(logged),
              static_cast<unsigned long long>(stats.dropped), longest_ms);
}
