// Colours and signs: see theme.hpp.
#include "log/render/theme.hpp"

#include <array>

namespace dlog::render {

std::string_view colour_of(Level level, bool colour) noexcept {
  if (!colour) return {};
  switch (level) {
    case Level::trace: return "\x1b[2m";
    case Level::debug: return "\x1b[36m";
    case Level::info: return "\x1b[32m";
    case Level::warn: return "\x1b[33m";
    case Level::error: return "\x1b[31m";
    case Level::fatal:
    case Level::off: return "\x1b[1;31m";
  }
  return {};
}

std::string_view colour_of(BarState state, bool colour) noexcept {
  if (!colour) return {};
  switch (state) {
    case BarState::running: return "\x1b[36m";
    case BarState::cleared: return {};
    case BarState::finished: return "\x1b[32m";
    case BarState::failed: return "\x1b[31m";
    case BarState::abandoned:
    case BarState::orphaned: return "\x1b[33m";
  }
  return {};
}

std::string_view colour_dim(bool colour) noexcept { return colour ? "\x1b[2m" : std::string_view{}; }

BarTheme theme_for(BarTheme asked, bool unicode) noexcept {
  if (asked != BarTheme::automatic) return asked;
  return unicode ? BarTheme::blocks : BarTheme::ascii;
}

std::string_view sign_of(BarState state, const BarLook& look) noexcept {
  if (!look.unicode) return {};
  switch (state) {
    case BarState::running:
    case BarState::cleared: return {};
    case BarState::finished: return "\u2713";
    case BarState::failed: return "\u2717";
    case BarState::abandoned: return "!";
    case BarState::orphaned: return "?";
  }
  return {};
}

std::string_view spinner(std::uint64_t tick, const BarLook& look) noexcept {
  static constexpr std::array<std::string_view, 10> braille{"\u280b", "\u2819", "\u2839", "\u2838", "\u283c",
                                                            "\u2834", "\u2826", "\u2827", "\u2807", "\u280f"};
  static constexpr std::array<std::string_view, 4> ascii{"|", "/", "-", "\\"};
  return look.unicode ? braille[tick % braille.size()] : ascii[tick % ascii.size()];
}

}  // namespace dlog::render
