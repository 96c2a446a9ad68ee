// Test program: logs at every stage of a life, from before main to the last destructor: t_life <end>
// end: "return" from main, "exit", "quick_exit", "thread" (another one calls exit).
// T_LIFE_LIBRARY: a shared library logs before and after all that. T_LIFE_FORK: forks before main; the child logs and ends there.
#include <dlog/dlog.hpp>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

extern "C" void stay_linked();

namespace {

void say(const char* what) { dlog::info("{}", what); }

struct Last {
  const char* whose;
  ~Last() { dlog::info("{} thread_local", whose); }
};
thread_local Last last{"nobody's"};

// Twice round: what is logged by the second call comes after dlog itself was told that the thread has ended.
pthread_key_t key;
void at_end(void* value) {
  static char again;
  dlog::info("{} key", value == &again ? "late thread's second" : "late thread's first");
  if (value != &again) pthread_setspecific(key, &again);
}

std::thread early;
std::thread late;
std::atomic<bool> early_spoke{false};
std::atomic<bool> late_spoke{false};
std::atomic<bool> ending{false};

void register_handlers(void (*at_exit)(), void (*at_quick_exit)()) {
  if (std::atexit(at_exit) != 0 || std::at_quick_exit(at_quick_exit) != 0) std::abort();
}

void fork_here() {
  const pid_t child = fork();
  if (child == 0) {
    say("forked before main");
    std::exit(0);
  }
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0) std::abort();
}

struct Whole {
  Whole() {
    register_handlers([] { say("handler from before the first call"); },
                      [] { say("quick handler from before the first call"); });
    say("constructor");
    if (std::getenv("T_LIFE_FORK") != nullptr) fork_here();
    early = std::thread([] {
      last.whose = "early thread's";
      say("thread before main");
      early_spoke = true;
      early_spoke.notify_all();
    });
    early_spoke.wait(false);
  }
  Whole(const Whole&) = delete;
  Whole& operator=(const Whole&) = delete;
  ~Whole() {
    say("destructor");
    ending = true;
    ending.notify_all();
    late.join();
    say("end of the destructor");
  }
} whole;

void start_late_thread() {
  pthread_key_create(&key, at_end);
  late = std::thread([] {
    last.whose = "late thread's";
    pthread_setspecific(key, &key);
    say("late thread");
    late_spoke = true;
    late_spoke.notify_all();
    ending.wait(false);
  });
  late_spoke.wait(false);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string end = argc == 2 ? argv[1] : "";
  stay_linked();
  early.join();
  last.whose = "main's";
  say("main");
  register_handlers([] { say("handler from main"); }, [] { say("quick handler from main"); });
  std::thread([] {
    last.whose = "middle thread's";
    say("middle thread");
  }).join();
  dlog::finish();
  say("after finish");
  start_late_thread();
  if (end == "return") return 0;
  if (end == "exit") std::exit(0);
  if (end == "quick_exit") std::quick_exit(0);
  if (end == "thread")
    std::thread([] {
      last.whose = "ending thread's";
      std::exit(0);
    }).join();
  std::puts("t_life return|exit|quick_exit|thread");
  return 64;
}
