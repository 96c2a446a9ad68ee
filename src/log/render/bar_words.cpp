// What there is to say of a progress bar: see bar_words.hpp.
#include "log/render/bar_words.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "log/render/visible.hpp"

namespace dlog::render {
namespace {

// A number in the largest unit that it fills; `names` from the plain unit up.
template <std::size_t n>
std::string scaled(double value, double step, const char* const (&names)[n]) {
  std::size_t power = 0;
  // What would be rounded to a whole step belongs to the next name.
  for (; value >= (power == 0 ? step : step - 0.05) && power + 1 < n; ++power) value /= step;
  return fmt::format("{:.1f} {}", value, names[power]);
}
// Digits alone need no format string taken apart: rows are made of them, ten times a second.
std::string digits(std::uint64_t n) { return fmt::format_int(n).str(); }
void append_two_digits(std::string& out, std::int64_t n) {
  out += static_cast<char>('0' + n / 10 % 10);
  out += static_cast<char>('0' + n % 10);
}

constexpr const char* bytes_names[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
constexpr const char* bytes_iec_names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

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

std::string_view unit_name(Unit unit) noexcept {
  switch (unit) {
    case Unit::items: return "items";
    case Unit::bytes: return "bytes";
    case Unit::bytes_iec: return "bytes_iec";
    case Unit::seconds: return "seconds";
  }
  return "items";
}

int percent(std::uint64_t value, std::uint64_t total) noexcept {
  if (total == 0) return 0;
  // The greatest p with p * total <= 100 * value, in parts that do not overflow; a first guess is at most one off.
  const std::uint64_t whole = total / 100;
  const std::uint64_t rest = total % 100;
  const auto reaches = [&](std::uint64_t p) { return p * whole + (p * rest + 99) / 100 <= value; };
  const double share = static_cast<double>(value) / static_cast<double>(total);
  auto p = static_cast<std::uint64_t>(100 * std::min(share, 1.0));
  while (p != 0 && !reaches(p)) --p;
  while (p < 100 && reaches(p + 1)) ++p;
  return static_cast<int>(p);
}

std::string percent_words(const Bar& bar) {
  if (bar.total == 0) return {};
  std::string out = digits(static_cast<std::uint64_t>(percent(bar.value, bar.total)));
  out.insert(0, 3 - out.size(), ' ');
  return out + '%';
}

std::string amount_of(std::uint64_t n, Unit unit) {
  switch (unit) {
    case Unit::items: return digits(n);
    case Unit::bytes: return n < 1000 ? digits(n) + " B" : scaled(static_cast<double>(n), 1000, bytes_names);
    case Unit::bytes_iec: return n < 1024 ? digits(n) + " B" : scaled(static_cast<double>(n), 1024, bytes_iec_names);
    case Unit::seconds: return digits(n) + " s";
  }
  return {};
}

std::string amount(const Bar& bar) {
  if (bar.total == 0) return amount_of(bar.value, bar.unit);
  return amount_of(bar.value, bar.unit) + '/' + amount_of(bar.total, bar.unit);
}

std::string rate_words(double per_second, Unit unit) {
  if (!(per_second > 0)) return {};
  switch (unit) {
    case Unit::bytes: return scaled(per_second, 1000, bytes_names) + "/s";
    case Unit::bytes_iec: return scaled(per_second, 1024, bytes_iec_names) + "/s";
    case Unit::seconds: return fmt::format("{:.1f} s/s", per_second);
    case Unit::items: break;
  }
  if (per_second < 0.995) return fmt::format("{:.1f}/min", per_second * 60);
  if (per_second < 9999.5) return fmt::format("{:.{}f}/s", per_second, per_second < 99.95 ? 1 : 0);
  static constexpr const char* thousands[] = {"", "k", "M", "G", "T"};
  std::string out = scaled(per_second, 1000, thousands);
  std::erase(out, ' ');
  return out + "/s";
}

std::string clock_words(std::int64_t ns) {
  const std::int64_t seconds = std::max<std::int64_t>(ns, 0) / 1'000'000'000;
  const std::int64_t hours = seconds / 3600;
  std::string out;
  if (hours >= 48) {
    out = digits(static_cast<std::uint64_t>(hours / 24)) + "d ";
    append_two_digits(out, hours % 24);
    return out + 'h';
  }
  if (hours > 0) {
    out = digits(static_cast<std::uint64_t>(hours)) + ':';
    append_two_digits(out, seconds / 60 % 60);
  } else {
    out = digits(static_cast<std::uint64_t>(seconds / 60));
  }
  out += ':';
  append_two_digits(out, seconds % 60);
  return out;
}

std::string duration_words(std::int64_t ns) {
  if (ns >= 9'950'000'000) return clock_words(ns);
  return fmt::format("{:.1f} s", static_cast<double>(std::max<std::int64_t>(ns, 0)) * 1e-9);
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
