// Flushing when a signal is about to end or stop the process: handlers that call back, then let the signal do what it did before.
#pragma once

namespace dlog::os {

// `before` is called inside a signal handler: only async-signal-safe work, with a bound in time. `dies`: the signal ends the
// process; else a handler that was there before comes next, and decides.
// SIGABRT is taken where it is SIG_DFL; with `all` also SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGBUS, SIGFPE and SIGILL, where they
// are not ignored, with a chain to the handler found there.
void flush_on_signals(bool all, void (*before)(bool dies)) noexcept;

// While bars stand on a terminal, so that it is left tidy. SIGINT, SIGTERM, SIGHUP and SIGQUIT are taken where they are SIG_DFL,
// with the call that flush_on_signals() was given. SIGTSTP is taken where it is SIG_DFL: `around_stop` is called in its handler with
// true, then the process stops, and with false when it goes on. The rules for `before` hold for it, too.
// Both: one thread. What was taken is given back where it is still ours.
void guard_screen(void (*around_stop)(bool stops)) noexcept;
void release_screen() noexcept;

// Sleeps without a lock: for a signal handler that waits for the log thread.
void sleep_in_handler_ms(int milliseconds) noexcept;

}  // namespace dlog::os
