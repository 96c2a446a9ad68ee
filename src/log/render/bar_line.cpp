// The line that a bar leaves behind: see bar_line.hpp.
#include "log/render/bar_line.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/display_width.hpp"
#include "log/render/bar_picture.hpp"
#include "log/render/bar_words.hpp"
#include "log/render/visible.hpp"

namespace dlog::render {
namespace {

constexpr std::size_t head_columns_min = 20;  // of a description that is too long

}  // namespace

std::string bar_end_line(const BarView& view, std::size_t columns, const BarLook& look) {
  const Bar& bar = view.bar;
  const Ambiguous ambiguous = look.wide_ambiguous ? Ambiguous::wide : Ambiguous::narrow;
  const auto width = [&](std::string_view text) { return columns_of(text, ambiguous); };
  const std::size_t room = columns > 1 ? columns - 1 : 0;

  std::string head(view.source);
  if (!head.empty()) head += ' ';
  append_visible(head, bar.description);
  head += ' ';
  std::string amounts = amount(bar) + ' ';
  std::string percentage = percent_words(bar);
  if (!percentage.empty()) percentage += ' ';
  const std::string_view sign = sign_of(bar.state, look);
  const std::string state = fmt::format("{}{}{}", sign, sign.empty() ? "" : " ", state_name(bar.state));
  std::string time = (bar.state == BarState::finished ? " in " : " after ") + duration_words(view.elapsed_ns);
  std::string reason;
  if (!bar.message.empty()) {
    reason = ": ";
    append_visible(reason, bar.message);
  }

  const std::size_t fixed = width(percentage) + width(state) + width(reason);
  const auto taken = [&] { return width(head) + width(amounts) + width(time) + fixed; };
  if (taken() > room && reason.empty()) time.clear();
  if (taken() > room && bar.total != 0 && reason.empty()) amounts.clear();
  if (width(head) > std::max(room, head_columns_min)) {
    const std::size_t others = taken() - width(head) + 1;
    head = cut_with_ellipsis(head, std::max(room - std::min(room, others), head_columns_min), look.unicode, ambiguous);
    head += ' ';
  }
  std::string picture;
  if (const std::size_t left = room - std::min(room, taken() + 1); bar.total != 0 && left >= picture_columns_fair) {
    append_picture(picture, bar, std::min(left, picture_columns_max), look, 0);
    picture += ' ';
  }
  const std::string_view colour = colour_of(bar.state, look.colour);
  const std::string_view colour_off = colour.empty() ? "" : colour_end;
  return head + picture + percentage + amounts + fmt::format("{}{}{}", colour, state, colour_off) + time + reason;
}

}  // namespace dlog::render
