// One console for every process: everything of dlog's log plane but the macros (dlog/macros.hpp) and the screen for a program's
// own tests (dlog/memory_screen.hpp).
//
// Link dlog::dlog, include this, call dlog::info("x={}", x). Threads, lifetimes and errors are said in each header.
#pragma once

#include "dlog/config.hpp"    // IWYU pragma: export
#include "dlog/event.hpp"     // IWYU pragma: export
#include "dlog/level.hpp"     // IWYU pragma: export
#include "dlog/log.hpp"       // IWYU pragma: export
#include "dlog/progress.hpp"  // IWYU pragma: export
#include "dlog/runtime.hpp"   // IWYU pragma: export
#include "dlog/sink.hpp"      // IWYU pragma: export
