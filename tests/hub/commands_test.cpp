// Tests of commands.cpp: what is asked for is carried out once, in order, and whoever waits is told.
#include "log/hub/commands.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace {

using dlog::hub::Command;
using dlog::hub::Commands;
using std::chrono::milliseconds;

constexpr milliseconds long_time{60'000};
constexpr milliseconds no_time{0};

}  // namespace

TEST_CASE("commands: they are taken once, in order") {
  Commands commands;
  CHECK_FALSE(commands.any());
  CHECK(commands.take().empty());
  commands.request(Command::suspend);
  commands.request(Command::flush);
  CHECK(commands.any());
  CHECK(commands.take() == std::vector<Command>{Command::suspend, Command::flush});
  CHECK_FALSE(commands.any());
  CHECK(commands.take().empty());
}

TEST_CASE("commands: a wait ends when its command is done, not when it is taken") {
  Commands commands;
  const auto ticket = commands.request(Command::flush);
  CHECK_FALSE(commands.wait(ticket, no_time));
  commands.take();
  CHECK_FALSE(commands.wait(ticket, milliseconds(1)));
  commands.done();
  CHECK(commands.wait(ticket, no_time));
  CHECK(commands.wait(ticket, no_time));
}

TEST_CASE("commands: what is asked for after the others were taken waits for the next turn") {
  Commands commands;
  const auto first = commands.request(Command::flush);
  commands.take();
  const auto second = commands.request(Command::leave);
  CHECK(commands.any());
  commands.done();
  CHECK(commands.wait(first, no_time));
  CHECK_FALSE(commands.wait(second, no_time));
  CHECK(commands.take() == std::vector<Command>{Command::leave});
  commands.done();
  CHECK(commands.wait(second, no_time));
}

TEST_CASE("commands: a deadline in the past is no wait") {
  Commands commands;
  const auto ticket = commands.request(Command::flush);
  CHECK_FALSE(commands.wait(ticket, milliseconds(-1)));
  CHECK_FALSE(commands.wait(ticket, milliseconds(-1'000'000)));
}

TEST_CASE("commands: the longest deadline there is is long") {
  Commands commands;
  const auto ticket = commands.request(Command::flush);
  std::thread log_thread([&] {
    std::this_thread::sleep_for(milliseconds(50));  // so that the other waits by now; if not, the test shows less
    commands.take();
    commands.done();
  });
  CHECK(commands.wait(ticket, milliseconds::max()));
  log_thread.join();
}

TEST_CASE("commands: many callers, each is answered") {
  Commands commands;
  constexpr int callers = 8;
  constexpr int calls = 500;
  std::atomic<int> answered{0};
  std::atomic<int> left{callers};
  std::vector<std::thread> threads;
  for (int t = 0; t < callers; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < calls; ++i) {
        if (commands.wait(commands.request(Command::flush), long_time)) ++answered;
      }
      --left;
    });
  }
  std::size_t taken = 0;
  while (left != 0) {
    taken += commands.take().size();
    commands.done();
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == callers * calls);
  CHECK(taken == static_cast<std::size_t>(callers * calls));
}
