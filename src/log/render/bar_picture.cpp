// The bar itself: see bar_picture.hpp.
#include "log/render/bar_picture.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace dlog::render {
namespace {

// The signs of a theme: ends, empty, parts of a filled column from the smallest, and full.
struct Signs {
  std::string_view left;
  std::string_view right;
  std::string_view empty;
  std::array<std::string_view, 8> parts;  // the first `steps`; the last of them is a full column
  std::size_t steps;
};

constexpr Signs ascii{"[", "]", "-", {"#"}, 1};
constexpr Signs blocks{
    "\u2595", "\u258f", " ", {"\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589", "\u2588"}, 8};
constexpr Signs line{"", "", "\u2500", {"\u2578", "\u2501"}, 2};
constexpr Signs dots{
    "\u2595", "\u258f", " ", {"\u2840", "\u2844", "\u2846", "\u2847", "\u28c7", "\u28e7", "\u28f7", "\u28ff"}, 8};

const Signs& signs_of(const BarLook& look) {
  // All but ASCII have signs of ambiguous width: where they take two columns, nothing would stand where it is counted.
  if (look.wide_ambiguous) return ascii;
  switch (look.theme) {
    case BarTheme::blocks: return blocks;
    case BarTheme::line: return line;
    case BarTheme::dots: return dots;
    case BarTheme::automatic:
    case BarTheme::ascii: break;
  }
  return ascii;
}

void append_times(std::string& out, std::string_view sign, std::size_t times) {
  for (; times != 0; --times) out += sign;
}

class Brush {
 public:
  Brush(std::string& out, bool colour) : out_(out), colour_(colour) {}
  void paint(std::string_view colour, std::string_view sign, std::size_t times) {
    if (times == 0 || sign.empty()) return;
    const bool seen = colour_ && !colour.empty() && sign != " ";
    if (seen) out_ += colour;
    append_times(out_, sign, times);
    if (seen) out_ += colour_end;
  }

 private:
  std::string& out_;
  bool colour_;
};

}  // namespace

void append_picture(std::string& out, const Bar& bar, std::size_t columns, const BarLook& look, std::uint64_t tick) {
  const Signs& signs = signs_of(look);
  const std::size_t ends = signs.left.empty() ? 0 : 2;
  const std::size_t inner = std::max(columns, picture_columns_min) - ends;
  const BarState colour_state = bar.paused && bar.state == BarState::running ? BarState::abandoned : bar.state;
  const std::string_view filled = colour_of(colour_state, look.colour);
  const std::string_view dim = colour_dim(look.colour);
  const std::string_view full = signs.parts[signs.steps - 1];
  Brush brush(out, look.colour);

  brush.paint(dim, signs.left, 1);
  if (bar.total != 0) {
    const double share = std::min(1.0, static_cast<double>(bar.value) / static_cast<double>(bar.total));
    const std::size_t all = inner * signs.steps;
    auto steps = static_cast<std::size_t>(share * static_cast<double>(all));
    steps = bar.value < bar.total ? std::min(steps, all - 1) : all;
    const std::size_t whole = steps / signs.steps;
    const std::size_t part = steps % signs.steps;
    brush.paint(filled, full, whole);
    if (part != 0) brush.paint(filled, signs.parts[part - 1], 1);
    brush.paint(dim, signs.empty, inner - whole - (part != 0 ? 1 : 0));
  } else if (bar.state == BarState::running) {
    const std::size_t mark = std::min<std::size_t>(3, inner);
    const std::size_t way = inner - mark;
    std::size_t at = way == 0 ? 0 : static_cast<std::size_t>(tick % (2 * way));
    if (at > way) at = 2 * way - at;
    brush.paint(dim, signs.empty, at);
    brush.paint(filled, full, mark);
    brush.paint(dim, signs.empty, way - at);
  } else {
    const bool complete = bar.state == BarState::finished;
    brush.paint(complete ? filled : dim, complete ? full : signs.empty, inner);
  }
  brush.paint(dim, signs.right, 1);
}

}  // namespace dlog::render
