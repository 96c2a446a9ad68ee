// The names of levels: three letters on the console, a word in settings.
#pragma once

#include <optional>
#include <string_view>

#include "dlog/level.hpp"

namespace dlog::event {

std::string_view short_name(Level level) noexcept;  // TRC DBG INF WRN ERR FTL
std::string_view long_name(Level level) noexcept;   // trace ... off

// In any case; nothing where the text is no level.
std::optional<Level> parse_level(std::string_view text) noexcept;

}  // namespace dlog::event
