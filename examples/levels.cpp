// The levels, and what decides which of them are logged.
//
// Try DLOG_LEVEL=warn, DLOG_FORMAT=json, DLOG_SIMPLE=true, NO_COLOR=1, DLOG_FILE=levels.log.
#include <dlog/dlog.hpp>
#include <dlog/macros.hpp>

#include <string>

namespace {

int costly() {
  dlog::debug("computing something that takes a while");
  return 42;
}

}  // namespace

int main() {
  dlog::init({.level = dlog::Level::debug});  // the environment's DLOG_LEVEL wins over this

  dlog::trace("where the program goes, step by step");
  dlog::debug("what helps to find a fault");
  dlog::info("what a user may want to know");
  dlog::warn("disk {}% full", 91);
  dlog::error("cannot open {}: {}", "settings.json", "no such file");
  dlog::fatal("fatal is a level: the program goes on");

  const std::string text = "text given alone is not a format: {} stays as it is";
  dlog::log(dlog::Level::info, text);

  DLOG_TRACE("a macro does not compute its arguments when the level is off: {}", costly());
  dlog::set_level(dlog::Level::error);
  dlog::warn("not shown");
  dlog::error("shown");
}
