// Tests of os/thread: a thread that takes no signals, and writing without SIGPIPE outside of it.
#include "os/thread.hpp"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>

#include "os/child.hpp"
#include "os/descriptor.hpp"
#include "os/output.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;
using test::said_in_child;

// Both the test and the thread, which nobody joins, own what they share.
struct Seen {
  std::atomic<bool> go{false};
  std::atomic<bool> done{false};
  void* argument = nullptr;
  pthread_t thread{};
  sigset_t mask{};
  std::array<char, 64> name{};
};
using Shared = std::shared_ptr<Seen>;

void look_around(void* argument) noexcept {
  const std::unique_ptr<Shared> owner(static_cast<Shared*>(argument));
  Seen& seen = **owner;
  seen.argument = argument;
  seen.thread = ::pthread_self();
  ::pthread_sigmask(SIG_SETMASK, nullptr, &seen.mask);
  while (!seen.go) ::sched_yield();  // its name is given while it runs
  ::pthread_getname_np(::pthread_self(), seen.name.data(), seen.name.size());
  seen.done = true;
}

// Starts a thread, and waits until it has looked around.
Shared started(const char* name) {
  const auto seen = std::make_shared<Seen>();
  auto argument = std::make_unique<Shared>(seen);
  const void* const given = argument.get();
  const std::string reason = os::start_thread(name, look_around, argument.get());
  REQUIRE(reason.empty());
  static_cast<void>(argument.release());  // the thread's
  seen->go = true;
  REQUIRE(test::until([&] { return seen->done.load(); }));
  CHECK(seen->argument == given);
  return seen;
}

sigset_t mask_here() {
  sigset_t mask{};
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return mask;
}
bool same(const sigset_t& a, const sigset_t& b) {
  bool same = true;
  for (int number = 1; number <= SIGRTMAX; ++number) same &= sigismember(&a, number) == sigismember(&b, number);
  return same;
}

TEST_CASE("thread: its body runs with its argument, on a thread of its own, under its name") {
  const Shared seen = started("dlog");
  CHECK_FALSE(::pthread_equal(seen->thread, ::pthread_self()));
  CHECK(std::string(seen->name.data()) == "dlog");
}

TEST_CASE("thread: a name that the system finds too long does no harm") {
  started("a name of more than fifteen characters");
}

namespace {

std::atomic<int> objects_ended{0};
std::atomic<int> ended_before_the_call{-1};
struct CountsItsEnd {
  bool used = false;
  ~CountsItsEnd() { objects_ended += used ? 1 : 0; }
};
thread_local CountsItsEnd counts_its_end;

}  // namespace

TEST_CASE("thread: whoever wants to hear of its end is called once, after its objects have ended") {
  objects_ended = 0;
  std::atomic<bool> taken{false};
  std::thread([&] {
    taken = os::at_thread_end([] { ended_before_the_call = objects_ended.load(); });
    taken = taken && os::at_thread_end([] { ended_before_the_call = objects_ended.load(); });
    counts_its_end.used = true;
  }).join();
  CHECK(taken);
  CHECK(ended_before_the_call == 1);
}

TEST_CASE("thread: it blocks every signal but those of its own faults") {
  const Shared seen = started("dlog");
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
    CAPTURE(fault);
    CHECK(sigismember(&seen->mask, fault) == 0);
  }
  for (const int number :
       {SIGHUP,  SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE,   SIGALRM,  SIGTERM, SIGCHLD, SIGCONT,  SIGTSTP, SIGTTIN,
        SIGTTOU, SIGURG, SIGXCPU, SIGXFSZ, SIGPROF, SIGVTALRM, SIGWINCH, SIGIO,   SIGPWR,  SIGRTMIN, SIGRTMAX}) {
    CAPTURE(number);
    CHECK(sigismember(&seen->mask, number) == 1);
  }
}

TEST_CASE("thread: whoever starts it keeps the signals it had") {
  const sigset_t before = mask_here();
  sigset_t usr1{};
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  const sigset_t with_usr1 = mask_here();
  started("dlog");
  CHECK(same(mask_here(), with_usr1));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  started("dlog");
  CHECK(same(mask_here(), before));
}

TEST_CASE("thread: where none can be started there is a reason, and the signals are as they were") {
  CHECK(said_in_child([] {
          pthread_attr_t attributes{};
          ::pthread_attr_init(&attributes);
          ::pthread_attr_setstacksize(&attributes, std::size_t{1} << 47);  // more than there are addresses
          if (::pthread_setattr_default_np(&attributes) != 0) return std::string("the system took no such stack");
          const sigset_t before = mask_here();
          const std::string reason = os::start_thread("dlog", look_around, nullptr);
          return fmt::format("{} {}", reason, same(mask_here(), before));
        }) == os::error_text(EAGAIN) + " true");
}

// ---- SigpipeBlocked

os::Descriptor pipe_without_reader() { return std::move(test::make_pipe().theirs); }

bool sigpipe_is(int (*query)(sigset_t*)) {
  sigset_t set{};
  query(&set);
  return sigismember(&set, SIGPIPE) == 1;
}
bool sigpipe_is_pending() {
  return sigpipe_is([](sigset_t* set) { return ::sigpending(set); });
}
bool sigpipe_is_blocked() {
  return sigpipe_is([](sigset_t* set) { return ::pthread_sigmask(SIG_SETMASK, nullptr, set); });
}
void block_sigpipe() {
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// A write to a pipe that nobody reads, and how SIGPIPE stands behind it.
std::string written_to_nobody() {
  const os::Descriptor pipe = pipe_without_reader();
  int error = 0;
  {
    const os::SigpipeBlocked guard;
    error = os::write_all(pipe.get(), "text").error;
  }
  return fmt::format("{}, {}, {}", error == EPIPE ? "EPIPE" : "no EPIPE",
                     sigpipe_is_pending() ? "pending" : "not pending",
                     sigpipe_is_blocked() ? "blocked" : "not blocked");
}

TEST_CASE("thread: a write to a pipe without a reader does not kill, now or later") {
  CHECK(said_in_child([] {
          ::signal(SIGPIPE, SIG_DFL);
          return written_to_nobody() + "; " + written_to_nobody();
        }) == "EPIPE, not pending, not blocked; EPIPE, not pending, not blocked");
}

TEST_CASE("thread: the program's own handler of SIGPIPE is not called") {
  CHECK(said_in_child([] {
          ::signal(SIGPIPE, [](int) { test::say("called"); });
          return written_to_nobody();
        }) == "EPIPE, not pending, not blocked");
}

TEST_CASE("thread: a program that blocks SIGPIPE itself does not find one that is ours") {
  CHECK(said_in_child([] {
          ::signal(SIGPIPE, SIG_DFL);
          block_sigpipe();
          return written_to_nobody();
        }) == "EPIPE, not pending, blocked");
}

TEST_CASE("thread: a SIGPIPE that waits already is the program's, and stays") {
  CHECK(said_in_child([] {
          ::signal(SIGPIPE, SIG_DFL);
          block_sigpipe();
          ::raise(SIGPIPE);
          return written_to_nobody();
        }) == "EPIPE, pending, blocked");
}

TEST_CASE("thread: a program that ignores SIGPIPE goes on ignoring it") {
  CHECK(said_in_child([] {
          ::signal(SIGPIPE, SIG_IGN);
          const std::string said = written_to_nobody();
          ::raise(SIGPIPE);
          return said;
        }) == "EPIPE, not pending, not blocked");
}

TEST_CASE("thread: guards may stand inside one another") {
  CHECK(said_in_child([] {
          ::signal(SIGPIPE, SIG_DFL);
          {
            const os::SigpipeBlocked outer;
            static_cast<void>(written_to_nobody());
            os::write_all(pipe_without_reader().get(), "text");
          }
          return written_to_nobody();
        }) == "EPIPE, not pending, not blocked");
}

}  // namespace
