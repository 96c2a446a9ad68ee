// Tests of runtime.cpp, each in a process of its own: the start, its settings, barriers and losses.
#include "dlog/runtime.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/pipe_id.hpp"
#include "dlog/dlog.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "support/catch.hpp"
#include "support/collecting.hpp"
#include "support/descriptors.hpp"
#include "support/frames.hpp"
#include "support/log.hpp"
#include "support/program.hpp"

namespace {

using namespace dlog::test;
using dlog::Level;
using std::chrono::milliseconds;

std::string role_name() { return dlog::role() == dlog::Role::child ? "child" : "aggregator"; }

}  // namespace

TEST_CASE("runtime: asking before the start starts nothing") {
  const Ended ended = run_program({{"DLOG_LEVEL", "warn"}}, [] {
    const dlog::Stats stats = dlog::stats();
    const dlog::FlushResult flushed = dlog::flush();
    dlog::finish();
    say(fmt::format("{} {} {} {}", stats.enqueued, flushed.complete, flushed.lost, static_cast<int>(dlog::level())));
    say(variable("DLOG_PIPE"));
  });
  CHECK(well(ended).out == "0 true 0 3\nunset\n");
  CHECK(ended.err == "");
}

TEST_CASE("runtime: the first init decides, a later one says so at debug level") {
  const Ended ended = run_program({}, [] {
    say(dlog::init({.level = Level::debug, .process_name = "not the environment's"}) ? "first" : "late");
    say(dlog::init({.level = Level::error}) ? "first" : "late");
    dlog::debug("still shown");
  });
  CHECK(well(ended).out == "first\nlate\n");
  CHECK(console_of(ended) ==
        Words{"DBG dlog: dlog::init() came too late: dlog runs with its first settings", "DBG prog: still shown"});
  const Ended after_log = run_program({}, [] {
    dlog::info("a call is a start");
    say(dlog::init({.level = Level::error}) ? "first" : "late");
  });
  CHECK(well(after_log).out == "late\n");
}

TEST_CASE("runtime: the environment wins over init") {
  const Ended ended = run_program({{"DLOG_LEVEL", "warn"}, {"DLOG_FORMAT", "json"}}, [] {
    dlog::init({.level = Level::trace, .format = dlog::Format::plain});
    dlog::info("no");
    dlog::warn("yes");
  });
  CHECK(lines_of(well(ended).err).size() == 1);
  CHECK(ended.err.find("\"msg\":\"yes\"") != std::string::npos);
}

TEST_CASE("runtime: a bad variable is one warning, before all else") {
  const Ended ended = run_program({{"DLOG_LEVEL", "loud"}, {"DLOG_LISTEN", "\x1b[2J"}}, [] {
    dlog::trace("shown");
    dlog::info("shown too");
  });
  CHECK(console_of(well(ended)) ==
        Words{"WRN dlog: DLOG_LEVEL=\"loud\" is not a level (trace debug info warn error fatal off); ignored",
              "WRN dlog: DLOG_LISTEN=\"\\x1b[2J\" is not true or false; ignored", "TRC prog: shown",
              "INF prog: shown too"});
}

TEST_CASE("runtime: an aggregator advertises where it listens") {
  const Ended ended = run_program({}, [] {
    const std::string address = dlog::pipe_address();
    say(role_name());
    say(address.starts_with("127.0.0.1:") ? "loopback" : address);
    say(variable("DLOG_PIPE") == "set " + address ? "advertised" : "not advertised");
    const std::string id = variable("DLOG_PIPE_ID").substr(4);
    const bool same = dlog::child_environment() == Words{"DLOG_PIPE=" + address, "DLOG_PIPE_ID=" + id};
    say(same ? "the same for children" : "something else");
    const auto parsed_id = dlog::parse_pipe_id(id);
    say(parsed_id && address == fmt::format("127.0.0.1:{}", parsed_id->port) ? "its port" : "another port");
    say(parsed_id && parsed_id->cookie != 0 && parsed_id->pid == dlog::os::process_id() ? "its own" : "somebody's");
    const auto parsed = dlog::os::parse_loopback_address(address);
    const auto socket = dlog::os::connect_to(*parsed, milliseconds(60'000));
    send_all(*socket, log_frame(2, "from a child"));
    say(until([] { return dlog::flush() && dlog::stats().children == 1; }) ? "one child" : "no child");
  });
  CHECK(lines_of(well(ended).out) ==
        Words{"aggregator", "loopback", "advertised", "the same for children", "its port", "its own", "one child"});
  CHECK(console_of(ended) == Words{"INF child: from a child"});
}

TEST_CASE("runtime: listening and advertising can be left out") {
  const Ended silent = run_program({}, [] {
    dlog::init({.listen = false});
    say(fmt::format("[{}] {} {}", dlog::pipe_address(), dlog::child_environment().size(), variable("DLOG_PIPE")));
  });
  CHECK(well(silent).out == "[] 0 unset\n");
  const Ended quiet = run_program({}, [] {
    dlog::init({.set_environment = false});
    say(fmt::format("{} {} {}", dlog::pipe_address().empty(), dlog::child_environment().size(), variable("DLOG_PIPE")));
  });
  CHECK(well(quiet).out == "false 2 unset\n");
}

TEST_CASE("runtime: the file gets plain lines beside the console") {
  const TemporaryFile file;
  const Ended ended = run_program({{"DLOG_FILE", file.path()}, {"DLOG_FORMAT", "json"}}, [] { dlog::info("both"); });
  CHECK(well(ended).err.find("\"msg\":\"both\"") != std::string::npos);
  CHECK(file.content().ends_with("]: both\n"));

  const Ended none = run_program({{"DLOG_FILE", "/nowhere/at/all"}}, [] { dlog::info("console only"); });
  CHECK(console_of(well(none)) == Words{"WRN dlog: cannot open the log file /nowhere/at/all: No such file or directory",
                                        "INF prog: console only"});
}

TEST_CASE("runtime: the console is where the settings say") {
  const Ended ended = run_program({{"DLOG_OUTPUT_FD", "1"}}, [] {
    dlog::init({.output_fd = 2});
    dlog::info("hello");
    dlog::flush();
  });
  CHECK(well(ended).err == "");
  CHECK(ended.out.ends_with("]: hello\n"));
}

TEST_CASE("runtime: a sink of the program's hears everything after it was added, also before the start") {
  const Ended ended = run_program({}, [] {
    const auto early = std::make_shared<CollectingSink>();
    const auto late = std::make_shared<CollectingSink>();
    dlog::add_sink(early);
    dlog::info("one");
    dlog::flush();
    dlog::add_sink(late);
    dlog::add_sink(nullptr);
    dlog::info("two");
    dlog::flush();
    for (const auto& sink : {early, late}) {
      for (const std::string& words : sink->collected.words()) say(words);
    }
  });
  CHECK(lines_of(well(ended).out) == Words{"INF prog: one", "INF prog: two", "INF prog: two"});
}

TEST_CASE("runtime: what cannot be written is counted, and a flush says so") {
  const Ended ended = run_program({}, [] {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    const auto sink = std::make_shared<CollectingSink>();
    dlog::add_sink(sink);
    dlog::init({.output_fd = full});
    const auto flushed = [] {
      const dlog::FlushResult result = dlog::flush();
      say(fmt::format("{} lost {}", result.complete ? "complete" : "incomplete", result.lost));
    };
    flushed();
    dlog::info("one");
    dlog::info("two");
    flushed();
    flushed();
    dlog::info("three");
    flushed();
    const dlog::Stats stats = dlog::stats();
    say(fmt::format("enqueued {} shown {} dropped {} undeliverable {}", stats.enqueued, stats.shown, stats.dropped,
                    stats.undeliverable));
    int complaints = 0;
    for (const std::string& words : sink->collected.words())
      complaints += words.find("No space left") != std::string::npos ? 1 : 0;
    say(fmt::format("complaints {}", complaints));
  });
  CHECK(lines_of(well(ended).out) == Words{"complete lost 0", "incomplete lost 2", "complete lost 2",
                                           "incomplete lost 3", "enqueued 3 shown 0 dropped 0 undeliverable 3",
                                           "complaints 1"});
}

TEST_CASE("runtime: each thread is told by its own flush of what was lost") {
  const Ended ended = run_program({}, [] {
    dlog::init({.output_fd = ::open("/dev/full", O_WRONLY | O_CLOEXEC)});
    const auto flush_here = [](const char* who) {
      const dlog::FlushResult result = dlog::flush();
      say(fmt::format("{} {} lost {}", who, result.complete ? "complete" : "incomplete", result.lost));
    };
    const auto flush_elsewhere = [&] { std::thread(flush_here, "another").join(); };
    flush_elsewhere();
    flush_here("this");
    dlog::info("one");
    flush_elsewhere();
    flush_here("this");
    flush_here("this");
    flush_elsewhere();
  });
  CHECK(lines_of(well(ended).out) == Words{"another complete lost 0", "this complete lost 0",
                                           "another incomplete lost 1", "this incomplete lost 1",
                                           "this complete lost 1", "another incomplete lost 1"});
}

TEST_CASE("runtime: a closed stderr harms nobody, and no file of the program's is written to") {
  const TemporaryFile file;
  const Ended ended = run_program({}, [&] {
    ::close(2);
    dlog::info("lost");
    const int fd = ::open(file.path().c_str(), O_WRONLY | O_CLOEXEC);
    say(std::to_string(fd));
    dlog::info("lost, too");
    const dlog::FlushResult result = dlog::flush();
    say(fmt::format("{} {}", result.complete, result.lost));
  });
  CHECK(well(ended).out == "2\nfalse 2\n");
  CHECK(file.content() == "");
}

TEST_CASE("runtime: a console whose reader is gone ends nobody") {
  const Ended ended = run_program({}, [] {
    Ends pipe = make_pipe();
    pipe.ours.reset();
    dlog::init({.output_fd = pipe.theirs.get()});
    for (int i = 0; i < 10; ++i) {
      dlog::error("nobody reads");
      dlog::flush();
    }
    say("alive");
  });
  CHECK(well(ended).out == "alive\n");
}

TEST_CASE("runtime: with no descriptor left records are written by their callers") {
  const Ended ended = run_program({}, [] {
    // A sanitizer wants descriptors when it meets a type for the first time: it meets all of them before the fork.
    // In a thread of its own: a thread writes for one log at a time.
    std::thread([] { make_log().submit("warm"); }).join();
    dlog::init({.join_parent = false, .set_environment = false});
    dlog::info("warm");
    dlog::flush();
    const int status = fork_and_wait([] {
      rlimit before{};
      ::getrlimit(RLIMIT_NOFILE, &before);
      const rlimit none_left{3, before.rlim_max};
      ::setrlimit(RLIMIT_NOFILE, &none_left);
      dlog::info("one");
      dlog::ProgressBar bar{"Reading", 10};
      bar.finish();
      const bool flushed = dlog::flush().complete;
      const std::string address = dlog::pipe_address();
      ::setrlimit(RLIMIT_NOFILE, &before);
      say((flushed ? "flushed [" : "not flushed [") + address + "]");
      dlog::info("descriptors come back too late");
    });
    say(std::to_string(status));
  });
  CHECK(well(ended).out == "flushed []\n0\n");
  CHECK(console_of(ended) ==
        Words{"INF prog: warm", "WRN dlog: cannot listen (no descriptor to sleep on); children keep their own consoles",
              "WRN dlog: no log thread (no descriptor to sleep on); records are written by their callers",
              "INF prog: one", "INF prog: Reading: started (0/10)", "INF prog: Reading: finished (10/10)",
              "INF prog: descriptors come back too late"});
}

TEST_CASE("runtime: the longest deadline of a flush is long") {
  const Ended ended = run_program({}, [] {
    for (int i = 0; i < 200; ++i) {
      dlog::info("{}", i);
      if (!dlog::flush(milliseconds::max())) return say("incomplete");
    }
    say("complete");
  });
  CHECK(well(ended).out == "complete\n");
}
