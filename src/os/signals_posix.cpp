// Flushing when a signal is about to end the process: see signals.hpp.
#include "os/signals.hpp"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace dlog::os {
namespace {

constexpr int taken_max = 65;
struct sigaction previous[taken_max];
std::atomic<void (*)(bool)> callback{nullptr};

// The thread that flushes; 0: none. A fault inside the flush must not come back here; another thread that is about to die waits
// until the first is done, and then asks for what it logged itself.
std::atomic<pid_t> flushing{0};
constexpr int turn_wait_ms_max = 10'500;

void flush_once(bool dies) noexcept {
  const auto flush = callback.load();
  const pid_t self = ::gettid();
  if (flush == nullptr || flushing.load() == self) return;
  pid_t nobody = 0;
  for (int waited_ms = 0; !flushing.compare_exchange_strong(nobody, self); ++waited_ms) {
    if (waited_ms == turn_wait_ms_max) return;
    nobody = 0;
    sleep_in_handler_ms(1);
  }
  flush(dies);
  flushing.store(0);
}

// SIG_DFL and SIG_IGN mean the same with SA_SIGINFO as without; the two handlers are one word.
bool is_default(const struct sigaction& action) { return action.sa_handler == SIG_DFL; }
bool is_ignored(const struct sigaction& action) { return action.sa_handler == SIG_IGN; }

void handle(int signal_number, siginfo_t* info, void* context) {
  const int saved = errno;
  const struct sigaction before = previous[signal_number];
  const bool dies = is_default(before);
  flush_once(dies);
  errno = saved;

  if (dies) {
    // Back to the default, and once more: it is delivered when this handler returns.
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    ::sigaction(signal_number, &by_default, nullptr);
    ::raise(signal_number);
    return;
  }
  if ((before.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) previous[signal_number].sa_handler = SIG_DFL;
  if ((before.sa_flags & SA_SIGINFO) != 0) before.sa_sigaction(signal_number, info, context);
  else before.sa_handler(signal_number);
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

void sleep_in_handler_ms(int milliseconds) noexcept {
  timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
  ::nanosleep(&time, nullptr);
}

}  // namespace dlog::os
