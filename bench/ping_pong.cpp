// How long a cache line takes from one core to the other: two threads hand one word back and forth. Every asynchronous
// logger's hot path hangs on this figure; on a virtual machine it changes with where the host has put the cores.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

#include "ticks.hpp"

namespace {

// Batches are shorter than the kernel's time slices, and the faster quarter of them counts: that another process wants a core
// now and then does not make the cores far.
constexpr std::uint32_t round_trips = 1'000;
constexpr std::size_t batches = 101;

struct alignas(256) Word {
  std::atomic<std::uint32_t> value{0};
};
Word word;

// The cores that this process may use, at most two.
std::vector<std::size_t> cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<std::size_t> found;
  for (std::size_t core = 0; core < CPU_SETSIZE && found.size() < 2; ++core) {
    if (CPU_ISSET(core, &set)) found.push_back(core);
  }
  return found;
}

void stay_on(std::size_t core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

void answer(std::size_t core) {
  stay_on(core);
  for (std::uint32_t i = 0; i < batches * round_trips; ++i) {
    while (word.value.load(std::memory_order_acquire) != 2 * i + 1) {
    }
    word.value.store(2 * i + 2, std::memory_order_release);
  }
}

double batch(std::uint32_t& next) {
  const std::int64_t start = bench::steady_ns();
  for (std::uint32_t end = next + round_trips; next < end; ++next) {
    word.value.store(2 * next + 1, std::memory_order_release);
    while (word.value.load(std::memory_order_acquire) != 2 * next + 2) {
    }
  }
  return static_cast<double>(bench::steady_ns() - start) / (2.0 * round_trips);
}

}  // namespace

int main() {
  const std::vector<std::size_t> found = cores();
  if (found.size() < 2) {
    std::puts(R"({"bench": "ping_pong", "one_way_ns": null})");
    return 0;
  }
  std::thread other(answer, found[1]);
  stay_on(found[0]);
  std::array<double, batches> one_way{};
  std::uint32_t next = 0;
  for (double& ns : one_way) ns = batch(next);
  other.join();
  std::sort(one_way.begin(), one_way.end());
  std::printf("{\"bench\": \"ping_pong\", \"one_way_ns\": %.1f}\n", one_way[batches / 4]);
}
