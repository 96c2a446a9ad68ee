// How many columns text takes on a terminal, and where it may be cut without breaking what a person sees as one character.
// Pure; any thread. Text may be anything; control characters take no column, so who shows text escapes them before.
//
// Terminals do not agree. Most of them add up the widths of the code points; some draw a sequence of emoji as one. Here a
// sequence joined by U+200D, an emoji with a skin tone or one with U+FE0F is two columns wide and all else is a sum: what most
// do, and where they are divided mostly the wider, for a row that is too short leaves a blank, one that is too long breaks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dlog {

// Greek, Cyrillic, box drawing and more take one column, but two on terminals set up for some East Asian languages.
enum class Ambiguous : std::uint8_t { narrow, wide };

// 0, 1 or 2 columns: a code point by itself.
int width_of(char32_t point, Ambiguous ambiguous = Ambiguous::narrow) noexcept;

struct Character {
  std::size_t bytes = 0;
  int columns = 0;
};

// The character at the beginning of `text`, which must not be empty: a base with all its marks, a flag, a keycap, a family. (An
// extended grapheme cluster of Unicode Standard Annex 29.) A byte that is no UTF-8 is a character of one column.
Character first_character(std::string_view text, Ambiguous ambiguous = Ambiguous::narrow) noexcept;

// Never more than `text` has bytes.
std::size_t columns_of(std::string_view text, Ambiguous ambiguous = Ambiguous::narrow) noexcept;

// Marks take no column, so that a row could have millions of them. What people write stays below this; Unicode's own bound (the
// stream-safe format) is 30 marks a base.
constexpr std::size_t column_bytes_max = 64;

// The longest beginning of `text` of at most `columns` columns, and of at most `column_bytes_max` bytes a column, that does not
// end inside a character.
std::string_view fit_columns(std::string_view text, std::size_t columns,
                             Ambiguous ambiguous = Ambiguous::narrow) noexcept;

// All of `text` where it fits; else what fits with U+2026 behind it, or with three dots where there is no `unicode`. Where that
// is too much, as many dots as there are columns.
std::string cut_with_ellipsis(std::string_view text, std::size_t columns, bool unicode,
                              Ambiguous ambiguous = Ambiguous::narrow);

// All of `text`, then spaces up to `columns` columns.
void append_padded(std::string& out, std::string_view text, std::size_t columns,
                   Ambiguous ambiguous = Ambiguous::narrow);

}  // namespace dlog
