// The settings: given once to dlog::init(), or left to the environment. Every setting has an environment variable, and the
// environment wins, so that the one who runs a program has the last word. docs/environment.md lists the variables.
// Plain values; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "dlog/level.hpp"

namespace dlog {

// How the console's lines look. automatic: terminal on a terminal, else plain.
enum class Format { automatic, terminal, plain, simple, json };
// How progress bars are shown. automatic: bar on a terminal, json with Format::json, else plain lines.
enum class ProgressMode { automatic, bar, plain, json, none };
// What bars are drawn with. automatic: blocks where the terminal and the locale take them, else ascii.
enum class BarTheme { automatic, blocks, line, dots, ascii };
// What a call does when the queue is full. block: waits up to block_limit for room, then drops the newest; drop: at once.
// Every drop is counted and told.
enum class Overflow { block, drop };
// Whose connections the listener takes. same_user: of processes of this user, and of whoever proves that he was handed the two
// variables. token: only of the latter. open: of every process of this host that finds the port.
enum class Trust { same_user, token, open };

struct Config {
  Level level = Level::trace;         // DLOG_LEVEL: applied where a record is made, and again where it is shown
  Format format = Format::automatic;  // DLOG_FORMAT, DLOG_SIMPLE
  ProgressMode progress = ProgressMode::automatic;  // DLOG_PROGRESS, DLOG_NO_PROGRESS
  int output_fd = 2;                                // DLOG_OUTPUT_FD: the console; stdout belongs to the program's data
  std::string file{};                               // DLOG_FILE: plain lines are appended here as well; empty: none
  std::string process_name{};                       // DLOG_NAME; empty: the program's file name
  // DLOG_QUEUE_BYTES: bound for what waits in this process, beyond what threads have for themselves (the first 16 a sixteenth of
  // it each, at most 512 KiB; 48 more 32 KiB)
  std::size_t queue_bytes = std::size_t{8} << 20;
  Overflow overflow = Overflow::block;          // DLOG_OVERFLOW
  std::chrono::milliseconds block_limit{1000};  // DLOG_BLOCK_LIMIT_MS
  Level flush_on = Level::error;   // DLOG_FLUSH_ON: at this level and above the log thread is woken at once
  Trust trust = Trust::same_user;  // DLOG_TRUST
  // DLOG_CHILD_RECORDS_PER_SECOND: what a child's connection brings beyond it, of records and of bars' starts and ends, is dropped,
  // counted as lost and told; 0: no limit
  std::uint64_t child_records_per_second = 0;
  bool join_parent = true;      // DLOG_JOIN_PARENT: become a child where DLOG_PIPE says so
  bool listen = true;           // DLOG_LISTEN: accept children
  bool set_environment = true;  // DLOG_SET_ENVIRONMENT: advertise DLOG_PIPE to children
  // DLOG_HANDLE_SIGNALS: flush on SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGBUS, SIGFPE and SIGILL, then re-raise. Whatever this says,
  // SIGABRT is taken where it is SIG_DFL, and, for as long as live bars stand on a terminal, SIGINT, SIGTERM, SIGHUP, SIGQUIT and
  // SIGTSTP, where they are SIG_DFL: the screen is left tidy, then the signal does what it always did.
  bool handle_signals = false;
  std::string
      bar_template{};  // DLOG_BAR_TEMPLATE: rows of bars, as "{desc} {bar} {percent} {eta}"; empty: the usual look;
                       // docs/console.md lists the fields
  BarTheme bar_theme = BarTheme::automatic;  // DLOG_BAR_THEME
  bool taskbar = false;  // DLOG_TASKBAR: show the progress of all bars in the terminal's taskbar entry (OSC 9;4)
};

}  // namespace dlog
