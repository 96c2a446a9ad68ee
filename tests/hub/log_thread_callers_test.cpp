// Tests of log_thread_callers.cpp: callers who take the steps where there is no thread, want of memory, and a fork.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "os/socket.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/fork.hpp"
#include "support/log.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::Command;
using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("without a thread: callers take the steps, and everything is told before they return") {
  Log& log = make_log();
  log.submit("one");
  CHECK(log.told.words() == Words{"INF prog: one"});
  const auto cell = make_cell(1, 10, "Reading");
  log.submit_bar(cell, BarState::running);
  CHECK(log.told.count() == 2);
  CHECK(log.flush());
  CHECK(log.thread->run_while_moving(Command::leave, long_time));
  CHECK(log.told.words().back() == "bar 1 of prog: abandoned 0/10 Reading");
  CHECK(log.told.calls() == Words{"flush", "leave for good"});
  CHECK(log.balanced());
  log.thread->flush_in_handler(true);  // nothing can be done; it returns
}

TEST_CASE("without a thread: after a change of the level callers still take the steps") {
  Log& log = make_log();
  log.thread->level_changed();
  log.submit("one");
  CHECK(log.told.words() == Words{"INF prog: one"});
}

TEST_CASE("without a thread: several callers at once") {
  Log& log = make_log();
  constexpr int callers = 4;
  constexpr int calls = 500;
  submit_numbered(log, callers, calls);
  std::vector<int> next(callers, 0);
  CHECK(out_of_order(log, next) == 0);
  CHECK(next == std::vector<int>(callers, calls));
  CHECK(log.thread->stats().dropped == 0);
}

TEST_CASE("without a thread: a full queue never waits for itself") {
  Config config;
  config.queue_bytes = 1000;
  config.block_limit = long_time;
  Log& log = make_log(config);
  std::atomic<int> depth{0};
  log.sinks.add(std::make_shared<Calling>([&](const Event& event) {
    if (event.record == nullptr || event.record->message != "ask" || ++depth > 1) return;
    for (int i = 0; i < 100; ++i) log.submit("answer");
  }));
  log.submit("ask");
  CHECK(log.flush());
  const Words words = log.told.words();
  CHECK(words.front() == "INF prog: ask");
  CHECK(std::count(words.begin(), words.end(), "INF prog: answer") > 0);
  CHECK(log.balanced());
}

TEST_CASE("log thread: no memory in an outlet loses what it was handed, and nothing more") {
  const Ended ended = in_child([] {
    bool out_of_memory = false;
    Log& log = make_log({}, [&](const Event&) {
      if (std::exchange(out_of_memory, false)) throw std::bad_alloc();
    });
    log.submit("before");
    out_of_memory = true;
    log.submit("lost");
    log.submit("after");
    log.flush();
    for (const std::string& words : log.told.words()) {
      if (words.find("notice") == std::string::npos) say(words);
    }
  });
  CHECK(ended.signal == 0);
  CHECK(ended.code == 0);
  const Words words = lines_of(ended.out);
  REQUIRE(words.size() >= 2);
  CHECK(words.front() == "INF prog: before");
  CHECK(words.back() == "INF prog: after");
}

TEST_CASE("log thread: a forked child lets go of its parent's and makes its own") {
  Log& log = make_log();
  REQUIRE(log.thread->listen() == "");
  log.submit("of the parent");
  const Ended ended = in_child([&] {
    log.thread->abandon();
    Log& own_log = make_log();
    own_log.submit("of the child");
    for (const std::string& words : own_log.told.words()) say(words);
  });
  CHECK(ended.out == "INF prog: of the child\n");
  CHECK(ended.code == 0);
  log.submit("of the parent again");
  CHECK(log.told.words() == Words{"INF prog: of the parent", "INF prog: of the parent again"});
  CHECK(os::connect_to({0x7F000001, log.thread->port()}, long_time));
}
