// The names of levels: see level_name.hpp.
#include "log/event/level_name.hpp"

#include <array>
#include <cstddef>

#include "base/number.hpp"

namespace dlog::event {
namespace {

struct Names {
  std::string_view short_name;
  std::string_view long_name;
};
constexpr std::array<Names, 7> names{{
    {"TRC", "trace"},
    {"DBG", "debug"},
    {"INF", "info"},
    {"WRN", "warn"},
    {"ERR", "error"},
    {"FTL", "fatal"},
    {"OFF", "off"},
}};

const Names& names_of(Level level) noexcept {
  const auto index = static_cast<std::size_t>(level);
  return names[index < names.size() ? index : static_cast<std::size_t>(Level::fatal)];
}

}  // namespace

std::string_view short_name(Level level) noexcept { return names_of(level).short_name; }
std::string_view long_name(Level level) noexcept { return names_of(level).long_name; }

std::optional<Level> parse_level(std::string_view text) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (equal_ignoring_case(text, names[i].long_name)) return static_cast<Level>(i);
  }
  return std::nullopt;
}

}  // namespace dlog::event
