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
constexpr std::chrono::microseconds spin(50);

// How many quick sleeps it takes until it spins.
int sleeps_until_it_spins(SpinPolicy& policy) {
  int sleeps = 0;
  for (; !policy.spins() && sleeps < 1'000'000; ++sleeps) policy.slept(0);
  return sleeps;
}

os::EventLoop made() {
  auto loop = os::EventLoop::create();
  REQUIRE(loop);
  return std::move(*loop);
}

// Waits that are answered before they begin.
void wait_quickly(SpinWait& waiter, os::EventLoop& loop) {
  for (int i = 0; i < SpinPolicy::quick_least; ++i) {
    loop.ring();
    CHECK(waiter.wait(loop).rung);
  }
}

std::int64_t sleeps_of_this_thread() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  return used.ru_nvcsw;
}

TEST_CASE("spin wait: it spins once several waits in a row were short") {
  SpinPolicy policy(spin);
  CHECK(sleeps_until_it_spins(policy) == SpinPolicy::quick_least);
}

TEST_CASE("spin wait: a sleeper may be woken late, up to twice the spin") {
  SpinPolicy policy(spin);
  for (int i = 0; i < SpinPolicy::quick_least; ++i) policy.slept(100 * us - 1);
  CHECK(policy.spins());
}

TEST_CASE("spin wait: a long sleep takes back what some quick ones have given") {
  SpinPolicy policy(spin);
  for (int i = 0; i < SpinPolicy::quick_least - 1; ++i) policy.slept(0);
  policy.slept(100 * us);
  CHECK(sleeps_until_it_spins(policy) == SpinPolicy::quick_least);

  policy.spun(false);
  policy.spun(false);
  for (int i = 0; i < 20; ++i) policy.slept(0);
  policy.slept(100 * us);
  CHECK(sleeps_until_it_spins(policy) == 4 * SpinPolicy::quick_least - 20 + SpinPolicy::quick_least);
}

TEST_CASE("spin wait: it goes on while it finds something in time") {
  SpinPolicy policy(spin);
  sleeps_until_it_spins(policy);
  for (int i = 0; i < 1000; ++i) policy.spun(true);
  CHECK(policy.spins());
}

TEST_CASE("spin wait: each spin in vain doubles how many quick sleeps it takes, up to a bound") {
  SpinPolicy policy(spin);
  for (int wanted = SpinPolicy::quick_least; wanted <= SpinPolicy::quick_most; wanted *= 2) {
    CHECK(sleeps_until_it_spins(policy) == wanted);
    policy.spun(false);
  }
  CHECK(sleeps_until_it_spins(policy) == SpinPolicy::quick_most);
}

TEST_CASE("spin wait: many spins in time in a row, and those in vain are forgotten") {
  for (const bool enough : {true, false}) {
    SpinPolicy policy(spin);
    for (int i = 0; i < 3; ++i) policy.spun(false);
    for (int i = 0; i < SpinPolicy::trusted_after - (enough ? 0 : 1); ++i) policy.spun(true);
    policy.spun(false);
    CHECK(sleeps_until_it_spins(policy) == (enough ? 2 : 16) * SpinPolicy::quick_least);
  }
}

TEST_CASE("spin wait: with no time for it it never spins") {
  for (const std::chrono::microseconds none : {0 * spin, -1 * spin, std::chrono::microseconds::min()}) {
    SpinPolicy policy(none);
    for (int i = 0; i < 1000; ++i) policy.slept(0);
    CHECK_FALSE(policy.spins());
  }
}

TEST_CASE("spin wait: a time that no clock reaches is a minute") {
  CHECK(SpinPolicy(std::chrono::microseconds::max()).spin_ns() == 60'000'000 * us);
}

TEST_CASE("spin wait: what is there already is told at once") {
  os::EventLoop loop = made();
  SpinWait waiter(spin);
  wait_quickly(waiter, loop);
  wait_quickly(waiter, loop);
  loop.wake_at(1);
  CHECK(waiter.wait(loop).timer);
}

TEST_CASE("spin wait: what comes during a spin ends it, and nobody has slept") {
  os::EventLoop loop = made();
  SpinWait waiter(SpinPolicy::spin_most);
  wait_quickly(waiter, loop);
  std::int64_t slept = 1;
  for (int i = 0; i < 100 && slept != 0; ++i) {  // a page that is fetched is a sleep as well
    std::atomic<bool> waits{false};
    std::thread ringer([&] {
      while (!waits) std::this_thread::yield();
      loop.ring();
    });
    const std::int64_t before = sleeps_of_this_thread();
    waits = true;
    CHECK(waiter.wait(loop).rung);
    slept = sleeps_of_this_thread() - before;
    ringer.join();
  }
  CHECK(slept == 0);
}

TEST_CASE("spin wait: after a spin in vain it sleeps until something comes") {
  os::EventLoop loop = made();
  SpinWait waiter(spin);
  std::int64_t slept = 0;
  for (int i = 0; i < 100 && slept == 0; ++i) {  // on a busy machine the time may have come before the wait
    wait_quickly(waiter, loop);
    loop.wake_at(os::monotonic_ns() + 20'000 * us);
    const std::int64_t before = sleeps_of_this_thread();
    CHECK(waiter.wait(loop).timer);
    slept = sleeps_of_this_thread() - before;
  }
  CHECK(slept > 0);
}

TEST_CASE("spin wait: a loop that was closed is told, spinning or not") {
  os::EventLoop loop = made();
  SpinWait waiter(SpinPolicy::spin_most);
  wait_quickly(waiter, loop);
  loop.close();
  CHECK(waiter.wait(loop).broken);
}

}  // namespace
