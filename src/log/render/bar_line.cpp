// A progress bar as text: see bar_line.hpp.
#include "log/render/bar_line.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "log/render/theme.hpp"
#include "log/render/visible.hpp"

namespace dlog::render {
namespace {

constexpr std::size_t bar_columns_max = 40;
constexpr std::size_t bar_columns_min = 10;

// Columns a text takes, one a code point; the terminal's autowrap is off where it is drawn, so that a wide character cannot
// break the layout.
std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    text.remove_prefix(utf8::first(text).bytes);
    ++columns;
  }
  return columns;
}

std::string cut_columns(std::string_view text, std::size_t columns) {
  std::size_t bytes = 0;
  for (; columns > 0 && bytes < text.size(); --columns) bytes += utf8::first(text.substr(bytes)).bytes;
  return std::string(text.substr(0, bytes));
}

std::string visible(std::string_view text) {
  std::string out;
  append_visible(out, text);
  return out;
}

std::string one_amount(std::uint64_t n, Unit unit) {
  const auto scaled = [n](double step, const char* const(&names)[7]) {
    auto value = static_cast<double>(n);
    std::size_t power = 0;
    // What would be rounded to a whole step belongs to the next name.
    for (; value >= (power == 0 ? step : step - 0.05) && power < 6; ++power) value /= step;
    return power == 0 ? fmt::format("{} {}", n, names[0]) : fmt::format("{:.1f} {}", value, names[power]);
  };
  switch (unit) {
    case Unit::items: return fmt::format("{}", n);
    case Unit::bytes: return scaled(1000, {"B", "kB", "MB", "GB", "TB", "PB", "EB"});
    case Unit::bytes_iec: return scaled(1024, {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"});
    case Unit::seconds: return fmt::format("{} s", n);
  }
  return {};
}

std::string picture(const Bar& bar, std::size_t columns, std::uint64_t tick) {
  std::string out(columns, '-');
  if (bar.total != 0) {
    const double share = std::min(1.0, static_cast<double>(bar.value) / static_cast<double>(bar.total));
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(columns));
    std::fill_n(out.begin(), bar.value < bar.total ? std::min(filled, columns - 1) : columns, '#');
  } else if (bar.state == BarState::running) {
    // A mark that runs to and fro.
    const std::size_t way = columns - 3;
    const std::size_t at = static_cast<std::size_t>(tick % (2 * way));
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at <= way ? at : 2 * way - at), 3, '#');
  }
  return out;
}

std::string row(const Bar& bar, std::string_view source, std::size_t columns, std::uint64_t tick,
                std::string_view mark) {
  std::string head = source.empty() ? std::string() : std::string(source) + ' ';
  head += visible(bar.description);
  std::string tail =
      bar.total == 0 ? ' ' + amount(bar) : fmt::format(" {:3}% {}", percent(bar.value, bar.total), amount(bar));
  if (!mark.empty()) tail.append(" ").append(mark);
  if (!bar.message.empty()) tail += ' ' + visible(bar.message);

  const std::size_t room = columns > 1 ? columns - 1 : 0;
  const std::size_t head_max = room / 2;
  if (columns_of(head) > head_max) head = cut_columns(head, head_max);
  const std::size_t taken = columns_of(head) + columns_of(tail) + 3;  // a space and two brackets
  const std::size_t left = taken < room ? room - taken : 0;
  const std::size_t wide = std::clamp(left, bar_columns_min, bar_columns_max);
  return cut_columns(fmt::format("{} [{}]{}", head, picture(bar, wide, tick), tail), room);
}

}  // namespace

std::string_view state_name(BarState state) noexcept {
  switch (state) {
    case BarState::running: return "running";
    case BarState::finished: return "finished";
    case BarState::failed: return "failed";
    case BarState::abandoned: return "abandoned";
    case BarState::orphaned: return "orphaned";
    case BarState::cleared: return "cleared";
  }
  return "running";
}

int percent(std::uint64_t value, std::uint64_t total) noexcept {
  if (total == 0) return 0;
  // The greatest p with p * total <= 100 * value, in parts that do not overflow.
  const std::uint64_t whole = total / 100;
  const std::uint64_t rest = total % 100;
  std::uint64_t p = 100;
  while (p != 0 && p * whole + (p * rest + 99) / 100 > value) --p;
  return static_cast<int>(p);
}

std::string amount(const Bar& bar) {
  if (bar.total == 0) return one_amount(bar.value, bar.unit);
  return one_amount(bar.value, bar.unit) + '/' + one_amount(bar.total, bar.unit);
}

std::string bar_row(const Bar& bar, std::string_view source, std::size_t columns, std::uint64_t tick) {
  return row(bar, source, columns, tick, {});
}

std::string bar_end_row(const Bar& bar, std::string_view source, std::size_t columns, bool colour) {
  const std::string text = row(bar, source, columns, 0, state_name(bar.state));
  const std::string_view start = colour_of(bar.state, colour);
  return start.empty() ? text : fmt::format("{}{}{}", start, text, colour_end);
}

std::string bar_sentence(const Bar& bar) {
  std::string out = visible(bar.description);
  switch (bar.state) {
    case BarState::running:
      if (bar.created) out += fmt::format(": started ({})", amount(bar));
      else if (bar.total == 0) out += fmt::format(": {}", amount(bar));
      else out += fmt::format(": {}% ({})", percent(bar.value, bar.total), amount(bar));
      break;
    case BarState::finished: out += fmt::format(": finished ({})", amount(bar)); break;
    default: out += fmt::format(": {} at {}", state_name(bar.state), amount(bar));
  }
  if (!bar.message.empty()) out += ": " + visible(bar.message);
  return out;
}

Level bar_level(BarState state) noexcept {
  if (state == BarState::failed) return Level::error;
  if (state == BarState::abandoned || state == BarState::orphaned) return Level::warn;
  return Level::info;
}

}  // namespace dlog::render
