// Tests of counter_linux.cpp: what it says, it says again; and where it says yes the counter is one clock for all threads.
#include "os/counter.hpp"

#include <atomic>
#include <cstdint>
#include <thread>

#include "support/catch.hpp"

using namespace dlog;

TEST_CASE("counter: steady or not, but the same each time") {
  const bool steady = os::counter_is_steady();
  for (int i = 0; i < 5; ++i) CHECK(os::counter_is_steady() == steady);
}

#if defined(__x86_64__)
TEST_CASE("counter: where it is steady, no thread sees another's past") {
  if (!os::counter_is_steady()) return;
  std::atomic<std::uint64_t> turn{0};
  std::uint64_t last = 0;
  std::uint64_t backwards = 0;
  constexpr std::uint64_t settling = 10'000;  // ticks; a processor reads its counter ahead of time
  const auto look = [&](std::uint64_t odd) {
    for (std::uint64_t i = odd; i < 20'000; i += 2) {
      while (turn.load(std::memory_order_acquire) != i) std::this_thread::yield();
      const std::uint64_t now = __builtin_ia32_rdtsc();
      if (now + settling < last) ++backwards;
      last = now;
      turn.store(i + 1, std::memory_order_release);
    }
  };
  std::thread even([&] { look(0); });
  std::thread odd([&] { look(1); });
  even.join();
  odd.join();
  CHECK(backwards == 0);
}
#endif
