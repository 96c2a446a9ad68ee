// The macros, with everything below warn compiled away; and the headers once more in another file of the same program.
#define DLOG_ACTIVE_LEVEL 3
#include <dlog/dlog.hpp>
#include <dlog/macros.hpp>

int log_with_macros();

// How often an argument of a call below the level was evaluated, and one of a call that is off: together with the one that
// counts, 1.
int log_with_macros() {
  int evaluated = 0;
  DLOG_TRACE("macro {}", ++evaluated);
  DLOG_DEBUG("macro {}", ++evaluated);
  DLOG_INFO("macro {}", ++evaluated);
  dlog::set_level(dlog::Level::fatal);
  DLOG_WARN("macro {}", ++evaluated);
  dlog::set_level(dlog::Level::trace);
  DLOG_WARN("macro {}", ++evaluated + 1);
  DLOG_ERROR("macro {}", 2);
  if (evaluated != 1) DLOG_INFO("a macro is one statement");
  else DLOG_FATAL("macro {}", evaluated + 1);
  return evaluated;
}
