// Tests of runtime.cpp, each in a process of its own: parents, children and forks.
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "dlog/dlog.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/frames.hpp"
#include "support/program.hpp"

namespace {

using namespace dlog::test;
using dlog::Level;

// A parent that listens and, in the end, reads what a child of these tests sent.
struct Parent {
  Parent() {
    auto made = dlog::os::listen_on_loopback();
    if (!made) throw std::runtime_error(made.reason());
    listening = std::move(*made);
  }
  std::string address() const { return fmt::format("127.0.0.1:{}", listening.port); }
  dlog::os::Descriptor accept() const {
    dlog::os::Accepted accepted;
    if (!until([&] {
          accepted = dlog::os::accept_connection(listening.socket);
          return accepted.outcome == dlog::os::AcceptOutcome::accepted;
        })) {
      throw std::runtime_error("nobody connects");
    }
    return std::move(accepted.socket);
  }
  bool anybody() const {
    return dlog::os::accept_connection(listening.socket).outcome == dlog::os::AcceptOutcome::accepted;
  }

  dlog::os::Listening listening{};
};

// The messages of the log frames in a stream, without their times.
std::string logs_without_times(const std::string& stream) {
  std::string out;
  for (std::size_t at = 0; at + 4 <= stream.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(stream[at + i]); };
    const std::size_t length =
        (std::size_t{byte(0)} << 24) | (std::size_t{byte(1)} << 16) | (std::size_t{byte(2)} << 8) | byte(3);
    if (byte(4) == 0) {
      const std::size_t size =
          (std::size_t{byte(6)} << 24) | (std::size_t{byte(7)} << 16) | (std::size_t{byte(8)} << 8) | byte(9);
      out += fmt::format("{} {}\n", byte(5), stream.substr(at + 10, size));
    }
    at += 4 + length;
  }
  return out;
}

std::string role_name() { return dlog::role() == dlog::Role::child ? "child" : "aggregator"; }

}  // namespace

TEST_CASE("runtime: a DLOG_PIPE that leads nowhere is as if unset, with one debug line") {
  std::string stale;
  {
    const Parent parent;
    stale = parent.address();
  }
  for (const std::string& address :
       {stale, std::string("nonsense"), std::string("10.0.0.1:80"), std::string("127.0.0.1:0"),
        std::string("127.0.0.1:99999"), std::string("localhost:4711")}) {
    INFO(address);
    const Ended ended = run_program({{"DLOG_PIPE", address}}, [] {
      dlog::info("here");
      say(role_name());
    });
    CHECK(well(ended).out == "aggregator\n");
    const Words words = console_of(ended);
    REQUIRE(words.size() == 2);
    CHECK(words[0].starts_with("DBG dlog: DLOG_PIPE=\"" + address + "\": "));
    CHECK(words[1] == "INF prog: here");
    CHECK(console_of(well(run_program({{"DLOG_PIPE", address}, {"DLOG_LEVEL", "info"}}, [] { dlog::info("here"); }))) ==
          Words{"INF prog: here"});
  }
}

TEST_CASE("runtime: a child's records and bars go to its parent, and nothing to its stderr") {
  const Parent parent;
  const Ended ended = run_program({{"DLOG_PIPE", parent.address()}}, [] {
    say(role_name());
    say(dlog::pipe_address() == variable("DLOG_PIPE").substr(4) ? "the parent's" : "its own");
    dlog::warn("x={}", 1);
    dlog::ProgressBar bar{"Copying", 3};
    bar.push(3);
    bar.finish();
    say(dlog::flush() ? "flushed" : "not flushed");
    dlog::set_level(Level::error);
    dlog::info("filtered by the child");
    const dlog::Stats stats = dlog::stats();
    say(fmt::format("{} {}", stats.enqueued, stats.shown));
  });
  CHECK(lines_of(well(ended).out) == Words{"child", "the parent's", "flushed", "1 1"});
  CHECK(ended.err == "");
  const std::string stream = receive_to_end(parent.accept());
  CHECK(logs_without_times(stream) == "3 x=1\n");
  CHECK(stream.find("Copying") != std::string::npos);
  CHECK_FALSE(parent.anybody());
}

TEST_CASE("runtime: joining a parent can be left out") {
  const Parent parent;
  const Ended ended = run_program({{"DLOG_PIPE", parent.address()}}, [] {
    dlog::init({.join_parent = false});
    dlog::info("here");
    say(variable("DLOG_PIPE") == "set " + dlog::pipe_address() ? "its own address" : "the parent's address");
  });
  CHECK(well(ended).out == "its own address\n");
  CHECK(console_of(ended) == Words{"INF prog: here"});
  CHECK_FALSE(parent.anybody());
}

TEST_CASE("runtime: a child whose parent is gone says so once, and goes on at its own stderr with nothing lost") {
  const Ended ended = run_program({}, [] {
    auto parent = std::make_unique<Parent>();
    ::setenv("DLOG_PIPE", parent->address().c_str(), 1);
    dlog::info("to the parent");
    dlog::flush();
    {
      const auto connection = parent->accept();
      say(logs_without_times(receive_exactly(connection, log_frame(2, "to the parent").size())));
    }
    parent.reset();
    dlog::info("one");
    dlog::error("two\nlines");
    dlog::ProgressBar bar{"Reading", 10};
    bar.finish();
    dlog::info("three");
  });
  CHECK(well(ended).out == "2 to the parent\n\n");
  Words words = console_of(ended);
  REQUIRE_FALSE(words.empty());
  CHECK(words[0].starts_with("WRN dlog: the parent at 127.0.0.1:"));
  CHECK(words[0].ends_with("; logging here"));
  words.erase(words.begin());
  std::erase_if(words, [](const std::string& line) { return line.find("Reading") != std::string::npos; });
  CHECK(words == Words{"INF prog: one", "ERR prog: two", "    lines", "INF prog: three"});
}

TEST_CASE("runtime: a child of ours whose parent is gone keeps time, thread and place of what was not taken") {
  const Ended ended = run_program({{"DLOG_FORMAT", "json"}}, [] {
    auto parent = std::make_unique<Parent>();
    ::setenv("DLOG_PIPE", parent->address().c_str(), 1);
    ::setenv("DLOG_PIPE_ID", fmt::format("{}:1:0:{}", parent->listening.port, std::string(32, 'a')).c_str(), 1);
    for (const bool parent_lives : {true, false}) {
      dlog::info("the same place {}", parent_lives);
      if (!parent_lives) continue;
      const std::string hello = hello_frame("prog", dlog::os::process_id(), std::string(32, 'a'));
      {
        const auto connection = parent->accept();
        say(receive_exactly(connection, hello.size()) == hello ? "hello" : "something else");
        receive_exactly(connection, watch_frame().size() + 100);  // the record, too, was taken
      }
      parent.reset();
    }
    say(std::to_string(dlog::os::thread_id()));
  });
  const Words said = lines_of(well(ended).out);
  REQUIRE(said.size() == 2);
  CHECK(said[0] == "hello");
  const Words lines = lines_of(ended.err);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].find("\"name\":\"dlog\"") != std::string::npos);
  CHECK(lines[0].find("logging here; 1 records that it may have shown follow") != std::string::npos);
  CHECK(lines[2].find("end of what the parent may have shown") != std::string::npos);
  for (const std::size_t at : {std::size_t{1}, std::size_t{3}}) {
    CAPTURE(lines[at]);
    const std::string word = at == 1 ? "true" : "false";
    CHECK(lines[at].find("\"name\":\"prog\"") != std::string::npos);
    CHECK(lines[at].find("\"tid\":" + said[1] + ",\"msg\":\"the same place " + word + "\"") != std::string::npos);
    CHECK(lines[at].find("runtime_family_test.cpp\",\"line\":") != std::string::npos);
    CHECK(lines[at].find("\"line\":0") == std::string::npos);
  }
}

TEST_CASE("runtime: a bar that ends while the parent goes away leaves its line") {
  const Ended ended = run_program({}, [] {
    auto parent = std::make_unique<Parent>();
    ::setenv("DLOG_PIPE", parent->address().c_str(), 1);
    dlog::ProgressBar bar{"Reading", 10};
    dlog::flush();
    { const auto connection = parent->accept(); }
    parent.reset();
    bar.push(10);
    bar.finish();
    dlog::flush();
  });
  const Words words = console_of(well(ended));
  REQUIRE_FALSE(words.empty());
  CHECK(words.back() == "INF prog: Reading: finished (10/10)");
}

TEST_CASE("runtime: a forked process is a child of its parent by itself") {
  const Ended ended = run_program({}, [] {
    dlog::info("parent");
    dlog::flush();
    say(std::to_string(fork_and_wait([] { dlog::info("forked {}", role_name()); })));
    dlog::info("parent again");
  });
  CHECK(well(ended).out == "0\n");
  const Words words = console_of(ended);
  CHECK(words.size() == 3);
  CHECK(words.front() == "INF prog: parent");
  CHECK(std::count(words.begin(), words.end(), "INF prog: forked child") == 1);
}

TEST_CASE("runtime: a forked process keeps the settings of its program") {
  const Ended ended = run_program({}, [] {
    dlog::init({.level = Level::warn, .format = dlog::Format::json, .listen = false});
    dlog::warn("parent");
    dlog::flush();
    fork_and_wait([] {
      dlog::info("below the level");
      dlog::warn("forked");
    });
  });
  const Words lines = lines_of(well(ended).err);
  REQUIRE(lines.size() == 2);
  for (const std::string& line : lines) CHECK(line.starts_with("{\"ts\":"));
}

TEST_CASE("runtime: a forked process does not repeat what its parent had buffered, and both lose nothing") {
  const Ended ended = run_program({}, [] {
    for (int i = 0; i < 500; ++i) dlog::info("parent {}", i);
    say(std::to_string(fork_and_wait([] {
      for (int i = 0; i < 500; ++i) dlog::info("forked {}", i);
    })));
    for (int i = 500; i < 1000; ++i) dlog::info("parent {}", i);
  });
  CHECK(well(ended).out == "0\n");
  Words parents;
  Words forked;
  for (const std::string& line : console_of(ended)) {
    REQUIRE(line.starts_with("INF prog: "));
    const std::string message = line.substr(line.find(": ") + 2);
    (message.starts_with("parent") ? parents : forked).push_back(message);
  }
  REQUIRE(parents.size() == 1000);
  REQUIRE(forked.size() == 500);
  for (std::size_t i = 0; i < 1000; ++i) REQUIRE(parents[i] == fmt::format("parent {}", i));
  for (std::size_t i = 0; i < 500; ++i) REQUIRE(forked[i] == fmt::format("forked {}", i));
}
