// Tests of event/level_name: levels as words, and words as levels.
#include "log/event/level_name.hpp"

#include <optional>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace dlog;
using namespace dlog::event;
using namespace std::string_view_literals;

struct Named {
  Level level;
  std::string_view short_name;
  std::string_view long_name;
};

TEST_CASE("level_name: every level has its names, and is found by the long one") {
  const auto named = GENERATE(values<Named>({
      {Level::trace, "TRC", "trace"},
      {Level::debug, "DBG", "debug"},
      {Level::info, "INF", "info"},
      {Level::warn, "WRN", "warn"},
      {Level::error, "ERR", "error"},
      {Level::fatal, "FTL", "fatal"},
      {Level::off, "OFF", "off"},
  }));
  CAPTURE(named.long_name);
  CHECK(short_name(named.level) == named.short_name);
  CHECK(long_name(named.level) == named.long_name);
  CHECK(parse_level(named.long_name) == std::optional(named.level));
}

TEST_CASE("level_name: a number that is no level is shown as the most severe") {
  for (const int number : {7, 8, 100, 255}) {
    CHECK(short_name(static_cast<Level>(number)) == "FTL");
    CHECK(long_name(static_cast<Level>(number)) == "fatal");
  }
}

TEST_CASE("level_name: a level is read in any case") {
  CHECK(parse_level("WARN") == std::optional(Level::warn));
  CHECK(parse_level("Warn") == std::optional(Level::warn));
  CHECK(parse_level("wArN") == std::optional(Level::warn));
  CHECK(parse_level("OFF") == std::optional(Level::off));
}

TEST_CASE("level_name: anything else is no level") {
  for (const std::string_view text : {""sv, " "sv, "inf"sv, "INF"sv, "information"sv, "warning"sv, " info"sv, "info "sv,
                                      "info\0"sv, "2"sv, "err"sv, "critical"sv, "none"sv, "\xC4\xB1nfo"sv}) {
    CAPTURE(text);
    CHECK_FALSE(parse_level(text));
  }
}

}  // namespace
