// Tests of theme.cpp: what is coloured, and that nothing is where colour is off.
#include "log/render/theme.hpp"

#include <set>
#include <string>

#include "support/catch.hpp"

namespace {

using namespace dlog;
using render::colour_of;

constexpr Level levels[] = {Level::trace, Level::debug, Level::info, Level::warn, Level::error, Level::fatal};
constexpr BarState states[] = {BarState::running,   BarState::finished, BarState::failed,
                               BarState::abandoned, BarState::orphaned, BarState::cleared};

bool is_colour(std::string_view sequence) {
  return sequence.starts_with("\x1b[") && sequence.ends_with('m') && sequence.size() > 3 &&
         sequence.substr(2, sequence.size() - 3).find_first_not_of("0123456789;") == std::string_view::npos;
}

}  // namespace

TEST_CASE("theme: off is empty") {
  for (const Level level : levels) CHECK(colour_of(level, false).empty());
  CHECK(colour_of(Level::off, false).empty());
  for (const BarState state : states) CHECK(colour_of(state, false).empty());
}

TEST_CASE("theme: each level has a colour of its own") {
  std::set<std::string> seen;
  for (const Level level : levels) {
    CHECK(is_colour(colour_of(level, true)));
    seen.emplace(colour_of(level, true));
  }
  CHECK(seen.size() == std::size(levels));
  CHECK(is_colour(colour_of(Level::off, true)));
}

TEST_CASE("theme: a failure looks like an error, a loss like a warning") {
  CHECK(colour_of(BarState::finished, true) == colour_of(Level::info, true));
  CHECK(colour_of(BarState::failed, true) == colour_of(Level::error, true));
  CHECK(colour_of(BarState::abandoned, true) == colour_of(Level::warn, true));
  CHECK(colour_of(BarState::orphaned, true) == colour_of(Level::warn, true));
  CHECK(is_colour(colour_of(BarState::running, true)));
  CHECK(colour_of(BarState::cleared, true).empty());
  CHECK(render::colour_end == "\x1b[0m");
}

TEST_CASE("theme: a number that is no level colours nothing") {
  CHECK(colour_of(static_cast<Level>(200), true).empty());
  CHECK(colour_of(static_cast<BarState>(200), true).empty());
}

TEST_CASE("theme: signs are there where the terminal takes them") {
  render::BarLook look;
  for (const BarState state : states) CHECK(render::sign_of(state, look).empty());
  look.unicode = true;
  CHECK(render::sign_of(BarState::finished, look) == "\u2713");
  CHECK(render::sign_of(BarState::failed, look) == "\u2717");
  CHECK(render::sign_of(BarState::running, look).empty());
}

TEST_CASE("theme: a spinner turns, and comes round") {
  for (const bool unicode : {false, true}) {
    render::BarLook look;
    look.unicode = unicode;
    std::set<std::string> seen;
    for (std::uint64_t tick = 0; tick < 100; ++tick) {
      seen.emplace(render::spinner(tick, look));
      CHECK(render::spinner(tick, look) != render::spinner(tick + 1, look));
    }
    CHECK(seen.size() == (unicode ? 10 : 4));
  }
}

TEST_CASE("theme: what an automatic one stands for") {
  CHECK(render::theme_for(BarTheme::automatic, true) == BarTheme::blocks);
  CHECK(render::theme_for(BarTheme::automatic, false) == BarTheme::ascii);
  for (const bool unicode : {false, true}) CHECK(render::theme_for(BarTheme::dots, unicode) == BarTheme::dots);
}
