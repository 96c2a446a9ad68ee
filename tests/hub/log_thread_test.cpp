// Tests of log_thread.cpp: order, barriers, what is said first, and what happens when the queue is full.
#include "log/hub/log_thread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/log.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::Command;
using hub::LogThread;
using std::chrono::milliseconds;
using Words = std::vector<std::string>;

// Holds the log thread where it passes, until it is opened.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void await_somebody() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ > 0; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

}  // namespace

TEST_CASE("log thread: what was logged before a flush is told after it") {
  Log& log = start_log();
  for (int i = 0; i < 300; ++i) {
    log.submit(fmt::format("record {}", i));
    REQUIRE(log.flush());
    REQUIRE(log.told.count() == static_cast<std::size_t>(i) + 1);
  }
  const auto told = log.told.told();
  for (std::size_t i = 0; i < told.size(); ++i) REQUIRE(words_of(told[i]) == fmt::format("INF prog: record {}", i));
  CHECK(told.front().thread == os::thread_id());
  CHECK(std::is_sorted(told.begin(), told.end(), [](const Told& a, const Told& b) { return a.time_ns < b.time_ns; }));
  const Stats stats = log.thread->stats();
  CHECK(stats.enqueued == 300);
  CHECK(stats.shown == 300);
  CHECK(log.thread->undecided() == 0);
}

TEST_CASE("log thread: a record of one thread that came after another's is told after it") {
  Log& log = start_log();
  constexpr int rounds = 5000;
  std::atomic<int> turn{0};
  const auto speak = [&](int first) {
    for (int i = first; i < rounds; i += 3) {
      while (turn.load(std::memory_order_acquire) != i) std::this_thread::yield();
      log.submit(fmt::format("{}", i));
      turn.store(i + 1, std::memory_order_release);
    }
  };
  std::vector<std::thread> threads;
  for (int first = 0; first < 3; ++first) threads.emplace_back(speak, first);
  for (std::thread& thread : threads) thread.join();
  const Words words = log.flushed();
  REQUIRE(words.size() == rounds);
  int wrong = 0;
  for (int i = 0; i < rounds; ++i) {
    if (words[static_cast<std::size_t>(i)] != fmt::format("INF prog: {}", i)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("log thread: many threads, a small queue, nothing lost and each in order") {
  Config config;
  config.queue_bytes = 16'384;
  config.block_limit = long_time;
  Log& log = start_log(config);
  constexpr int callers = 8;
  constexpr int calls = 3000;
  submit_numbered(log, callers, calls);
  REQUIRE(log.flush());
  std::vector<int> next(callers, 0);
  CHECK(out_of_order(log, next) == 0);
  CHECK(next == std::vector<int>(callers, calls));
  CHECK(log.thread->stats().dropped == 0);
  CHECK(log.balanced());
}

TEST_CASE("log thread: it is woken from its sleep") {
  Log& log = start_log();
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(milliseconds(80));  // long enough to park; if not, the test shows less
    log.submit(fmt::format("{}", i), i % 2 == 0 ? Level::info : Level::error);
    REQUIRE(until([&] { return log.told.count() == static_cast<std::size_t>(i) + 1; }));
  }
}

TEST_CASE("log thread: what there is to say first comes first, and passes the level") {
  Log& log = make_log({}, {}, {{Level::warn, "bad variable"}, {Level::debug, "bad pipe"}});
  log.thread->say_first({Level::warn, "cannot listen"});
  log.set_threshold(Level::info);
  log.submit("early");
  REQUIRE(log.thread->start() == "");
  log.submit("hello");
  CHECK(log.flushed() == Words{"WRN dlog (notice): bad variable", "WRN dlog (notice): cannot listen", "INF prog: early",
                               "INF prog: hello"});
  CHECK(log.thread->stats().enqueued == 2);
}

TEST_CASE("log thread: first notices are told though nobody logs") {
  const Log& log = start_log({}, {}, {{Level::warn, "bad variable"}});
  CHECK(until([&] { return log.tells("WRN dlog (notice): bad variable"); }));
}

TEST_CASE("log thread: a notice of a caller's is in order and no record of the program") {
  Log& log = start_log();
  log.submit("one");
  log.thread->submit_notice(Level::debug, "in between");
  log.submit("two");
  CHECK(log.flushed() == Words{"INF prog: one", "DBG dlog (notice): in between", "INF prog: two"});
  CHECK(log.thread->stats().enqueued == 2);
  CHECK(log.thread->stats().shown == 2);
}

TEST_CASE("log thread: a full queue drops, counts, and says so in words") {
  Config config;
  config.queue_bytes = 10'000;
  config.overflow = Overflow::drop;
  const auto gate = std::make_shared<Gate>();
  Log& log = start_log(config, [gate](const Event&) { gate->pass(); });
  log.submit("first");
  gate->await_somebody();
  for (int i = 0; i < 1000; ++i) log.submit("one of many");
  const std::uint64_t dropped = log.thread->stats().dropped;
  CHECK(dropped > 0);
  CHECK(dropped < 1000);
  CHECK(log.thread->undecided() == 1001 - dropped);
  gate->open();
  const Words words = log.flushed();
  CHECK(words.size() == 1001 - dropped + 1);
  CHECK(std::count(words.begin(), words.end(),
                   fmt::format("WRN dlog (notice): {} records dropped: the queue was full", dropped)) == 1);
  CHECK(log.thread->stats().enqueued == 1001);
  CHECK(log.balanced());
  CHECK(log.thread->undecided() == 0);
  log.submit("room again");
  CHECK(log.flushed().back() == "INF prog: room again");
}

TEST_CASE("log thread: with overflow block a caller waits for room") {
  Config config;
  config.queue_bytes = 1000;
  config.block_limit = long_time;
  const auto gate = std::make_shared<Gate>();
  Log& log = start_log(config, [gate](const Event&) { gate->pass(); });
  log.submit("first");
  gate->await_somebody();
  std::atomic<int> said{0};
  std::thread caller([&] {
    for (int i = 0; i < 1000; ++i) {
      log.submit("waits");
      ++said;
    }
  });
  REQUIRE(until([&] { return said > 0; }));
  CHECK(said < 1000);
  gate->open();
  caller.join();
  CHECK(log.flushed().size() == 1001);
  CHECK(log.thread->stats().dropped == 0);
}

TEST_CASE("log thread: a record larger than the queue is told") {
  Config config;
  config.queue_bytes = 100;
  config.overflow = Overflow::drop;
  Log& log = start_log(config);
  log.submit(std::string(100'000, 'x'));
  CHECK(log.flushed() == Words{"INF prog: " + std::string(100'000, 'x')});
}

TEST_CASE("log thread: a flush that cannot be carried out in time says so, and is carried out later") {
  const auto gate = std::make_shared<Gate>();
  Log& log = start_log({}, [gate](const Event&) { gate->pass(); });
  log.submit("first");
  gate->await_somebody();
  CHECK_FALSE(log.thread->run(Command::flush, milliseconds(1)));
  CHECK_FALSE(log.thread->run_while_moving(Command::flush, milliseconds(20)));
  gate->open();
  CHECK(log.thread->run_while_moving(Command::flush, long_time));
  CHECK(log.told.words() == Words{"INF prog: first"});
}

TEST_CASE("log thread: a sink may log; it never waits and its records come next") {
  Config config;
  config.queue_bytes = 3000;
  config.block_limit = long_time;
  Log& log = start_log(config);
  std::atomic<bool> flushed{true};
  log.sinks.add(std::make_shared<Calling>([&](const Event& event) {
    if (event.record == nullptr || event.record->message != "ask") return;
    for (int i = 0; i < 1000; ++i) log.submit("answer");  // more than there is room for: dropped, not waited for
    flushed = log.thread->run(Command::flush, long_time) || log.thread->run_while_moving(Command::leave, long_time);
  }));
  log.submit("ask");
  REQUIRE(log.flush());
  CHECK_FALSE(flushed);
  const Words words = log.flushed();
  CHECK(words[0] == "INF prog: ask");
  CHECK(std::count(words.begin(), words.end(), "INF prog: answer") > 1);
  CHECK(log.thread->stats().dropped > 0);
  CHECK(log.balanced());
}

TEST_CASE("log thread: sinks that throw, and outlets that complain, are told of once") {
  Log& log = start_log();
  log.sinks.add(std::make_shared<Calling>([](const Event&) { throw std::runtime_error("on fire"); }));
  for (int i = 0; i < 3; ++i) {
    log.submit("m");
    REQUIRE(log.flush());
  }
  const Words words = log.told.words();
  CHECK(std::count(words.begin(), words.end(), "WRN dlog (notice): a sink threw: on fire") == 1);
  CHECK(words.size() == 4);
}

TEST_CASE("log thread: records that the console refused are counted") {
  class Refusing : public event::Outlet {
   public:
    void accept(const Event& event) override {
      if (event.record != nullptr && event.source.id == 0 && !event.record->notice) ++lost_;
    }
    void flush() override {}
    void settle() override {}
    std::uint64_t undelivered() const override { return lost_; }

   private:
    std::uint64_t lost_ = 0;
  };
  static auto* const threshold = new capture::Atomic<std::uint8_t>(1);
  static auto* const doorbell = new capture::Atomic<std::uint8_t>(0);
  static auto* const sites = new event::SiteTable;
  static auto* const sinks = new hub::SinkList;
  LogThread::Setup setup;
  setup.self = {"prog", 4711};
  setup.threshold = threshold;
  setup.doorbell = doorbell;
  setup.sites = sites;
  setup.sinks = sinks;
  setup.outlets.push_back(std::make_unique<Refusing>());
  static auto* const thread = new LogThread(std::move(setup));
  REQUIRE(thread->start() == "");
  const std::uint32_t site = text_site(*sites);
  for (int i = 0; i < 5; ++i) REQUIRE(write_record(thread->place(record_bytes(""), Level::info), site, ""));
  REQUIRE(thread->run(Command::flush, long_time));
  const Stats stats = thread->stats();
  CHECK(stats.enqueued == 5);
  CHECK(stats.shown == 0);
  CHECK(stats.undeliverable == 5);
}

TEST_CASE("log thread: while it works, what is urgent rings, also where a ring woke it") {
  static std::atomic<Log*> made{nullptr};
  static std::atomic<int> rings_from{-1};
  Log& log = make_log({}, [](const Event&) {
    if (const Log* const log_of_it = made.load()) rings_from = log_of_it->doorbell.load_relaxed();
  });
  made = &log;
  REQUIRE(log.thread->start() == "");
  for (int i = 0; i < 20; ++i) {
    rings_from = -1;
    log.submit("urgent", Level::error);
    while (rings_from == -1) std::this_thread::yield();
    CHECK(rings_from == static_cast<int>(Level::error));
  }
  CHECK(log.flush());
}
