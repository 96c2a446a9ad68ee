// Flushing when a signal is about to end or stop the process: see signals.hpp.
#include "os/signals.hpp"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "os/process.hpp"

namespace dlog::os {
namespace {

constexpr int taken_max = 65;
struct sigaction previous[taken_max];
std::atomic<void (*)(bool)> callback{nullptr};

// The thread that flushes, and the generation of its process: in a process that is forked meanwhile nobody does; 0: none. A fault
// inside the flush must not come back here; another thread that is about to die waits until the first is done, and then asks for
// what it logged itself.
std::atomic<std::uint64_t> flushing{0};
constexpr int turn_wait_ms_max = 5'500;

void call_once(void (*flush)(bool), bool argument) noexcept {
  const std::uint64_t here = process_generation();
  const std::uint64_t self = here << 32 | static_cast<std::uint32_t>(::gettid());
  std::uint64_t seen = flushing.load();
  if (flush == nullptr || seen == self) return;
  for (int waited_ms = 0; (seen >> 32) == here || !flushing.compare_exchange_strong(seen, self);) {
    if ((seen >> 32) == here) {
      if (waited_ms++ == turn_wait_ms_max) return;
      sleep_in_handler_ms(1);
      seen = flushing.load();
    }
  }
  flush(argument);
  flushing.store(0);
}

// SIG_DFL and SIG_IGN mean the same with SA_SIGINFO as without; the two handlers are one word.
bool is_default(const struct sigaction& action) { return action.sa_handler == SIG_DFL; }
bool is_ignored(const struct sigaction& action) { return action.sa_handler == SIG_IGN; }

void set_default(int signal_number) noexcept {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(signal_number, &by_default, nullptr);
}

void handle(int signal_number, siginfo_t* info, void* context);
void handle_stop(int signal_number, siginfo_t* info, void* context);

bool is_ours(int signal_number) noexcept {
  struct sigaction found {};
  if (::sigaction(signal_number, nullptr, &found) != 0 || (found.sa_flags & SA_SIGINFO) == 0) return false;
  return found.sa_sigaction == handle || found.sa_sigaction == handle_stop;
}

void handle(int signal_number, siginfo_t* info, void* context) {
  const int saved = errno;
  const struct sigaction before = previous[signal_number];
  // A program's handler that came after us and calls who was there before it: it decides what becomes of the process.
  const bool called_by_another = !is_ours(signal_number);
  const bool dies = is_default(before) && !called_by_another;
  call_once(callback.load(), dies);
  errno = saved;

  if (called_by_another && is_default(before)) return;
  if (dies) {
    // Back to the default, and once more: it is delivered when this handler returns.
    set_default(signal_number);
    ::raise(signal_number);
    return;
  }
  if ((before.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) previous[signal_number].sa_handler = SIG_DFL;
  if ((before.sa_flags & SA_SIGINFO) != 0) before.sa_sigaction(signal_number, info, context);
  else before.sa_handler(signal_number);
}

// Signals that end the process, taken while bars stand on a terminal.
constexpr int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
std::atomic<void (*)(bool)> stop_callback{nullptr};
std::atomic<bool> guarded{false};
bool lent[taken_max];  // to guard_screen(): they were SIG_DFL

// True: it was SIG_DFL, and is ours now. A call that it interrupts goes on, where the system can have it so: sleep(), poll() and
// their kin end early.
bool take_default(int signal_number, void (*handler)(int, siginfo_t*, void*)) noexcept {
  struct sigaction found {};
  if (::sigaction(signal_number, nullptr, &found) != 0 || !is_default(found)) return false;
  struct sigaction ours {};
  ours.sa_sigaction = handler;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&ours.sa_mask);
  return ::sigaction(signal_number, &ours, nullptr) == 0;
}

void handle_stop(int signal_number, siginfo_t*, void*) {
  const int saved = errno;
  // Called by a program's handler that came after us: it decides whether the process stops.
  if (!is_ours(signal_number)) return;
  call_once(stop_callback.load(), true);
  set_default(signal_number);
  ::raise(signal_number);
  sigset_t stop{};
  sigset_t before{};
  sigemptyset(&stop);
  sigaddset(&stop, signal_number);
  ::pthread_sigmask(SIG_UNBLOCK, &stop, &before);  // here the process stops
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (guarded.load()) take_default(signal_number, handle_stop);
  call_once(stop_callback.load(), false);
  errno = saved;
}

void lend(int signal_number, void (*handler)(int, siginfo_t*, void*)) noexcept {
  if (lent[signal_number] && is_ours(signal_number)) return;  // system() had put it aside, and put it back
  if (!take_default(signal_number, handler)) return;
  lent[signal_number] = true;
  if (!is_default(previous[signal_number])) previous[signal_number] = {};  // of a program that went back to the default
}

// Where it is put aside for a while, as by system(), it stays lent until the next time.
void give_back(int signal_number) noexcept {
  if (!lent[signal_number] || !is_ours(signal_number)) return;
  set_default(signal_number);
  lent[signal_number] = false;
}

void take(int signal_number, bool only_if_default) noexcept {
  struct sigaction found {};
  if (::sigaction(signal_number, nullptr, &found) != 0) return;
  if (is_ignored(found) || (only_if_default && !is_default(found))) return;
  previous[signal_number] = found;
  struct sigaction ours {};
  ours.sa_sigaction = handle;
  // Whoever was there keeps what he asked for: interrupted calls, and signals kept away meanwhile.
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | (found.sa_flags & SA_RESTART);
  ours.sa_mask = found.sa_mask;
  ::sigaction(signal_number, &ours, nullptr);
}

}  // namespace

void flush_on_signals(bool all, void (*before)(bool dies)) noexcept {
  static std::atomic<bool> abort_taken{false};
  static std::atomic<bool> all_taken{false};
  callback.store(before);
  if (!abort_taken.exchange(true)) take(SIGABRT, true);
  if (!all || all_taken.exchange(true)) return;
  for (const int signal_number : {SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) take(signal_number, false);
}

void guard_screen(void (*around_stop)(bool stops)) noexcept {
  stop_callback.store(around_stop);
  guarded.store(true);
  for (const int signal_number : endings) lend(signal_number, handle);
  lend(SIGTSTP, handle_stop);
}

void release_screen() noexcept {
  guarded.store(false);
  for (const int signal_number : endings) give_back(signal_number);
  give_back(SIGTSTP);
}

void sleep_in_handler_ms(int milliseconds) noexcept {
  timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
  ::nanosleep(&time, nullptr);
}

}  // namespace dlog::os
