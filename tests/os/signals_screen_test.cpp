// Tests of os/signals while bars stand on a terminal: what is taken, what is left alone, and how a process stops and goes on.
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "os/signals.hpp"
#include "support/catch.hpp"
#include "support/fork.hpp"

namespace {

using namespace dlog;

void tell(char letter) { static_cast<void>(!::write(1, &letter, 1)); }
void before_end(bool dies) { tell(dies ? 'E' : 'p'); }
void around_stop(bool stops) { tell(stops ? 's' : 'c'); }

void install(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(number, &action, nullptr);
}
bool is_default(int number) {
  struct sigaction now {};
  ::sigaction(number, nullptr, &now);
  return now.sa_handler == SIG_DFL;
}

// What a child that has the system's handlers said, and by which signal it ended. It is awaited here where it stops, too, and let
// go on.
struct Ending {
  std::string said;
  int signal = 0;
  int stops = 0;
};
Ending ending_of(const std::function<void()>& body) {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 1);
    ::setpgid(0, 0);  // a group of its own, whose parent is in the same session: it can be stopped
    for (int number = 1; number < SIGSYS; ++number) ::signal(number, SIG_DFL);
    os::flush_on_signals(false, before_end);
    body();
    std::_Exit(0);
  }
  ::close(ends[1]);
  Ending ending;
  int status = 0;
  while (::waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status)) {
    ++ending.stops;
    ::kill(child, SIGCONT);
  }
  if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
  char letter = 0;
  while (::read(ends[0], &letter, 1) == 1) ending.said += letter;
  ::close(ends[0]);
  return ending;
}

}  // namespace

TEST_CASE("signals: while bars stand there, what would end the process calls first") {
  const int number = GENERATE(SIGINT, SIGTERM, SIGHUP, SIGQUIT);
  const Ending ending = ending_of([&] {
    os::guard_screen(around_stop);
    ::raise(number);
    tell('?');
  });
  CHECK(ending.said == "E");
  CHECK(ending.signal == number);
}

TEST_CASE("signals: where no bars stand any more, all is as it was") {
  const int number = GENERATE(SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP);
  const Ending ending = ending_of([&] {
    for (int i = 0; i < 3; ++i) {
      os::guard_screen(around_stop);
      if (is_default(number)) tell('?');
      os::release_screen();
    }
    if (is_default(number)) tell('d');
    ::raise(number);
    tell('.');
  });
  CHECK(ending.said == (number == SIGTSTP ? "d." : "d"));
  CHECK(ending.signal == (number == SIGTSTP ? 0 : number));
}

TEST_CASE("signals: a program's own handlers, and what it ignores, are left alone also by bars") {
  const int number = GENERATE(SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP);
  const Ending ending = ending_of([&] {
    install(number, SIG_IGN);
    os::guard_screen(around_stop);
    ::raise(number);
    os::release_screen();
    install(number, [](int) { tell('h'); });
    os::guard_screen(around_stop);
    ::raise(number);
    os::release_screen();
    ::raise(number);
    install(number, SIG_DFL);
    os::guard_screen(around_stop);
    install(number, [](int) { tell('H'); });  // while bars stand there
    ::raise(number);
    os::release_screen();
    ::raise(number);
  });
  CHECK(ending.said == "hhHH");
  CHECK(ending.signal == 0);
  CHECK(ending.stops == 0);
}

TEST_CASE("signals: a process that stops calls before and after, and really stops, each time") {
  const Ending ending = ending_of([] {
    os::guard_screen(around_stop);
    errno = 4711;
    for (int i = 0; i < 3; ++i) {
      tell('0');
      ::raise(SIGTSTP);
    }
    tell(errno == 4711 ? '.' : '?');
  });
  CHECK(ending.said == "0sc0sc0sc.");
  CHECK(ending.stops == 3);
}

TEST_CASE("signals: bars that left for the stop come back after it, or not") {
  const Ending ending = ending_of([] {
    os::guard_screen([](bool stops) {
      around_stop(stops);
      if (stops) os::release_screen();
    });
    ::raise(SIGTSTP);
    if (is_default(SIGTSTP)) tell('d');
    os::guard_screen(around_stop);
    ::raise(SIGTSTP);
    if (!is_default(SIGTSTP)) tell('t');
    ::raise(SIGTERM);
  });
  CHECK(ending.said == "scdsctE");
  CHECK(ending.stops == 2);
  CHECK(ending.signal == SIGTERM);
}

TEST_CASE("signals: where all are taken, bars add the rest and give back no more than that") {
  const Ending ending = ending_of([] {
    os::flush_on_signals(true, before_end);
    os::guard_screen(around_stop);
    if (!is_default(SIGQUIT)) tell('q');
    os::release_screen();
    if (is_default(SIGQUIT)) tell('d');
    ::raise(SIGTERM);
  });
  CHECK(ending.said == "qdE");
  CHECK(ending.signal == SIGTERM);
}

namespace {

struct sigaction found_by_program {};

// The usual chain: what was there before is called, where it is a handler.
void program_handler(int number, siginfo_t* info, void* context) {
  tell('p');
  if ((found_by_program.sa_flags & SA_SIGINFO) != 0) found_by_program.sa_sigaction(number, info, context);
}

void chain_after_us(int number) {
  struct sigaction mine {};
  mine.sa_sigaction = program_handler;
  mine.sa_flags = SA_SIGINFO;
  ::sigaction(number, &mine, &found_by_program);
}

}  // namespace

TEST_CASE("signals: a program's handler that calls the one it found decides what becomes of the process") {
  for (const int number : {SIGINT, SIGTSTP}) {
    const Ending ending = ending_of([number] {
      os::guard_screen(around_stop);
      chain_after_us(number);
      ::raise(number);
      tell('.');
    });
    CHECK(ending.said.starts_with("p"));
    CHECK(ending.said.ends_with("."));
    CHECK(ending.stops == 0);
    CHECK(ending.signal == 0);
  }
}

TEST_CASE("signals: what system() puts aside for a while is given back later") {
  const Ending ending = ending_of([] {
    os::guard_screen(around_stop);
    struct sigaction ignored {};
    ignored.sa_handler = SIG_IGN;
    struct sigaction ours {};
    ::sigaction(SIGINT, &ignored, &ours);
    os::release_screen();
    ::sigaction(SIGINT, &ours, nullptr);
    os::guard_screen(around_stop);
    os::release_screen();
    tell(is_default(SIGINT) ? 'd' : '?');
  });
  CHECK(ending.said == "d");
}
