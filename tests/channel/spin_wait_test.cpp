// Tests of channel/spin_wait: when a wait spins, and that spinning or not it waits as the loop does.
#include "channel/spin_wait.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "channel/sleeps.hpp"
#include "os/clock.hpp"
#include "os/descriptor.hpp"
#include "os/event_loop.hpp"
#include "os/message_socket.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog;
using channel::SpinPolicy;
using channel::SpinWait;
using test::sleeps_of_this_thread;

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

// A loop with a socket, and what the other side says through it.
class Talk {
 public:
  explicit Talk(std::chrono::microseconds spin_) : waiter(spin_) {
    REQUIRE(loop);
    REQUIRE(pair);
    REQUIRE(loop->watch_socket(pair->ours));
  }
  void answer() {  // on any thread: Catch asks only one
    const std::string_view text = "x";
    if (os::send_message(pair->theirs, {&text, 1}, -1).outcome != os::Transfer::done) std::abort();
  }
  os::EventLoop::Ready wait() {
    const os::EventLoop::Ready ready = waiter.wait(*loop);
    std::vector<char> buffer(10);
    std::vector<os::Descriptor> descriptors;
    if (ready.readable) os::receive_message(pair->ours, buffer, descriptors);
    return ready;
  }
  // Sends, and is answered before it waits.
  void talk() {
    waiter.sent();
    answer();
    CHECK(wait().readable);
  }
  // Waits for a time. True: it slept; on a busy machine the time may have come before the wait.
  bool sleeps_till(std::int64_t wait_ns) {
    const std::int64_t before = sleeps_of_this_thread();
    loop->wake_at(os::monotonic_ns() + wait_ns);
    CHECK(wait().timer);
    return sleeps_of_this_thread() != before;
  }
  bool sleeps_at_rest() {
    for (int i = 0; i < 100; ++i)
      if (sleeps_till(20'000 * us)) return true;
    return false;
  }
  void talk_until_it_spins() {
    for (int i = 0; i < 10'000 && !waiter.spins(); ++i) talk();
    REQUIRE(waiter.spins());
  }

  Result<os::EventLoop> loop = os::EventLoop::create();
  Result<os::SocketPair> pair = os::socket_pair();
  SpinWait waiter;
};

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
    wait_often(policy, SpinPolicy::late_most - 1, in_time);
  }
  CHECK(policy.spins());
}

TEST_CASE("spin wait: it ends where most come late") {
  SpinPolicy policy(spin);
  sleeps_until_it_spins(policy);
  int waits = 0;
  for (; policy.spins() && waits < 100; ++waits) policy.waited(waits % 3 == 2 ? in_time : late);
  CHECK(waits < 20);
}

TEST_CASE("spin wait: what comes quickly but not in time, several times, ends it") {
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

TEST_CASE("spin wait: a phase with some spins in time was worth it, and what was in vain before is forgotten") {
  for (const bool enough : {true, false}) {
    SpinPolicy policy(spin);
    for (int i = 0; i < 3; ++i) {
      sleeps_until_it_spins(policy);
      policy.waited(in_vain);
    }
    sleeps_until_it_spins(policy);
    wait_often(policy, SpinPolicy::good_least - (enough ? 0 : 1), in_time);
    policy.waited(in_vain);
    CHECK(sleeps_until_it_spins(policy) == (enough ? 1 : 16) * SpinPolicy::quick_least);
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

TEST_CASE("spin wait: what is there already is told at once, and keeps it spinning") {
  Talk talk(SpinPolicy::spin_most);
  talk.talk_until_it_spins();
  for (int i = 0; i < 1000; ++i) talk.talk();
  CHECK(talk.waiter.spins());
}

TEST_CASE("spin wait: what comes during a spin ends it, and nobody has slept") {
  Talk talk(SpinPolicy::spin_most);
  std::int64_t slept = 1;
  for (int i = 0; i < 5 && slept != 0; ++i) {  // a page that is fetched is a sleep as well
    talk.talk_until_it_spins();
    talk.waiter.sent();
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      talk.answer();
    });
    const std::int64_t before = sleeps_of_this_thread();
    CHECK(talk.wait().readable);
    slept = sleeps_of_this_thread() - before;
    other.join();
  }
  CHECK(slept == 0);
}

TEST_CASE("spin wait: after a spin in vain it sleeps until something comes, and spins no more") {
  Talk talk(std::chrono::milliseconds(50));
  bool slept = false;
  for (int i = 0; i < 100 && !slept; ++i) {
    talk.talk_until_it_spins();
    talk.waiter.sent();
    slept = talk.sleeps_till(150'000 * us);
    if (slept) CHECK_FALSE(talk.waiter.spins());
  }
  CHECK(slept);
}

TEST_CASE("spin wait: what is no answer ends a spin, and is nothing to spin for") {
  Talk talk(SpinPolicy::spin_most);
  for (int i = 0; i < 100; ++i) {
    talk.waiter.sent();
    talk.loop->ring();
    CHECK(talk.wait().rung);
  }
  CHECK_FALSE(talk.waiter.spins());
  talk.talk_until_it_spins();
  talk.waiter.sent();
  for (int i = 0; i < SpinPolicy::late_most; ++i) {
    CHECK(talk.waiter.spins());
    talk.loop->ring();
    CHECK(talk.wait().rung);
  }
  CHECK_FALSE(talk.waiter.spins());
}

TEST_CASE("spin wait: answers that are slow never make it spin") {
  Talk talk(std::chrono::microseconds(50));
  for (int i = 0; i < 3 * SpinPolicy::quick_least; ++i) {
    talk.waiter.sent();
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      talk.answer();
    });
    CHECK(talk.wait().readable);
    other.join();
  }
  CHECK_FALSE(talk.waiter.spins());
}

TEST_CASE("spin wait: where nothing was sent it sleeps, and learns nothing from that") {
  Talk talk(SpinPolicy::spin_most);
  const auto hear = [&] {
    talk.answer();
    CHECK(talk.wait().readable);
  };
  for (int i = 0; i < 1000; ++i) hear();
  CHECK_FALSE(talk.waiter.spins());
  talk.talk_until_it_spins();
  CHECK(talk.sleeps_at_rest());
  CHECK(talk.waiter.spins());
}

TEST_CASE("spin wait: one answer is the answer to all that was sent before it") {
  Talk talk(SpinPolicy::spin_most);
  talk.talk_until_it_spins();
  talk.waiter.sent();
  talk.talk();
  CHECK(talk.sleeps_at_rest());
  CHECK(talk.waiter.spins());  // else it slept only because spins were in vain
}

TEST_CASE("spin wait: a loop that was closed is told, spinning or not") {
  Talk talk(SpinPolicy::spin_most);
  talk.talk_until_it_spins();
  talk.loop->close();
  CHECK(talk.wait().broken);
  talk.waiter.sent();
  CHECK(talk.wait().broken);
}

}  // namespace
