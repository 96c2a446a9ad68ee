// Optional macros: unlike the functions they do not evaluate their arguments when the level is off, and calls below
// DLOG_ACTIVE_LEVEL leave no code. Define DLOG_ACTIVE_LEVEL as 0 (trace, the default) to 6 (off) before this header.
// Threads, lifetimes and errors: as in log.hpp.
#pragma once

#include "dlog/log.hpp"

#ifndef DLOG_ACTIVE_LEVEL
#define DLOG_ACTIVE_LEVEL 0
#endif

#define DLOG_AT(level_, ...)                                                                \
  do {                                                                                      \
    if constexpr (::dlog::capture::compiled_in(::dlog::Level::level_, DLOG_ACTIVE_LEVEL)) { \
      if (::dlog::capture::admits(::dlog::Level::level_)) ::dlog::level_(__VA_ARGS__);      \
    }                                                                                       \
  } while (false)

#define DLOG_TRACE(...) DLOG_AT(trace, __VA_ARGS__)
#define DLOG_DEBUG(...) DLOG_AT(debug, __VA_ARGS__)
#define DLOG_INFO(...) DLOG_AT(info, __VA_ARGS__)
#define DLOG_WARN(...) DLOG_AT(warn, __VA_ARGS__)
#define DLOG_ERROR(...) DLOG_AT(error, __VA_ARGS__)
#define DLOG_FATAL(...) DLOG_AT(fatal, __VA_ARGS__)
