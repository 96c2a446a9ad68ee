// Tests of backlog.cpp: the bound of the queue, who waits for room, and what is counted as dropped.
#include "log/hub/backlog.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/fork.hpp"

namespace {

using dlog::hub::Backlog;
using std::chrono::milliseconds;

constexpr milliseconds long_time{60'000};
constexpr auto nobody = [] {};

}  // namespace

TEST_CASE("backlog: admits up to its bound") {
  Backlog backlog(100, false, long_time);
  CHECK(backlog.admit(60, true, true, nobody));
  CHECK(backlog.admit(40, true, true, nobody));
  CHECK(backlog.waiting() == 100);
  CHECK_FALSE(backlog.admit(1, true, true, nobody));
  CHECK(backlog.waiting() == 100);
  CHECK(backlog.dropped() == 1);
  backlog.release(40);
  CHECK_FALSE(backlog.admit(41, true, true, nobody));
  CHECK(backlog.admit(40, true, true, nobody));
  CHECK(backlog.dropped() == 2);
}

TEST_CASE("backlog: what is larger than the bound is admitted alone") {
  Backlog backlog(100, false, long_time);
  CHECK(backlog.admit(1'000'000, true, true, nobody));
  CHECK_FALSE(backlog.admit(1, true, true, nobody));
  backlog.release(1'000'000);
  CHECK(backlog.admit(1, true, true, nobody));
  CHECK_FALSE(backlog.admit(1'000'000, true, true, nobody));

  Backlog none(0, false, long_time);
  CHECK(none.admit(10, true, true, nobody));
  CHECK_FALSE(none.admit(10, true, true, nobody));
}

TEST_CASE("backlog: the log thread is woken at high water, and where there is no room") {
  Backlog backlog(100, false, long_time);
  int woken = 0;
  const auto count = [&] { ++woken; };
  CHECK(backlog.admit(50, true, true, count));
  CHECK(woken == 0);
  CHECK(backlog.admit(50, true, true, count));
  CHECK(woken == 1);
  CHECK_FALSE(backlog.admit(1, true, true, count));
  CHECK(woken == 2);
}

TEST_CASE("backlog: a reserve is kept for what matters") {
  Backlog backlog(800, false, long_time);
  CHECK(backlog.admit(700, false, true, nobody));
  CHECK_FALSE(backlog.admit(1, false, true, nobody));
  CHECK(backlog.admit(100, true, true, nobody));
  CHECK_FALSE(backlog.admit(1, true, true, nobody));
  CHECK(backlog.dropped() == 2);
}

TEST_CASE("backlog: a wait ends when room is made") {
  Backlog backlog(100, true, long_time);
  REQUIRE(backlog.admit(100, true, true, nobody));
  std::thread log_thread;
  CHECK(backlog.admit(30, true, true, [&] {
    log_thread = std::thread([&] {
      for (int i = 0; i < 10; ++i) backlog.release(10);
    });
  }));
  log_thread.join();
  CHECK(backlog.waiting() == 30);
  CHECK(backlog.dropped() == 0);
}

TEST_CASE("backlog: who may not wait does not") {
  Backlog backlog(100, true, long_time);
  REQUIRE(backlog.admit(100, true, true, nobody));
  CHECK_FALSE(backlog.admit(1, true, false, nobody));  // would take a minute
  CHECK(backlog.dropped() == 1);
}

TEST_CASE("backlog: after a wait in vain calls drop at once, until room is made") {
  Backlog backlog(100, true, milliseconds(20));
  REQUIRE(backlog.admit(100, true, true, nobody));
  CHECK_FALSE(backlog.admit(1, true, true, nobody));
  for (int i = 0; i < 20'000; ++i) {  // at 20 ms each this would never end
    if (backlog.admit(1, true, true, nobody)) FAIL("admitted without room");
  }
  CHECK(backlog.dropped() == 20'001);

  backlog.release(1);  // something moves again: a call waits again
  REQUIRE(backlog.admit(1, true, true, nobody));
  const auto before = std::chrono::steady_clock::now();
  CHECK_FALSE(backlog.admit(1, true, true, nobody));
  CHECK(std::chrono::steady_clock::now() - before >= milliseconds(20));  // no wait is shorter, however busy the machine
}

TEST_CASE("backlog: the longest wait there is waits") {
  Backlog backlog(100, true, milliseconds::max());
  REQUIRE(backlog.admit(100, true, true, nobody));
  std::thread log_thread;
  CHECK(backlog.admit(30, true, true, [&] { log_thread = std::thread([&] { backlog.release(100); }); }));
  log_thread.join();
  CHECK(backlog.dropped() == 0);
}

TEST_CASE("backlog: no wait at all is a drop") {
  Backlog backlog(100, true, milliseconds(0));
  REQUIRE(backlog.admit(100, true, true, nobody));
  CHECK_FALSE(backlog.admit(1, true, true, nobody));
  CHECK(backlog.dropped() == 1);
}

TEST_CASE("backlog: what is dropped for want of memory is counted with the others, and apart") {
  Backlog backlog(100, false, milliseconds(0));
  REQUIRE(backlog.admit(100, true, true, nobody));
  CHECK_FALSE(backlog.admit(1, true, true, nobody));
  backlog.drop_for_memory();
  backlog.drop_for_memory(3);
  CHECK(backlog.dropped() == 5);
  CHECK(backlog.dropped_for_room() == 1);
  CHECK(backlog.dropped_for_memory() == 4);
}

TEST_CASE("backlog: many callers and one log thread lose nothing and stay within the bound") {
  constexpr std::size_t bound = 1000;
  constexpr int callers = 8;
  constexpr int calls = 20'000;
  Backlog backlog(bound, true, long_time);
  std::atomic<std::size_t> queued{0};
  std::atomic<int> left{callers};
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < callers; ++t) {
    threads.emplace_back([&, t] {
      const auto bytes = static_cast<std::size_t>(10 + t * 7);
      for (int i = 0; i < calls; ++i) {
        if (!backlog.admit(bytes, true, true, nobody)) continue;
        if (queued.fetch_add(bytes) + bytes > bound) over = true;
      }
      --left;
    });
  }
  while (left != 0 || queued != 0) {
    const std::size_t some = queued.exchange(0);
    if (some != 0) backlog.release(some);
    else std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(backlog.dropped() == 0);
  CHECK(backlog.waiting() == 0);
  CHECK_FALSE(over);
}

namespace {

Backlog* interrupted = nullptr;
std::atomic<int> turn{0};

// What exit() does in a handler, as far as the queue sees it: others wait for room, and the log thread makes some.
void others_wait(int) {
  for (int i = 1; i <= 3; ++i) {
    turn = i;
    ::usleep(20'000);
    interrupted->release(50);
    while (turn != -i) ::usleep(1'000);
  }
  _exit(0);
}

}  // namespace

TEST_CASE("backlog: a wait that a signal handler interrupts, and never comes back to, keeps nobody") {
  const dlog::test::Ended ended = dlog::test::in_child([] {
    Backlog backlog(100, true, std::chrono::seconds{60});
    interrupted = &backlog;
    backlog.admit(100, true, true, nobody);
    ::signal(SIGALRM, others_wait);
    std::thread([] {
      for (int i = 1; i <= 3; ++i) {
        while (turn != i) ::usleep(1'000);
        if (!interrupted->admit(50, true, true, nobody)) _exit(1);
        turn = -i;
      }
    }).detach();
    std::thread([] {  // should it hang
      std::this_thread::sleep_for(std::chrono::seconds{10});
      _exit(2);
    })
        .detach();
    ::ualarm(50'000, 0);
    backlog.admit(60, true, true, nobody);
  });
  CHECK(ended.code == 0);
}
