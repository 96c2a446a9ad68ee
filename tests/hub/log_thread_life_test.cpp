// Tests of log_thread.cpp: bars, children, and the ways in which a process leaves.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "log/wire/encoder.hpp"
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
using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("log thread: bars are told in order with records, and sampled while they live") {
  Log& log = start_log();
  const auto cell = make_cell(1, 10, "Reading");
  log.submit("before");
  log.submit_bar(cell, BarState::running);
  log.submit("after");
  CHECK(log.flushed() == Words{"INF prog: before", "bar 1 of prog: created running 0/10 Reading", "INF prog: after"});
  cell->value = 7;
  REQUIRE(until([&] { return log.tells("bar 1 of prog: running 7/10 Reading"); }));
  cell->value = 10;
  log.submit_bar(cell, BarState::finished);
  log.submit("end");
  const Words words = log.flushed();
  REQUIRE(words.size() >= 2);
  CHECK(words[words.size() - 2] == "bar 1 of prog: finished 10/10 Reading");
  CHECK(words.back() == "INF prog: end");
}

TEST_CASE("log thread: a flush tells the bars' values, however short the time since they were told") {
  Log& log = start_log();
  const auto cell = make_cell(1, 10, "Reading");
  log.submit_bar(cell, BarState::running);
  for (std::uint64_t value = 1; value <= 5; ++value) {
    cell->value = value;
    CHECK(log.flushed().back() == fmt::format("bar 1 of prog: running {}/10 Reading", value));
  }
}

TEST_CASE("log thread: tidying tells the bars' last values and leaves the outlets") {
  Log& log = start_log();
  const auto cell = make_cell(1, 10, "Reading");
  log.submit_bar(cell, BarState::running);
  REQUIRE(log.flush());
  cell->value = 4;
  REQUIRE(log.thread->run(Command::tidy, long_time));
  CHECK(log.told.words().back() == "bar 1 of prog: running 4/10 Reading");
  CHECK(log.told.calls() == Words{"flush", "leave"});
  log.submit_bar(cell, BarState::finished);
  CHECK(log.flushed().back() == "bar 1 of prog: finished 4/10 Reading");
}

TEST_CASE("log thread: leaving for good abandons the bars that live, once") {
  Log& log = start_log();
  const auto cell = make_cell(1, 10, "Reading");
  log.submit_bar(cell, BarState::running);
  log.submit("before");
  REQUIRE(log.thread->run(Command::leave, long_time));
  REQUIRE(log.thread->run(Command::leave, long_time));
  const Words words = log.told.words();
  CHECK(words == Words{"bar 1 of prog: created running 0/10 Reading", "INF prog: before",
                       "bar 1 of prog: abandoned 0/10 Reading"});
  CHECK(log.told.calls() == Words{"leave for good", "leave for good"});
  log.submit("logging goes on");
  CHECK(log.flushed().back() == "INF prog: logging goes on");
}

TEST_CASE("log thread: suspending reaches the outlets, in order") {
  Log& log = start_log();
  REQUIRE(log.thread->run(Command::suspend, long_time));
  REQUIRE(log.thread->run(Command::resume, long_time));
  CHECK(log.told.calls() == Words{"suspend", "resume"});
}

TEST_CASE("log thread: from the end of the process on, each record is written before its call returns") {
  Log& log = start_log();
  log.thread->write_through();
  for (std::size_t i = 1; i <= 20; ++i) {
    log.submit("late");
    REQUIRE(log.told.count() == i);
  }
}

TEST_CASE("log thread: a signal handler's flush tells all, and leaves for good where the process dies") {
  for (const bool dies : {false, true}) {
    Log& log = start_log();
    const auto cell = make_cell(1, 10, "Reading");
    log.submit_bar(cell, BarState::running);
    log.submit("before the signal");
    log.thread->flush_in_handler(dies);
    CHECK(log.tells("INF prog: before the signal"));
    CHECK(log.tells("bar 1 of prog: abandoned 0/10 Reading") == dies);
    CHECK(log.told.calls() == Words{dies ? "leave for good" : "leave"});
    log.thread->flush_in_handler(dies);  // and once more
    CHECK(log.told.calls().size() == 2);
  }
}

TEST_CASE("log thread: children are heard, their records pass this process's level") {
  Log& log = make_log();
  log.set_threshold(Level::warn);
  REQUIRE(log.thread->listen() == "");
  REQUIRE(log.thread->start() == "");
  CHECK(log.thread->port() != 0);
  {
    const auto child_end = os::connect_to({0x7F000001, log.thread->port()}, long_time);
    REQUIRE(child_end);
    send_all(*child_end,
             log_frame(2, "info") + log_frame(3, "warn") + log_frame(9, "strange") + create_frame(1, "bar", 5));
    REQUIRE(until([&] { return log.told.count() >= 3; }));
    REQUIRE(log.flush());
    CHECK(log.thread->stats().children == 1);
  }
  REQUIRE(until([&] { return log.told.count() >= 4; }));
  CHECK(log.told.words() == Words{"WRN child: warn", "L9 child: strange", "bar 1 of child: created running 0/5 bar",
                                  "bar 1 of child: orphaned 0/5 bar"});
  REQUIRE(until([&] { return log.flush() && log.thread->stats().children == 0; }));
  CHECK(log.thread->stats().enqueued == 0);
  CHECK(log.thread->stats().shown == 0);
}

TEST_CASE("log thread: leaving hears out children that have ended") {
  for (int i = 0; i < 20; ++i) {
    Log& log = make_log();
    REQUIRE(log.thread->listen() == "");
    REQUIRE(log.thread->start() == "");
    std::string stream;
    for (int r = 0; r < 500; ++r) stream += log_frame(2, fmt::format("record {}", r));
    {
      const auto child_end = os::connect_to({0x7F000001, log.thread->port()}, long_time);
      REQUIRE(child_end);
      send_all(*child_end, stream + create_frame(1, "bar", 5));
    }
    REQUIRE(log.thread->run(Command::leave, long_time));
    REQUIRE(log.told.count() == 502);
    REQUIRE(log.told.words().back() == "bar 1 of child: orphaned 0/5 bar");
  }
}

TEST_CASE("log thread: a child is not ahead of what this process said before it") {
  Log& log = make_log();
  REQUIRE(log.thread->listen() == "");
  REQUIRE(log.thread->start() == "");
  const auto child_end = os::connect_to({0x7F000001, log.thread->port()}, long_time);
  REQUIRE(child_end);
  for (int i = 0; i < 200; ++i) {
    log.submit(fmt::format("own {}", i));
    REQUIRE(log.flush());
    send_all(*child_end, log_frame(2, fmt::format("child {}", i), "1970-01-01T00:00:00.000Z"));
    const std::size_t expected = 2 * (static_cast<std::size_t>(i) + 1);
    REQUIRE(until([&] { return log.told.count() == expected; }));
  }
  const auto told = log.told.told();
  for (std::size_t i = 0; i < 200; ++i) {
    REQUIRE(told[2 * i].message == fmt::format("own {}", i));
    REQUIRE(told[2 * i + 1].message == fmt::format("child {}", i));
  }
}

TEST_CASE("log thread: what a child said before this process did is told before it, also by one that came just now") {
  Log& log = make_log();
  REQUIRE(log.thread->listen() == "");
  REQUIRE(log.thread->start() == "");
  constexpr std::size_t rounds = 3000;
  for (std::size_t i = 0; i < rounds; ++i) {
    const auto child_end = os::connect_to({0x7F000001, log.thread->port()}, long_time);
    REQUIRE(child_end);
    send_all(*child_end, log_frame(2, fmt::format("child {}", i), wire::timestamp(os::wall_ns())));
    log.submit(fmt::format("own {}", i));
  }
  REQUIRE(log.flush());
  const auto told = log.told.told();
  REQUIRE(told.size() == 2 * rounds);  // the flush, too, came after them
  std::size_t wrong = 0;
  std::size_t children = 0;
  for (const Told& each : told) {
    if (each.message.starts_with("child")) ++children;
    else if (std::stoul(each.message.substr(4)) >= children) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("log thread: that holds where the log thread comes late") {
  std::atomic<bool> hold{false};
  std::atomic<bool> held{false};
  Log& log = make_log({}, [&](const Event& event) {
    if (event.record == nullptr || event.record->message != "hold") return;
    held = true;
    while (hold) std::this_thread::yield();
  });
  REQUIRE(log.thread->listen() == "");
  REQUIRE(log.thread->start() == "");
  const auto child_end = os::connect_to({0x7F000001, log.thread->port()}, long_time);
  REQUIRE(child_end);
  hold = true;
  log.submit("hold");
  while (!held) std::this_thread::yield();
  send_all(*child_end,
           log_frame(2, "child", wire::timestamp(os::wall_ns())) + create_frame(1, "bar", 5) + finish_frame(1));
  std::this_thread::sleep_for(std::chrono::milliseconds{2});  // the wire knows no less than a millisecond
  log.submit("own");
  std::this_thread::sleep_for(std::chrono::milliseconds{30});
  hold = false;
  CHECK(log.flushed() == Words{"INF prog: hold", "INF child: child", "bar 1 of child: created running 0/5 bar",
                               "bar 1 of child: finished 0/5 bar", "INF prog: own"});
}
