// Tests of log_thread_errands.cpp: a sink that takes nothing stops neither the log thread nor what is asked of it, and loses
// nothing.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "os/clock.hpp"
#include "os/socket.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/frames.hpp"
#include "support/log.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::Command;
using std::chrono::milliseconds;
using Words = std::vector<std::string>;

// What the tests turn and read.
struct Valve {
  std::atomic<bool> shut{false};
  std::atomic<int> room{10};  // so many events are taken while it is shut
  std::atomic<int> settled{0};
};

// Takes what comes until it is shut, then some more, and says that it is full. What was asked for is owed until it is opened.
class Shutting : public CollectingOutlet {
 public:
  Shutting(Collected& to, Valve& valve) : CollectingOutlet(to), valve_(valve) {}
  void accept(const Event& event) override {
    if (valve_.shut) ++over_;
    CollectingOutlet::accept(event);
  }
  void settle() override {
    ++valve_.settled;
    if (valve_.shut) return;
    if (over_ != 0 || owes_) took(1);
    over_ = 0;
    owes_ = false;
  }
  void flush() override {
    CollectingOutlet::flush();
    owes_ = true;
    settle();
  }
  void leave(bool for_good) override {
    CollectingOutlet::leave(for_good);
    owes_ = true;
    settle();
  }
  std::int64_t due_ns() const override {
    return over_ != 0 || owes_ ? os::monotonic_ns() + (valve_.shut ? 5'000'000 : 0) : never;
  }
  bool full() const override { return over_ >= valve_.room; }
  bool owes() const override { return owes_; }

 private:
  Valve& valve_;
  int over_ = 0;
  bool owes_ = false;
};

Log& make_shutting(Valve& valve, Config config = {}) {
  return make_log_on([&](Collected& told) { return std::make_unique<Shutting>(told, valve); }, std::move(config));
}
Config small_queue() {
  Config config;
  config.queue_bytes = 100'000;
  config.block_limit = milliseconds(10);
  return config;
}
Valve& make_valve() {
  static auto* const all = new std::vector<std::unique_ptr<Valve>>;  // log threads go on to the end
  return *all->emplace_back(std::make_unique<Valve>());
}

std::ptrdiff_t count(const Words& words, std::string_view word) { return std::count(words.begin(), words.end(), word); }

}  // namespace

TEST_CASE("log thread: a sink that is full is handed no more, and all of it in order when it takes again") {
  Valve& valve = make_valve();
  Log& log = make_shutting(valve);
  REQUIRE(log.thread->start() == "");
  log.submit("0");
  REQUIRE(log.flush());
  valve.shut = true;
  for (int i = 1; i < 1000; ++i) log.submit(fmt::format("{}", i));
  REQUIRE(until([&] { return log.told.count() == 11; }));
  CHECK_FALSE(log.thread->run(Command::flush, milliseconds(50)));
  CHECK(log.told.count() == 11);
  CHECK(log.thread->undecided() == 989);
  valve.shut = false;
  REQUIRE(until([&] { return log.told.count() == 1000; }));  // by itself
  REQUIRE(log.flush());
  const Words words = log.told.words();
  for (int i = 0; i < 1000; ++i) REQUIRE(words[static_cast<std::size_t>(i)] == fmt::format("INF prog: {}", i));
  CHECK(log.balanced());
}

TEST_CASE("log thread: while a sink is full the queue has its bound, and what was dropped is told once") {
  Valve& valve = make_valve();
  Log& log = make_shutting(valve, small_queue());
  REQUIRE(log.thread->start() == "");
  valve.shut = true;
  for (int i = 0; i < 5000; ++i) log.submit(std::string(100, 'x'));
  const std::uint64_t dropped = log.thread->stats().dropped;
  CHECK(dropped > 1000);
  valve.shut = false;
  const Words words = log.flushed();
  CHECK(words.size() == 5000 - dropped + 1);
  CHECK(count(words, fmt::format("WRN dlog (notice): {} records dropped: the queue was full", dropped)) == 1);
  CHECK(log.balanced());
}

TEST_CASE("log thread: while a sink is full bars that start have the queue's bound, and end all the same") {
  Valve& valve = make_valve();
  Log& log = make_shutting(valve, small_queue());
  REQUIRE(log.thread->start() == "");
  const auto first = make_cell(1, 10, "first");
  log.submit_bar(first, BarState::running);
  REQUIRE(log.flush());
  valve.shut = true;
  std::vector<std::shared_ptr<hub::BarCell>> cells;
  for (std::uint64_t id = 2; id < 2000; ++id) {
    cells.push_back(make_cell(id, 10, "one more"));
    log.submit_bar(cells.back(), BarState::running);
    if (!cells.back()->refused) log.submit_bar(cells.back(), BarState::finished);
  }
  log.submit_bar(first, BarState::finished);
  const auto refused = static_cast<std::uint64_t>(
      std::count_if(cells.begin(), cells.end(), [](const auto& cell) { return cell->refused.load(); }));
  CHECK(refused > 1500);
  CHECK(refused < 1990);
  CHECK(log.thread->stats().dropped == refused);
  valve.shut = false;
  const Words words = log.flushed();
  CHECK(count(words, fmt::format("WRN dlog (notice): {} records dropped: the queue was full", refused)) == 1);
  CHECK(count(words, "bar 1 of prog: finished 0/10 first") == 1);
  CHECK(log.balanced());
  // All room is there again.
  for (std::uint64_t id = 3000; id < 3020; ++id) {
    const auto cell = make_cell(id, 10, "late");
    log.submit_bar(cell, BarState::running);
    CHECK_FALSE(cell->refused);
    log.submit_bar(cell, BarState::cleared);
  }
  CHECK(log.flush());
}

TEST_CASE("log thread: while a sink is full it does not spin, though children and callers have more") {
  Valve& valve = make_valve();
  Config config;
  config.queue_bytes = 100'000;
  config.overflow = Overflow::drop;
  Log& log = make_shutting(valve, config);
  REQUIRE(log.thread->listen() == "");
  REQUIRE(log.thread->start() == "");
  const auto child_end = os::connect_to({0x7F000001, log.thread->port()}, long_time);
  send_all(*child_end, log_frame(2, "hello"));
  REQUIRE(until([&] { return log.told.count() == 1; }));
  valve.shut = true;
  for (int i = 0; i < 100; ++i) log.submit("m");
  REQUIRE(until([&] { return log.told.count() == 11; }));
  send_all(*child_end, log_frame(2, "more"));
  const int before = valve.settled;
  const std::int64_t since_ns = os::monotonic_ns();
  for (int i = 0; i < 100; ++i) {
    for (int k = 0; k < 50; ++k) log.submit(std::string(100, 'x'));
    std::this_thread::sleep_for(milliseconds(1));
  }
  // At its tries, each 5 ms; a record above high water would have ended each of the sleeps.
  CHECK(valve.settled - before <= (os::monotonic_ns() - since_ns) / 5'000'000 + 2);
  CHECK(log.told.count() == 11);
  valve.shut = false;
  REQUIRE(until([&] { return log.tells("INF child: more"); }));
}

TEST_CASE("log thread: what is asked for is done when it is written, though others go on logging") {
  Valve& valve = make_valve();
  Log& log = make_shutting(valve);
  REQUIRE(log.thread->start() == "");
  std::atomic<bool> over{false};
  std::thread flooding([&] {
    while (!over) {
      for (int i = 0; i < 20; ++i) log.submit("flood");  // more than there is room for while it is shut
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  for (int round = 0; round < 20; ++round) {
    valve.shut = true;
    log.submit(fmt::format("round {}", round));
    std::thread opening([&] {
      std::this_thread::sleep_for(milliseconds(5));
      valve.shut = false;
    });
    CHECK(log.flush());
    CHECK(log.tells(fmt::format("INF prog: round {}", round)));
    opening.join();
  }
  over = true;
  flooding.join();
  CHECK(log.flush());
}

TEST_CASE("log thread: bytes that a sink still has are waited for, not those that come after them") {
  Valve& valve = make_valve();
  Log& log = make_shutting(valve);
  REQUIRE(log.thread->start() == "");
  valve.shut = true;
  log.submit("one");
  CHECK_FALSE(log.thread->run(Command::flush, milliseconds(20)));
  CHECK(until([&] { return log.told.calls() == Words{"flush"}; }));
  CHECK_FALSE(log.thread->run(Command::suspend, milliseconds(20)));
  CHECK(log.told.calls() == Words{"flush"});  // one after the other
  valve.shut = false;
  CHECK(log.thread->run(Command::resume, long_time));
  CHECK(log.told.calls() == Words{"flush", "suspend", "resume"});
}

TEST_CASE("log thread: leaving does not wait behind a flush that nobody waits for any more") {
  Valve& valve = make_valve();
  Log& log = make_shutting(valve);
  REQUIRE(log.thread->start() == "");
  valve.shut = true;
  log.submit("one");
  CHECK_FALSE(log.thread->run(Command::flush, milliseconds(20)));
  std::thread opener([&] {
    while (log.told.calls() != Words{"flush", "leave for good"}) std::this_thread::sleep_for(milliseconds(1));
    valve.shut = false;
  });
  CHECK(log.thread->run(Command::leave, long_time));
  opener.join();
}

TEST_CASE("log thread: leaving hears children out over as many turns as a sink needs") {
  Valve& valve = make_valve();
  Log& log = make_shutting(valve);
  REQUIRE(log.thread->listen() == "");
  REQUIRE(log.thread->start() == "");
  {
    const auto child_end = os::connect_to({0x7F000001, log.thread->port()}, long_time);
    valve.shut = true;
    for (int i = 0; i < 1000; ++i) send_all(*child_end, log_frame(2, fmt::format("{}", i)));
  }
  std::thread opening([&] {
    for (int i = 0; i < 30; ++i) {
      valve.shut = i % 2 == 0;
      std::this_thread::sleep_for(milliseconds(1));
    }
    valve.shut = false;
  });
  CHECK(log.thread->run(Command::leave, long_time));
  opening.join();
  const Words words = log.told.words();
  REQUIRE(words.size() == 1000);
  for (int i = 0; i < 1000; ++i) REQUIRE(words[static_cast<std::size_t>(i)] == fmt::format("INF child: {}", i));
  CHECK(log.told.calls() == Words{"leave for good"});
}

TEST_CASE("log thread: a signal handler waits for a sink that is slow") {
  Valve& valve = make_valve();
  Log& log = make_shutting(valve);
  REQUIRE(log.thread->start() == "");
  valve.shut = true;
  for (int i = 0; i < 100; ++i) log.submit("m");
  std::thread opening([&] {
    std::this_thread::sleep_for(milliseconds(30));
    valve.shut = false;
  });
  log.thread->flush_in_handler(true);
  opening.join();
  CHECK(log.told.count() == 100);
  CHECK(log.told.calls() == Words{"leave for good"});
}

TEST_CASE("log thread: a stop takes the bars away before the handler goes on, and brings them back after it") {
  Log& log = start_log();
  log.submit("before");
  log.thread->stop_in_handler(true);
  CHECK(log.told.words() == Words{"INF prog: before"});
  CHECK(log.told.calls() == Words{"suspend"});
  log.thread->stop_in_handler(false);
  CHECK(log.told.calls() == Words{"suspend", "resume"});
}

TEST_CASE(
    "log thread: it is told where bars come to stand on a screen, and before who waited goes on where they left") {
  static std::atomic<int> told{0};
  class Screen : public CollectingOutlet {
   public:
    using CollectingOutlet::CollectingOutlet;
    void suspend(bool on) override { live_ = !on; }
    bool live() const override { return live_; }

   private:
    bool live_ = false;
  };
  Log& log =
      make_log_on([](Collected& to) { return std::make_unique<Screen>(to); }, {}, [](bool on) { told = on ? 1 : 2; });
  REQUIRE(log.thread->start() == "");
  REQUIRE(log.flush());
  CHECK(told == 0);
  REQUIRE(log.thread->run(Command::resume, long_time));
  CHECK(told == 1);
  log.thread->stop_in_handler(true);
  CHECK(told == 2);
}

TEST_CASE("log thread: without a thread a flush tries again until its deadline, and nothing is lost") {
  Valve& valve = make_valve();
  Log& log = make_shutting(valve);
  for (int i = 0; i < 5; ++i) log.submit("before");
  valve.shut = true;
  for (int i = 0; i < 100; ++i) log.submit("m");
  CHECK(log.told.count() == 15);
  CHECK_FALSE(log.thread->run(Command::flush, milliseconds(5)));
  CHECK_FALSE(log.thread->run_while_moving(Command::flush, milliseconds(5)));
  std::thread opening([&] {
    std::this_thread::sleep_for(milliseconds(10));
    valve.shut = false;
  });
  CHECK(log.flush());
  opening.join();
  CHECK(log.told.count() == 105);
}

TEST_CASE("log thread: exit from within a sink goes on as long as something moves, and gives up once") {
  Valve& valve = make_valve();
  Log& log = make_shutting(valve);
  std::atomic<bool> left{false};
  log.sinks.add(std::make_shared<Calling>([&](const Event& event) {
    if (event.record->message != "go") return;
    for (int i = 0; i < 50; ++i) log.submit("m");
    valve.shut = true;
    std::thread opening([&] {
      std::this_thread::sleep_for(milliseconds(20));
      valve.shut = false;
    });
    log.thread->leave_from_within();
    opening.join();
    left = true;
  }));
  REQUIRE(log.thread->start() == "");
  log.submit("go");
  REQUIRE(until([&] { return left.load(); }));
  CHECK(count(log.told.words(), "INF prog: m") == 50);
  CHECK(count(log.told.calls(), "leave for good") == 1);
}
