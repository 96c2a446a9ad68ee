// Tests of commands.cpp: what is asked for is carried out once, in order, and whoever waits is told.
#include "log/hub/commands.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/fork.hpp"

namespace {

using dlog::hub::Command;
using dlog::hub::Commands;
using std::chrono::milliseconds;

constexpr milliseconds long_time{60'000};
constexpr milliseconds no_time{0};

std::vector<Command> taken_from(Commands& commands) {
  std::vector<Command> taken;
  commands.take(taken);
  return taken;
}

}  // namespace

TEST_CASE("commands: they are taken once, in order") {
  Commands commands;
  CHECK_FALSE(commands.any());
  CHECK(taken_from(commands).empty());
  commands.request(Command::suspend);
  commands.request(Command::flush);
  CHECK(commands.any());
  CHECK(taken_from(commands) == std::vector<Command>{Command::suspend, Command::flush});
  CHECK_FALSE(commands.any());
  CHECK(taken_from(commands).empty());
}

TEST_CASE("commands: of several of a kind one is carried out, but each suspension counts") {
  Commands commands;
  const auto first = commands.request(Command::flush);
  const auto second = commands.request(Command::flush);
  commands.request(Command::suspend);
  commands.request(Command::suspend);
  commands.request(Command::flush);
  CHECK(taken_from(commands) ==
        std::vector<Command>{Command::flush, Command::suspend, Command::suspend, Command::flush});
  commands.done();
  CHECK(first != second);
  CHECK(commands.wait(second, no_time));
}

TEST_CASE("commands: a few need no memory, whose is whoever takes them") {
  Commands commands;
  std::vector<Command> taken;
  taken.reserve(Commands::kept_max);
  const Command* const memory = taken.data();
  commands.take(taken);
  CHECK(taken.capacity() >= Commands::kept_max);
  CHECK(taken.data() != memory);
  commands.take(taken);
  CHECK(taken.data() == memory);
}

TEST_CASE("commands: a wait ends when its command is done, not when it is taken") {
  Commands commands;
  const auto ticket = commands.request(Command::flush);
  CHECK_FALSE(commands.wait(ticket, no_time));
  taken_from(commands);
  CHECK_FALSE(commands.wait(ticket, milliseconds(1)));
  commands.done();
  CHECK(commands.wait(ticket, no_time));
  CHECK(commands.wait(ticket, no_time));
}

TEST_CASE("commands: what is asked for after the others were taken waits for the next turn") {
  Commands commands;
  const auto first = commands.request(Command::flush);
  taken_from(commands);
  const auto second = commands.request(Command::leave);
  CHECK(commands.any());
  commands.done();
  CHECK(commands.wait(first, no_time));
  CHECK_FALSE(commands.wait(second, no_time));
  CHECK(taken_from(commands) == std::vector<Command>{Command::leave});
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
    taken_from(commands);
    commands.done();
  });
  CHECK(commands.wait(ticket, milliseconds::max()));
  log_thread.join();
}

TEST_CASE("commands: what was taken is superseded where the process leaves and nobody waits for it") {
  Commands commands;
  std::vector<Command> taken;
  const Commands::Ticket flush = commands.request(Command::flush);
  commands.take(taken);
  CHECK_FALSE(commands.superseded());
  const Commands::Ticket leave = commands.request(Command::leave);
  CHECK_FALSE(commands.superseded());
  commands.leave(flush);
  CHECK(commands.superseded());
  commands.take(taken);
  CHECK_FALSE(commands.superseded());
  commands.leave(leave);
  CHECK_FALSE(commands.superseded());
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
    taken += taken_from(commands).size();
    commands.done();
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == callers * calls);
  CHECK(taken <= static_cast<std::size_t>(callers * calls));
}

namespace {

Commands* interrupted = nullptr;
std::atomic<bool> in_handler{false};

// What exit() does in a handler: asks, and waits for the log thread, which carries out what was asked before as well.
void ask_again(int) {
  in_handler = true;
  for (int i = 0; i < 3; ++i) {
    const Commands::Ticket ticket = interrupted->request(Command::leave);
    if (!interrupted->wait(ticket, long_time)) _exit(1);
    interrupted->leave(ticket);
  }
  _exit(0);
}

}  // namespace

TEST_CASE("commands: a wait that a signal handler interrupts, and never comes back to, keeps nobody") {
  const dlog::test::Ended ended = dlog::test::in_child([] {
    Commands commands;
    interrupted = &commands;
    ::signal(SIGALRM, ask_again);
    std::thread([] {  // the log thread
      std::vector<Command> taken;
      taken.reserve(Commands::kept_max);  // in exchange for what is taken: who asks in a handler needs no memory
      while (!in_handler) std::this_thread::sleep_for(milliseconds{1});
      for (;; std::this_thread::sleep_for(milliseconds{1})) {
        if (!interrupted->any()) continue;
        interrupted->take(taken);
        interrupted->done();
      }
    })
        .detach();
    std::thread([] {  // should it hang
      std::this_thread::sleep_for(std::chrono::seconds{10});
      _exit(2);
    })
        .detach();
    const Commands::Ticket ticket = commands.request(Command::flush);
    ::ualarm(50'000, 0);
    commands.wait(ticket, long_time);
  });
  CHECK(ended.code == 0);
}

TEST_CASE("commands: a deadline that no clock can hold is over, or never") {
  Commands commands;
  CHECK_FALSE(commands.wait(commands.request(Command::flush), milliseconds::min()));
  taken_from(commands);
  commands.done();
  CHECK(commands.wait(1, milliseconds::min()));
  CHECK(commands.wait(1, milliseconds::max()));
}
