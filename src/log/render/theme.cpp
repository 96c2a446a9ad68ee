// Colours: see theme.hpp.
#include "log/render/theme.hpp"

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
    case BarState::running:
    case BarState::cleared: return {};
    case BarState::finished: return "\x1b[32m";
    case BarState::failed: return "\x1b[31m";
    case BarState::abandoned:
    case BarState::orphaned: return "\x1b[33m";
  }
  return {};
}

}  // namespace dlog::render
