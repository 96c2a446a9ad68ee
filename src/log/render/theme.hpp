// Colours and signs. Without colour, and in ASCII, they are words and plain signs.
#pragma once

#include <cstdint>
#include <string_view>

#include "dlog/config.hpp"
#include "dlog/event.hpp"
#include "log/event/bar_template.hpp"

namespace dlog::render {

// The sequence that starts a colour; empty where `colour` is off or nothing is to be coloured. Text after it is followed by
// colour_end.
std::string_view colour_of(Level level, bool colour) noexcept;
std::string_view colour_of(BarState state, bool colour) noexcept;
// For what stands back: the empty part of a bar, its message.
std::string_view colour_dim(bool colour) noexcept;
inline constexpr std::string_view colour_end = "\x1b[0m";

// The theme that an automatic one stands for.
BarTheme theme_for(BarTheme asked, bool unicode) noexcept;

// What bars look like on this terminal.
struct BarLook {
  BarTheme theme = BarTheme::ascii;  // none that is automatic
  bool unicode = false;              // the terminal and the locale take more than ASCII
  bool colour = false;
  bool wide_ambiguous = false;        // characters of ambiguous width take two columns
  event::BarTemplate bar_template{};  // of rows; empty: the usual ones
};

// `✓` and the like before the name of a state; empty in ASCII.
std::string_view sign_of(BarState state, const BarLook& look) noexcept;

// One of the pictures of a mark that turns.
std::string_view spinner(std::uint64_t tick, const BarLook& look) noexcept;

}  // namespace dlog::render
