// Tests of os/child_process: a program is started with what it was to have and nothing else, and its end is learned.
#include "os/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "os/child.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;
using os::Descriptor;
using os::StartPlan;

// Waits for the end as a loop does, then asks.
os::ProcessEnd end_of(const os::StartedProcess& process) {
  pollfd entry{process.ended.get(), POLLIN, 0};
  while (::poll(&entry, 1, -1) != 1) {
  }
  const auto end = os::wait_for(process.pid);
  if (!end) return {false, -1, -1};
  return *end;
}

StartPlan shell(const std::string& script) {
  StartPlan plan;
  plan.program = "/bin/sh";
  plan.args = {"-c", script};
  return plan;
}

// What it wrote on its standard output, and how it ended where that was not well.
std::string said(StartPlan plan) {
  test::Ends pipe = test::make_pipe();
  plan.descriptors.emplace_back(pipe.theirs.get(), 1);
  auto started = os::start_process(plan);
  if (!started) return "not started: " + started.reason();
  pipe.theirs.reset();
  std::string out;
  for (;;) {
    pollfd entry{pipe.ours.get(), POLLIN, 0};
    if (::poll(&entry, 1, -1) != 1) continue;
    const std::string piece = test::read_now(pipe.ours);
    if (piece.empty()) break;
    out += piece;
  }
  const os::ProcessEnd end = end_of(*started);
  if (end.signal != 0) out += "[signal " + std::to_string(end.signal) + "]";
  if (end.code != 0) out += "[code " + std::to_string(end.code) + "]";
  if (!end.known) out += "[not known]";
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

TEST_CASE("child process: it ends with the code it gave") {
  for (const int code : {0, 1, 3, 127, 255}) {
    auto started = os::start_process(shell("exit " + std::to_string(code)));
    REQUIRE(started);
    CHECK(started->pid > 0);
    CHECK((::fcntl(started->ended.get(), F_GETFD) & FD_CLOEXEC) != 0);
    const os::ProcessEnd end = end_of(*started);
    CHECK(end.known);
    CHECK(end.code == code);
    CHECK(end.signal == 0);
  }
}

TEST_CASE("child process: it ends by a signal") {
  auto started = os::start_process(shell("kill -TERM $$"));
  REQUIRE(started);
  const os::ProcessEnd end = end_of(*started);
  CHECK(end.known);
  CHECK(end.signal == SIGTERM);
  CHECK(end.code == 0);
}

TEST_CASE("child process: while it runs there is no end, and a signal reaches it") {
  const test::Ends pipe = test::make_pipe();  // one that nobody writes to
  ::fcntl(pipe.ours.get(), F_SETFL, 0);       // whoever reads waits
  StartPlan plan;
  plan.program = "/bin/cat";
  plan.descriptors.emplace_back(pipe.ours.get(), 0);
  auto waiting = os::start_process(plan);
  REQUIRE(waiting);
  CHECK_FALSE(os::wait_for(waiting->pid));
  CHECK(os::send_signal(*waiting, SIGKILL));
  CHECK(end_of(*waiting).signal == SIGKILL);
}

TEST_CASE("child process: one that has been waited for takes no signal and is not known") {
  auto started = os::start_process(shell("exit 0"));
  REQUIRE(started);
  end_of(*started);
  CHECK_FALSE(os::send_signal(*started, SIGTERM));
  const auto again = os::wait_for(started->pid);
  REQUIRE(again);
  CHECK_FALSE(again->known);
}

TEST_CASE("child process: where somebody else has waited the end is not known") {
  auto started = os::start_process(shell("exit 4"));
  REQUIRE(started);
  int status = 0;
  REQUIRE(::waitpid(static_cast<pid_t>(started->pid), &status, 0) == started->pid);
  CHECK_FALSE(end_of(*started).known);
}

TEST_CASE("child process: where SIGCHLD is ignored the end is learned, but not how") {
  CHECK(test::said_in_child([] {
          ::signal(SIGCHLD, SIG_IGN);
          int known = 0;
          for (int i = 0; i < 100; ++i) {
            auto started = os::start_process(shell("exit 4"));
            if (!started) return started.reason();
            if (end_of(*started).known) ++known;
            // Its end is told a moment before it is gone.
            if (!test::until([&] { return !os::send_signal(*started, 0); })) return std::string("it is still there");
          }
          return fmt::format("{} known", known);
        }) == "0 known");
}

TEST_CASE("child process: its program is looked for in PATH, and its arguments are its own") {
  StartPlan plan;
  plan.program = "printf";
  plan.args = {"%s|", "one", "two words", "", "$HOME", "\"quoted\""};
  CHECK(said(plan) == "one|two words||$HOME|\"quoted\"|");
}

TEST_CASE("child process: a program that is not there is told by its name") {
  for (const char* program : {"/no/such/program", "dlog-no-such-program", "", "/etc/passwd", "/tmp"}) {
    CAPTURE(program);
    StartPlan plan;
    plan.program = program;
    const auto started = os::start_process(plan);
    REQUIRE_FALSE(started);
    CHECK(started.reason().find(program) != std::string::npos);
  }
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // nothing is left behind
}

TEST_CASE("child process: its folder is the one it was given, else this process's") {
  StartPlan plan = shell("pwd");
  CHECK(said(plan) == std::filesystem::current_path().string());
  plan.folder = "/";
  CHECK(said(plan) == "/");
  plan.folder = "/no/such/folder";
  CHECK(said(plan).starts_with("not started: "));
}

TEST_CASE("child process: variables are set, taken away and inherited") {
  CHECK(test::said_in_child([] {
          ::setenv("DLOG_CASE_A", "a", 1);
          ::setenv("DLOG_CASE_B", "b", 1);
          ::setenv("DLOG_CASE_C", "c", 1);
          ::setenv("DLOG_CASE_AB", "ab", 1);
          StartPlan plan = shell(R"(echo "$DLOG_CASE_A|${DLOG_CASE_B-none}|$DLOG_CASE_C|$DLOG_CASE_AB|$DLOG_CASE_D")");
          plan.environment = {{"DLOG_CASE_A", "new a=1 "},
                              {"DLOG_CASE_B", std::nullopt},
                              {"DLOG_CASE_D", "d"},
                              {"DLOG_CASE_E", std::nullopt}};
          std::string out = said(plan);
          out += fmt::format(" here {} {}", ::getenv("DLOG_CASE_A"), ::getenv("DLOG_CASE_B"));
          return out;
        }) == "new a=1 |none|c|ab|d here a b");
}

TEST_CASE("child process: of a variable that is named twice the last one counts, and it stands there once") {
  StartPlan plan = shell("env | grep -c ^DLOG_CASE_A=; echo $DLOG_CASE_A ${DLOG_CASE_B-none}");
  plan.environment = {{"DLOG_CASE_A", "1"}, {"DLOG_CASE_A", "2"}, {"DLOG_CASE_A", std::nullopt},
                      {"DLOG_CASE_A", "3"}, {"DLOG_CASE_B", "1"}, {"DLOG_CASE_B", std::nullopt}};
  CHECK(said(plan) == "1\n3 none");
}

TEST_CASE("child process: descriptors get the numbers they were to have, whatever stands in their way") {
  // Each of these two is to have the number of the other.
  test::Ends first = test::make_pipe();
  test::Ends second = test::make_pipe();
  const int a = first.theirs.get();
  const int b = second.theirs.get();
  StartPlan plan = shell("echo to a >&" + std::to_string(b) + "; echo to b >&" + std::to_string(a));
  if (a <= 9 && b <= 9) {  // dash reads single digits only
    plan.descriptors = {{a, b}, {b, a}};
    auto started = os::start_process(plan);
    REQUIRE(started);
    CHECK(end_of(*started).code == 0);
    CHECK(test::read_now(first.ours) == "to a\n");
    CHECK(test::read_now(second.ours) == "to b\n");
  }
  plan = shell("echo three >&3; echo nine >&9; echo two >&2");
  plan.descriptors = {{a, 9}, {b, 3}, {a, 2}};
  auto started = os::start_process(plan);
  REQUIRE(started);
  CHECK(end_of(*started).code == 0);
  CHECK(test::read_now(first.ours) == "nine\ntwo\n");
  CHECK(test::read_now(second.ours) == "three\n");
}

TEST_CASE("child process: a descriptor that keeps its number is open there") {
  CHECK(test::said_in_child([]() -> std::string {
          test::Ends pipe = test::make_pipe();
          ::dup2(pipe.theirs.get(), 7);
          ::fcntl(7, F_SETFD, FD_CLOEXEC);
          StartPlan plan = shell("echo seven >&7");
          plan.descriptors = {{7, 7}};
          auto started = os::start_process(plan);
          const int code = end_of(*started).code;
          return fmt::format("{} {}", code, test::read_now(pipe.ours));
        }) == "0 seven\n");
}

TEST_CASE("child process: a descriptor that is none is told") {
  StartPlan plan = shell("exit 0");
  plan.descriptors = {{1'000'000, 3}};
  const auto started = os::start_process(plan);
  REQUIRE_FALSE(started);
  CHECK(started.reason().find("1000000") != std::string::npos);
}

TEST_CASE("child process: of ours it has what it was given, and nothing more") {
  CHECK(test::said_in_child([] {
          for (int fd = 3; fd < 1024; ++fd) ::close(fd);
          const test::Ends pipe = test::make_pipe();
          const Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
          StartPlan plan = shell("ls /proc/self/fd | tr '\\n' ' '");  // one of them is ls's own
          plan.descriptors = {{file.get(), 5}};
          return said(plan);
        }) == "0 1 2 3 5 ");
}

TEST_CASE("child process: SIGPIPE is as by default there, and no signal blocked") {
  CHECK(test::said_in_child([] {
          ::signal(SIGPIPE, SIG_IGN);
          sigset_t all{};
          sigfillset(&all);
          ::sigprocmask(SIG_BLOCK, &all, nullptr);
          const std::string masks = said(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n'"));
          const std::string ended = said(shell("kill -PIPE $$"));
          const bool blocks_none = masks.find("SigBlk:0000000000000000") != std::string::npos;
          return fmt::format("{} {}", blocks_none, ended);
        }) == "true [signal 13]");
}

}  // namespace
