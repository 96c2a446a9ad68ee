// Tests of barrier_linux.cpp: two threads, each of which writes and then looks at what the other wrote, never both miss it, though
// only one of them has a barrier. That is how the log thread goes to sleep.
#include "os/barrier.hpp"

#include <atomic>
#include <cstdint>
#include <thread>

#include "support/catch.hpp"
#include "support/fork.hpp"

using namespace dlog;

TEST_CASE("barrier: it is there, again and again, and in a forked child") {
  for (int i = 0; i < 10; ++i) REQUIRE(os::barrier_in_all_threads());
  const test::Ended ended = test::in_child([] { test::say(os::barrier_in_all_threads() ? "yes" : "no"); });
  CHECK(ended.out == "yes\n");
}

TEST_CASE("barrier: one side pays, and no wake-up is lost") {
  REQUIRE(os::barrier_in_all_threads());
  constexpr std::uint32_t trials = 200'000;
  struct alignas(64) Line {
    std::atomic<std::uint32_t> value{0};
  };
  Line record;
  Line doorbell;
  Line go;
  Line seen;
  std::uint32_t lost = 0;
  // Where others want the cores too, the one that is waited for may need ours.
  const auto spin_until = [](auto done) {
    for (std::uint32_t spins = 1; !done(); ++spins)
      if (spins % 1024 == 0) std::this_thread::yield();
  };
  std::thread caller([&] {
    for (std::uint32_t i = 1; i <= trials; ++i) {
      spin_until([&] { return go.value.load(std::memory_order_acquire) == i; });
      for (std::uint32_t spin = i * 2'654'435'761U >> 26; spin != 0; --spin)
        std::atomic_signal_fence(std::memory_order_seq_cst);
      record.value.store(i, std::memory_order_release);
      std::atomic_signal_fence(std::memory_order_seq_cst);
      seen.value.store(doorbell.value.load(std::memory_order_relaxed) == i ? 2 * i : 2 * i + 1,
                       std::memory_order_release);
    }
  });
  for (std::uint32_t i = 1; i <= trials; ++i) {
    go.value.store(i, std::memory_order_release);
    doorbell.value.store(i, std::memory_order_relaxed);
    os::barrier_in_all_threads();
    const bool saw_record = record.value.load(std::memory_order_acquire) == i;
    spin_until([&] { return seen.value.load(std::memory_order_acquire) / 2 == i; });
    const bool saw_doorbell = seen.value.load(std::memory_order_acquire) % 2 == 0;
    if (!saw_record && !saw_doorbell) ++lost;
  }
  caller.join();
  CHECK(lost == 0);
}
