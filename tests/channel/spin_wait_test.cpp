// Tests of channel/spin_wait: when a wait spins, and that spinning or not it waits as the loop does.
#include "channel/spin_wait.hpp"

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "os/clock.hpp"
#include "os/event_loop.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;
using channel::SpinPolicy;
using channel::SpinWait;

constexpr std::int64_t us = 1000;
constexpr std::chrono::microseconds spin(100);
constexpr std::int64_t in_time = 50 * us - 1;
constexpr std::int64_t late = 50 * us;
constexpr std::int64_t in_vain = 100 * us;  // for a spin
constexpr std::int64_t slow = 200 * us;     // for a sleep

// How many quick sleeps it takes until it spins.
int sleeps_until_it_spins(SpinPolicy& policy) {
  int sleeps = 0;
  for (; !policy.spins() && sleeps < 1'000'000; ++sleeps) policy.waited(slow - 1);
  return sleeps;
}

void wait_often(SpinPolicy& policy, int times, std::int64_t ns) {
  for (int i = 0; i < times; ++i) policy.waited(ns);
}

os::EventLoop made() {
  auto loop = os::EventLoop::create();
  REQUIRE(loop);
  return std::move(*loop);
}

// Waits that are answered before they begin.
void wait_quickly(SpinWait& waiter, os::EventLoop& loop) {
  for (int i = 0; i < 10'000 && !waiter.spins(); ++i) {
    loop.ring();
    CHECK(waiter.wait(loop, true).rung);
  }
  REQUIRE(waiter.spins());
}

std::int64_t sleeps_of_this_thread() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  return used.ru_nvcsw;
}

TEST_CASE("spin wait: it spins once several waits were short") {
  SpinPolicy policy(spin);
  CHECK(sleeps_until_it_spins(policy) == SpinPolicy::quick_least);
}

TEST_CASE("spin wait: a slow sleep takes back what some quick ones have given") {
  SpinPolicy policy(spin);
  wait_often(policy, SpinPolicy::quick_least - 1, 0);
  policy.waited(slow);
  CHECK(sleeps_until_it_spins(policy) == SpinPolicy::quick_least);

  policy.waited(in_vain);
  sleeps_until_it_spins(policy);
  policy.waited(in_vain);
  wait_often(policy, 20, 0);
  policy.waited(slow);
  CHECK(sleeps_until_it_spins(policy) == 4 * SpinPolicy::quick_least - 20 + SpinPolicy::quick_least);
}

TEST_CASE("spin wait: it goes on while most of what it waits for comes in time") {
  SpinPolicy policy(spin);
  sleeps_until_it_spins(policy);
  for (int i = 0; i < 1000; ++i) {
    wait_often(policy, SpinPolicy::late_most - 1, in_vain - 1);
    policy.waited(in_time);
  }
  CHECK(policy.spins());
}

TEST_CASE("spin wait: what comes quickly but not in time, several times in a row, ends it") {
  SpinPolicy policy(spin);
  sleeps_until_it_spins(policy);
  wait_often(policy, SpinPolicy::late_most - 1, late);
  CHECK(policy.spins());
  policy.waited(late);
  CHECK_FALSE(policy.spins());
}

TEST_CASE("spin wait: one spin in vain ends it") {
  SpinPolicy policy(spin);
  sleeps_until_it_spins(policy);
  policy.waited(in_vain);
  CHECK_FALSE(policy.spins());
}

TEST_CASE("spin wait: each end doubles how many quick sleeps it takes, up to a bound") {
  SpinPolicy policy(spin);
  for (int wanted = SpinPolicy::quick_least; wanted <= SpinPolicy::quick_most; wanted *= 2) {
    CHECK(sleeps_until_it_spins(policy) == wanted);
    policy.waited(in_vain);
  }
  CHECK(sleeps_until_it_spins(policy) == SpinPolicy::quick_most);
}

TEST_CASE("spin wait: a steady stream with gaps that are quick and late is slept through, nearly always") {
  SpinPolicy policy(spin);
  int spun = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (policy.spins()) ++spun;
    policy.waited(60 * us);
  }
  CHECK(spun < 100'000 / 100);
}

TEST_CASE("spin wait: many spins in time in a row, and those in vain are forgotten") {
  for (const bool enough : {true, false}) {
    SpinPolicy policy(spin);
    for (int i = 0; i < 3; ++i) {
      sleeps_until_it_spins(policy);
      policy.waited(in_vain);
    }
    sleeps_until_it_spins(policy);
    wait_often(policy, SpinPolicy::trusted_after - (enough ? 0 : 1), in_time);
    policy.waited(in_vain);
    CHECK(sleeps_until_it_spins(policy) == (enough ? 2 : 16) * SpinPolicy::quick_least);
  }
}

TEST_CASE("spin wait: with no time for it it never spins") {
  for (const std::chrono::microseconds none : {0 * spin, -1 * spin, std::chrono::microseconds::min()}) {
    SpinPolicy policy(none);
    wait_often(policy, 1000, 0);
    CHECK_FALSE(policy.spins());
  }
}

TEST_CASE("spin wait: a time that no clock reaches is a minute") {
  CHECK(SpinPolicy(std::chrono::microseconds::max()).spin_ns() == 60'000'000 * us);
}

TEST_CASE("spin wait: what is there already is told at once") {
  os::EventLoop loop = made();
  SpinWait waiter(SpinPolicy::spin_most);
  wait_quickly(waiter, loop);
  loop.wake_at(1);
  CHECK(waiter.wait(loop, true).timer);
}

TEST_CASE("spin wait: what comes during a spin ends it, and nobody has slept") {
  os::EventLoop loop = made();
  SpinWait waiter(SpinPolicy::spin_most);
  std::int64_t slept = 1;
  for (int i = 0; i < 100 && slept != 0; ++i) {  // a page that is fetched is a sleep as well
    wait_quickly(waiter, loop);
    std::atomic<bool> waits{false};
    std::thread ringer([&] {
      while (!waits) std::this_thread::yield();
      loop.ring();
    });
    const std::int64_t before = sleeps_of_this_thread();
    waits = true;
    CHECK(waiter.wait(loop, true).rung);
    slept = sleeps_of_this_thread() - before;
    ringer.join();
  }
  CHECK(slept == 0);
}

TEST_CASE("spin wait: after a spin in vain it sleeps until something comes, and spins no more") {
  os::EventLoop loop = made();
  SpinWait waiter(std::chrono::milliseconds(50));
  std::int64_t slept = 0;
  for (int i = 0; i < 100 && slept == 0; ++i) {  // on a busy machine the time may have come before the wait
    wait_quickly(waiter, loop);
    const std::int64_t before = sleeps_of_this_thread();
    loop.wake_at(os::monotonic_ns() + 150'000 * us);
    CHECK(waiter.wait(loop, true).timer);
    slept = sleeps_of_this_thread() - before;
    if (slept != 0) CHECK_FALSE(waiter.spins());
  }
  CHECK(slept > 0);
}

TEST_CASE("spin wait: sleeps that are slow never make it spin") {
  os::EventLoop loop = made();
  SpinWait waiter(std::chrono::microseconds(50));
  for (int i = 0; i < 3 * SpinPolicy::quick_least; ++i) {
    loop.wake_at(os::monotonic_ns() + 2'000 * us);
    CHECK(waiter.wait(loop, true).timer);
  }
  CHECK_FALSE(waiter.spins());
}

TEST_CASE("spin wait: what is found at once keeps it spinning") {
  os::EventLoop loop = made();
  SpinWait waiter(SpinPolicy::spin_most);
  wait_quickly(waiter, loop);
  for (int i = 0; i < 1000; ++i) {
    loop.ring();
    CHECK(waiter.wait(loop, true).rung);
  }
  CHECK(waiter.spins());
}

TEST_CASE("spin wait: where no answer is waited for it sleeps, and learns nothing from that") {
  os::EventLoop loop = made();
  SpinWait waiter(SpinPolicy::spin_most);
  for (int i = 0; i < 10'000; ++i) {
    loop.ring();
    CHECK(waiter.wait(loop, false).rung);
  }
  CHECK_FALSE(waiter.spins());
  wait_quickly(waiter, loop);
  std::int64_t slept = 0;
  for (int i = 0; i < 100 && slept == 0; ++i) {  // on a busy machine the time may have come before the wait
    const std::int64_t before = sleeps_of_this_thread();
    loop.wake_at(os::monotonic_ns() + 20'000 * us);
    CHECK(waiter.wait(loop, false).timer);
    slept = sleeps_of_this_thread() - before;
  }
  CHECK(slept > 0);
  CHECK(waiter.spins());
}

TEST_CASE("spin wait: a loop that was closed is told, spinning or not") {
  os::EventLoop loop = made();
  SpinWait waiter(SpinPolicy::spin_most);
  wait_quickly(waiter, loop);
  loop.close();
  CHECK(waiter.wait(loop, true).broken);
}

}  // namespace
