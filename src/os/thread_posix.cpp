// Starting the log thread: see thread.hpp.
#include "os/thread.hpp"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <cstring>
#include <memory>
#include <new>

namespace dlog::os {
namespace {

struct Start {
  const char* name;
  void (*body)(void*) noexcept;
  void* argument;
};

void* run(void* given) {
  const std::unique_ptr<Start> start(static_cast<Start*>(given));
  pthread_setname_np(pthread_self(), start->name);  // here it is one call, from outside it is a file
  start->body(start->argument);
  return nullptr;
}

void call_at_end(void* call) { reinterpret_cast<void (*)()>(call)(); }

pthread_key_t key;

bool make_key() noexcept {
  static const bool made = pthread_key_create(&key, call_at_end) == 0;
  return made;
}
// When the program is brought up, so that no fork meets a thread in the making of it; where somebody asks before that, then.
[[maybe_unused]] const bool key_is_made = make_key();

}  // namespace

bool at_thread_end(void (*call)()) noexcept {
  return make_key() && pthread_setspecific(key, reinterpret_cast<void*>(call)) == 0;
}

std::string start_thread(const char* name, void (*body)(void*) noexcept, void* argument) {
  std::unique_ptr<Start> start(new (std::nothrow) Start{name, body, argument});
  if (start == nullptr) return std::strerror(ENOMEM);
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  // Signals of a fault inside the thread itself cannot wait.
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&all, fault);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  const int failed = pthread_create(&thread, nullptr, run, start.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) return std::strerror(failed);
  static_cast<void>(start.release());  // the thread owns it
  pthread_detach(thread);
  return {};
}

SigpipeBlocked::SigpipeBlocked() noexcept {
  sigset_t pipe{};
  sigset_t pending{};
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigpending(&pending);
  if (sigismember(&pending, SIGPIPE) == 1) return;  // somebody else's, and blocked: it stays
  sigset_t before{};
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  ours_ = true;
  unblock_ = sigismember(&before, SIGPIPE) == 0;
}

SigpipeBlocked::~SigpipeBlocked() {
  if (!ours_) return;
  sigset_t pipe{};
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  const timespec at_once{};
  while (sigtimedwait(&pipe, nullptr, &at_once) < 0 && errno == EINTR) {
  }
  if (unblock_) pthread_sigmask(SIG_UNBLOCK, &pipe, nullptr);
}

}  // namespace dlog::os
