// Tests of who wakes log_thread.cpp, and stress of its going to sleep: a record that is committed while the log thread parks is
// never left lying. Here it parks after every record. With DLOG_TEST_FULL=1 ten million trials (some ten minutes), else some
// thousands.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/log.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using Clock = std::chrono::steady_clock;

std::uint64_t trials() { return std::getenv("DLOG_TEST_FULL") != nullptr ? 10'000'000 : 9'000; }

}  // namespace

TEST_CASE("log thread: no record is left lying by a log thread that parks") {
  static auto* const told = new std::atomic<std::uint64_t>{0};
  Log& log = make_log({}, {}, {}, std::chrono::milliseconds(0));
  log.told.keep(false);
  log.sinks.add(std::make_shared<Calling>([](const Event&) { told->fetch_add(1, std::memory_order_release); }));
  REQUIRE(log.thread->start() == "");
  std::minstd_rand random(1);
  std::uint64_t lost = 0;
  std::uint64_t logged = 0;
  for (std::uint64_t trial = trials(); trial != 0; --trial) {
    // Just as it falls asleep, or some time before or after.
    for (std::uint32_t spin = static_cast<std::uint32_t>(random()) >> (17 + random() % 14); spin != 0; --spin)
      std::atomic_signal_fence(std::memory_order_seq_cst);
    log.submit("m");
    ++logged;
    const auto until = Clock::now() + long_time;
    while (told->load(std::memory_order_acquire) != logged) {
      if (Clock::now() < until) continue;
      ++lost;
      logged = told->load(std::memory_order_acquire);
      log.flush();
      break;
    }
    if (lost != 0) break;
  }
  CHECK(lost == 0);
  CHECK(told->load() == logged);
}

TEST_CASE("log thread: nor are those of several callers at once") {
  static auto* const told = new std::atomic<std::uint64_t>{0};
  Log& log = make_log({}, {}, {}, std::chrono::milliseconds(0));
  log.told.keep(false);
  log.sinks.add(std::make_shared<Calling>([](const Event&) { told->fetch_add(1, std::memory_order_release); }));
  REQUIRE(log.thread->start() == "");
  const std::uint64_t each = trials() / 30;
  constexpr std::uint64_t callers = 3;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < callers; ++t) {
    threads.emplace_back([&, t] {
      std::minstd_rand random(static_cast<std::uint32_t>(t + 1));
      for (std::uint64_t i = 0; i < each; ++i) {
        log.submit("m");
        if (random() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Nobody asks for a flush: what is seen was seen by itself.
  const auto until = Clock::now() + long_time;
  while (told->load(std::memory_order_acquire) != callers * each && Clock::now() < until) std::this_thread::yield();
  CHECK(told->load() == callers * each);
}

TEST_CASE("log thread: while it works, a queue that is half full wakes nobody") {
  static std::atomic<int> stage{0};
  stage = 0;
  Config config;
  config.queue_bytes = 1'000'000;  // what follows takes some 700'000
  Log& log = make_log(config, [](const Event&) {
    if (stage == 0) stage = 1;
    while (stage == 1) std::this_thread::yield();
  });
  REQUIRE(log.thread->start() == "");
  log.submit("first");
  while (stage != 1) std::this_thread::yield();
  for (int i = 0; i < 8000; ++i) log.submit(std::string(70, 'x'));
  CHECK(log.doorbell.load_relaxed() == static_cast<int>(config.flush_on));
  stage = 2;
  CHECK(log.flushed().size() == 8001);
  CHECK(log.thread->stats().dropped == 0);
}
