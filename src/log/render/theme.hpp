// Colours. An empty theme colours nothing.
#pragma once

#include <string_view>

#include "dlog/event.hpp"

namespace dlog::render {

// The sequence that starts a colour; empty where `colour` is off or nothing is to be coloured. Text after it is followed by
// colour_end.
std::string_view colour_of(Level level, bool colour) noexcept;
std::string_view colour_of(BarState state, bool colour) noexcept;
inline constexpr std::string_view colour_end = "\x1b[0m";

}  // namespace dlog::render
