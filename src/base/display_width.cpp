// The width of text on a terminal: see display_width.hpp.
#include "base/display_width.hpp"

#include <algorithm>
#include <iterator>

#include "base/utf8.hpp"
#include "base/width_table.hpp"

namespace dlog {
namespace {

using width_table::Joining;
using width_table::Kind;

constexpr char32_t emoji_style_selector = 0xFE0F;
constexpr char32_t ellipsis_point = 0x2026;

bool is_skin_tone(char32_t c) { return c >= 0x1F3FB && c <= 0x1F3FF; }

// A Hangul syllable without a trailing consonant: every 28th of them. A vowel may still follow it.
bool is_open_syllable(char32_t c) { return (c - 0xAC00) % 28 == 0; }

Kind kind_of(char32_t c) noexcept {
  // The last run that begins at or before `c`: the kind's number, below, is as large as it can be.
  const std::uint32_t sought = std::min<std::uint32_t>(c, 0x10FFFF) << 8 | 0xFF;
  const auto behind = std::upper_bound(width_table::starts.begin(), width_table::starts.end(), sought);
  return width_table::kinds[*std::prev(behind) & 0xFF];
}

int columns(const Kind& kind, Ambiguous ambiguous) {
  return ambiguous == Ambiguous::wide ? kind.columns_wide : kind.columns;
}

// How many bytes at the beginning of `text` are printable ASCII that nothing behind them can join: not the last one of a run,
// which may be what a mark stands on.
std::size_t plain_bytes(std::string_view text) noexcept {
  const std::size_t ascii = utf8::printable_ascii(text);
  if (ascii == 0) return 0;
  const bool more_ascii = ascii < text.size() && static_cast<unsigned char>(text[ascii]) < 0x80;
  return more_ascii ? ascii : ascii - 1;
}

// A code point, and what the rules know of the character that it ends.
struct End {
  char32_t point = 0;
  Kind kind;
  bool picture = false;    // a pictograph, and behind it but marks and perhaps one joiner
  bool half_flag = false;  // a regional indicator that has no partner yet
};

End first_end(char32_t point, const Kind& kind) {
  return {point, kind, kind.joining == Joining::pictograph, kind.joining == Joining::regional_indicator};
}

// Whether there is no boundary between the two; the rules and their numbers are those of Unicode Standard Annex 29.
bool joins(const End& end, const Kind& kind) {
  const Joining a = end.kind.joining;
  const Joining b = kind.joining;
  const auto is_control = [](Joining j) {
    return j == Joining::control || j == Joining::carriage_return || j == Joining::line_feed;
  };
  if (a == Joining::carriage_return && b == Joining::line_feed) return true;                  // GB3
  if (is_control(a) || is_control(b)) return false;                                           // GB4, GB5
  if (b == Joining::mark || b == Joining::joiner || b == Joining::spacing_mark) return true;  // GB9, GB9a
  if (a == Joining::prefix) return true;                                                      // GB9b
  if (b == Joining::pictograph) return a == Joining::joiner && end.picture;                   // GB11
  if (b == Joining::regional_indicator) return end.half_flag;                                 // GB12, GB13
  const bool open = a == Joining::vowel_jamo || (a == Joining::syllable && is_open_syllable(end.point));
  switch (b) {
    case Joining::leading_jamo:
    case Joining::syllable: return a == Joining::leading_jamo;                                          // GB6
    case Joining::vowel_jamo: return a == Joining::leading_jamo || open;                                // GB6, GB7
    case Joining::trailing_jamo: return open || a == Joining::syllable || a == Joining::trailing_jamo;  // GB7, GB8
    default: return false;
  }
}

}  // namespace

int width_of(char32_t point, Ambiguous ambiguous) noexcept { return columns(kind_of(point), ambiguous); }

Character first_character(std::string_view text, Ambiguous ambiguous) noexcept {
  if (plain_bytes(text.substr(0, 2)) != 0) return {1, 1};
  const utf8::CodePoint first = utf8::first(text);
  if (!first.valid) return {1, 1};

  End end = first_end(first.value, kind_of(first.value));
  Character out{first.bytes, columns(end.kind, ambiguous)};
  while (out.bytes < text.size()) {
    const utf8::CodePoint next = utf8::first(text.substr(out.bytes));
    if (!next.valid) break;
    const Kind kind = kind_of(next.value);
    if (!joins(end, kind)) break;
    out.bytes += next.bytes;

    // A picture is two columns wide, whatever it is made of.
    const bool picture = (end.picture && (kind.joining == Joining::pictograph || is_skin_tone(next.value))) ||
                         (end.kind.emoji_style && next.value == emoji_style_selector);
    if (picture) out.columns = std::max(out.columns, 2);
    else out.columns += columns(kind, ambiguous);

    const bool behind_joiner = end.kind.joining == Joining::joiner;
    const bool goes_on = kind.joining == Joining::mark || kind.joining == Joining::joiner;
    End next_end = first_end(next.value, kind);
    next_end.picture = next_end.picture || (goes_on && end.picture && !behind_joiner);
    next_end.half_flag = next_end.half_flag && !end.half_flag;
    end = next_end;
  }
  return out;
}

std::size_t columns_of(std::string_view text, Ambiguous ambiguous) noexcept {
  if (utf8::printable_ascii(text) == text.size()) return text.size();  // as most is
  std::size_t sum = 0;
  while (!text.empty()) {
    const std::size_t plain = plain_bytes(text);
    sum += plain;
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Character character = first_character(text, ambiguous);
    sum += static_cast<std::size_t>(character.columns);
    text.remove_prefix(character.bytes);
  }
  return sum;
}

std::string_view fit_columns(std::string_view text, std::size_t columns, Ambiguous ambiguous) noexcept {
  if (columns >= text.size()) return text;  // no text has more columns than bytes
  // What lies beyond is not looked at; a character that reaches the end of the window may go on there, and is left out.
  const std::string_view window = text.substr(0, columns * column_bytes_max);
  std::size_t at = 0;
  for (std::size_t left = columns; at < window.size();) {
    const std::string_view rest = window.substr(at);
    const std::size_t plain = std::min(plain_bytes(rest.substr(0, left + 2)), left);
    at += plain;
    left -= plain;
    if (plain != 0) continue;
    const Character character = first_character(rest, ambiguous);
    if (static_cast<std::size_t>(character.columns) > left) break;
    if (character.bytes == rest.size() && window.size() < text.size()) break;
    at += character.bytes;
    left -= static_cast<std::size_t>(character.columns);
  }
  return text.substr(0, at);
}

std::string cut_with_ellipsis(std::string_view text, std::size_t columns, bool unicode, Ambiguous ambiguous) {
  const std::string_view fit = fit_columns(text, columns, ambiguous);
  if (fit.size() == text.size()) return std::string(text);
  const auto one = static_cast<std::size_t>(width_of(ellipsis_point, ambiguous));
  const bool as_one = unicode && one <= columns;
  const std::size_t taken = as_one ? one : std::min<std::size_t>(columns, 3);
  std::string out(fit_columns(text, columns - taken, ambiguous));
  return out += as_one ? std::string_view("\u2026") : std::string_view("...").substr(0, taken);
}

void append_padded(std::string& out, std::string_view text, std::size_t columns, Ambiguous ambiguous) {
  out += text;
  const std::size_t taken = columns_of(text, ambiguous);
  if (taken < columns) out.append(columns - taken, ' ');
}

}  // namespace dlog
