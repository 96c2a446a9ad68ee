// Tests of os/signals: before a signal ends the process there is one call, and then it ends as it would have without us.
#include "os/signals.hpp"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <ostream>
#include <string>
#include <thread>

#include "os/child.hpp"
#include "os/clock.hpp"
#include "support/catch.hpp"
#include "support/fork.hpp"

namespace {

using namespace dlog;

// One letter on stdout, from inside a handler.
template <char letter>
void tell() {
  const char text = letter;
  static_cast<void>(!::write(1, &text, 1));
}
template <char letter>
void tell_and_go_on(int) {
  tell<letter>();
}

// What is called before a signal is passed on: its letter, and `!` where the signal ends the process.
template <char letter>
void call(bool dies) {
  tell<letter>();
  if (dies) tell<'!'>();
}

struct Ending {
  std::string said;
  int signal;  // 0: the body came to its end
  bool operator==(const Ending&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Ending& ending) {
  return out << '"' << ending.said << "\", signal " << ending.signal;
}

// Runs `body` in a child that has the system's handlers.
Ending ending_of(const std::function<void()>& body) {
  const test::Ended ended = test::in_child([&] {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    for (int number = 1; number < SIGSYS; ++number) ::signal(number, SIG_DFL);
    sigset_t none{};
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    body();
    std::_Exit(0);
  });
  return {ended.out + ended.err, ended.signal};
}

// Installs a handler as a program may have done before us.
void install(int number, void (*handler)(int), int flags = 0, int masked = 0) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  if (masked != 0) sigaddset(&action.sa_mask, masked);
  ::sigaction(number, &action, nullptr);
}
void install_with_information(int number, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  ::sigaction(number, &action, nullptr);
}

TEST_CASE("signals: one call, and the process ends by the signal") {
  const int number = GENERATE(SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT);
  CAPTURE(number);
  CHECK(ending_of([&] {
          os::flush_on_signals(true, call<'f'>);
          ::raise(number);
          tell<'?'>();
        }) == Ending{"f!", number});
}

TEST_CASE("signals: a signal from another process is no different") {
  CHECK(ending_of([] {
          os::flush_on_signals(true, call<'f'>);
          if (::fork() == 0) {
            ::kill(::getppid(), SIGTERM);
            ::_exit(0);
          }
          for (;;) ::pause();
        }) == Ending{"f!", SIGTERM});
}

TEST_CASE("signals: a real fault ends the process as one") {
  CHECK(ending_of([] {
          void* page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          os::flush_on_signals(true, call<'f'>);
          *static_cast<volatile char*>(page) = 1;
          tell<'?'>();
        }) == Ending{"f!", SIGSEGV});
}

TEST_CASE("signals: abort") {
  const bool all = GENERATE(false, true);
  CHECK(ending_of([&] {
          os::flush_on_signals(all, call<'f'>);
          std::abort();
        }) == Ending{"f!", SIGABRT});
}

TEST_CASE("signals: without being asked for all, only abort is taken") {
  const int number = GENERATE(SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGBUS, SIGFPE, SIGILL);
  CAPTURE(number);
  CHECK(ending_of([&] {
          os::flush_on_signals(false, call<'f'>);
          ::raise(number);
        }) == Ending{"", number});
}

TEST_CASE("signals: others are never taken") {
  const int number = GENERATE(SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGXCPU, SIGKILL);
  CAPTURE(number);
  CHECK(ending_of([&] {
          os::flush_on_signals(true, call<'f'>);
          ::raise(number);
        }) == Ending{"", number});
}

TEST_CASE("signals: a program's own handler of abort is left in its place") {
  CHECK(ending_of([] {
          install(SIGABRT, tell_and_go_on<'h'>);
          os::flush_on_signals(true, call<'f'>);
          ::raise(SIGABRT);
          tell<'.'>();
        }) == Ending{"h.", 0});
}

TEST_CASE("signals: an ignored signal stays ignored") {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGABRT}) {
    CAPTURE(number);
    CHECK(ending_of([&] {
            install(number, SIG_IGN);
            os::flush_on_signals(true, call<'f'>);
            struct sigaction now {};
            ::sigaction(number, nullptr, &now);
            if (now.sa_handler == SIG_IGN) tell<'i'>();
            ::raise(number);
            tell<'.'>();
          }) == Ending{"i.", 0});
  }
}

TEST_CASE("signals: a signal that is ignored, or left to the system, with a flag that means nothing then") {
  // Some runtimes set SA_SIGINFO whatever the handler is.
  CHECK(ending_of([] {
          install(SIGHUP, SIG_IGN, SA_SIGINFO);
          os::flush_on_signals(true, call<'f'>);
          ::raise(SIGHUP);
          tell<'.'>();
        }) == Ending{".", 0});
  CHECK(ending_of([] {
          install(SIGTERM, SIG_DFL, SA_SIGINFO);
          os::flush_on_signals(true, call<'f'>);
          ::raise(SIGTERM);
          tell<'?'>();
        }) == Ending{"f!", SIGTERM});
  CHECK(ending_of([] {
          install(SIGABRT, SIG_DFL, SA_SIGINFO);
          os::flush_on_signals(false, call<'f'>);
          std::abort();
        }) == Ending{"f!", SIGABRT});
}

TEST_CASE("signals: a program's handler comes after the call, and decides, every time") {
  CHECK(ending_of([] {
          install(SIGTERM, tell_and_go_on<'h'>);
          os::flush_on_signals(true, call<'f'>);
          ::raise(SIGTERM);
          tell<'.'>();
          ::raise(SIGTERM);
          tell<'.'>();
        }) == Ending{"fh.fh.", 0});
}

TEST_CASE("signals: a handler that wants to know more is told what it would have been told") {
  CHECK(ending_of([] {
          install_with_information(SIGTERM, [](int number, siginfo_t* information, void* context) {
            const bool told = number == SIGTERM && information->si_signo == SIGTERM &&
                              information->si_code == SI_QUEUE && information->si_value.sival_int == 4711 &&
                              information->si_pid == ::getpid() && context != nullptr;
            told ? tell<'h'>() : tell<'?'>();
          });
          os::flush_on_signals(true, call<'f'>);
          ::sigqueue(::getpid(), SIGTERM, {.sival_int = 4711});
          ::usleep(1);  // ThreadSanitizer hands a signal over at the next blocking call
          tell<'.'>();
        }) == Ending{"fh.", 0});
}

TEST_CASE("signals: a handler may end the process itself") {
  CHECK(ending_of([] {
          install(SIGTERM, [](int) {
            tell<'h'>();
            ::_exit(0);
          });
          os::flush_on_signals(true, call<'f'>);
          ::raise(SIGTERM);
          tell<'?'>();
        }) == Ending{"fh", 0});
}

TEST_CASE("signals: a handler may put the default back and raise again") {
  CHECK(ending_of([] {
          install(SIGSEGV, [](int number) {
            tell<'h'>();
            ::signal(number, SIG_DFL);
            ::raise(number);
          });
          os::flush_on_signals(true, call<'f'>);
          ::raise(SIGSEGV);
          tell<'?'>();
        }) == Ending{"fh", SIGSEGV});
}

TEST_CASE("signals: a handler that interrupts a read goes on interrupting it") {
  CHECK(ending_of([] {
          int ends[2] = {-1, -1};
          if (::pipe(ends) != 0) return tell<'?'>();
          install(SIGTERM, [](int) {});  // without SA_RESTART
          os::flush_on_signals(true, [](bool) {});
          const pid_t reader = ::getpid();
          const pid_t sender = ::fork();
          if (sender == 0) {
            for (int i = 0; i < 100; ++i) {
              ::kill(reader, SIGTERM);
              ::usleep(10'000);
            }
            static_cast<void>(!::write(ends[1], "x", 1));  // or else it would read for ever
            ::_exit(0);
          }
          char byte = 0;
          const ssize_t got = ::read(ends[0], &byte, 1);
          got < 0 && errno == EINTR ? tell<'i'>() : tell<'r'>();
          ::kill(sender, SIGKILL);
          ::waitpid(sender, nullptr, 0);
        }) == Ending{"i", 0});
}

TEST_CASE("signals: what a handler wants to keep away while it runs is kept away") {
  CHECK(ending_of([] {
          install(SIGUSR1, tell_and_go_on<'u'>);
          const auto handler = [](int) {
            ::raise(SIGUSR1);
            tell<'h'>();
          };
          install(SIGTERM, handler, 0, SIGUSR1);
          os::flush_on_signals(true, call<'f'>);
          ::raise(SIGTERM);
        }) == Ending{"fhu", 0});
}

TEST_CASE("signals: a handler for one time is called one time") {
  CHECK(ending_of([] {
          install(SIGTERM, tell_and_go_on<'h'>, static_cast<int>(SA_RESETHAND));
          os::flush_on_signals(true, call<'f'>);
          ::raise(SIGTERM);
          tell<'.'>();
          ::raise(SIGTERM);
          tell<'?'>();
        }) == Ending{"fh.f!", SIGTERM});
}

TEST_CASE("signals: asked twice, there is one call, the last that was asked for") {
  CHECK(ending_of([] {
          os::flush_on_signals(false, call<'1'>);
          os::flush_on_signals(true, call<'2'>);
          os::flush_on_signals(true, call<'3'>);
          ::raise(SIGTERM);
        }) == Ending{"3!", SIGTERM});
  CHECK(ending_of([] {
          os::flush_on_signals(true, call<'1'>);
          os::flush_on_signals(true, call<'2'>);
          std::abort();
        }) == Ending{"2!", SIGABRT});
}

TEST_CASE("signals: the call may be taken back") {
  CHECK(ending_of([] {
          os::flush_on_signals(true, call<'f'>);
          os::flush_on_signals(true, nullptr);
          ::raise(SIGTERM);
        }) == Ending{"", SIGTERM});
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr bool under_thread_sanitizer = true;
#else
constexpr bool under_thread_sanitizer = false;
#endif
#else
constexpr bool under_thread_sanitizer = false;
#endif

TEST_CASE("signals: a fault inside the call ends the process, and does not come back to it") {
  const Ending ended = ending_of([] {
    ::alarm(2);  // it does not wait for itself either
    os::flush_on_signals(true, [](bool) {
      tell<'f'>();
      ::raise(SIGSEGV);
    });
    ::raise(SIGTERM);
    tell<'?'>();
  });
  // ThreadSanitizer hands the second signal over when the first one's handler has ended: the call is then made again.
  CHECK(ended == Ending{under_thread_sanitizer ? "ff" : "f", SIGSEGV});
}

std::atomic<bool> first_is_called{false};

TEST_CASE("signals: a thread that is about to end the process waits until another has made its call") {
  const Ending ending = ending_of([] {
    os::flush_on_signals(true, [](bool) {
      if (first_is_called.exchange(true)) return;
      os::sleep_in_handler_ms(20);  // the other thread is in its handler by then
      tell<'f'>();
    });
    std::thread other([] {
      while (!first_is_called) ::sched_yield();
      ::raise(SIGINT);
    });
    ::raise(SIGTERM);
    other.join();
  });
  CHECK(ending.said == "f");
  const bool by_either = ending.signal == SIGTERM || ending.signal == SIGINT;
  CHECK(by_either);
}

TEST_CASE("signals: the code that was interrupted finds its errno") {
  CHECK(ending_of([] {
          install(SIGTERM, [](int) {});
          os::flush_on_signals(true, [](bool) { errno = EDOM; });
          errno = ERANGE;
          ::raise(SIGTERM);
          errno == ERANGE ? tell<'.'>() : tell<'?'>();
        }) == Ending{".", 0});
}

TEST_CASE("signals: a sleep in a handler lasts as long as it was asked to") {
  for (const int milliseconds : {0, 1, 3}) {
    const std::int64_t before_ns = os::monotonic_ns();
    os::sleep_in_handler_ms(milliseconds);
    CHECK(os::monotonic_ns() - before_ns >= milliseconds * std::int64_t{1'000'000});
  }
}

}  // namespace
