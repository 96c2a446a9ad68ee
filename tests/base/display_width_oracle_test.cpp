// Tests of base/display_width against utf8proc: the width of every code point, and where characters end.
#include <utf8proc.h>

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/display_width.hpp"
#include "base/width_table.hpp"
#include "support/catch.hpp"

namespace {

using dlog::width_table::Joining;

// Two versions of Unicode differ in thousands of places, and none of them is a mistake.
bool same_unicode() {
  if (dlog::width_table::unicode_version == utf8proc_unicode_version()) return true;
  WARN("not compared: utf8proc knows Unicode " << utf8proc_unicode_version());
  return false;
}

std::string encoded(char32_t point) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(point), bytes.data());
  return {bytes.begin(), bytes.begin() + size};
}

// Where we mean to differ.
struct Difference {
  std::string_view why;
  int ours;
  int theirs;
  bool (*covers)(char32_t point, const utf8proc_property_t& property);
  std::size_t points;  // how many there are; fewer or more and somebody should look
};

constexpr std::array differences{
    Difference{"spacing marks have a column of their own in xterm, VTE and the C library", 1, 0,
               [](char32_t, const utf8proc_property_t& p) { return p.category == UTF8PROC_CATEGORY_MC; }, 448},
    Difference{"vowel and trailing jamo, and the places for more, are drawn into the syllable before them", 0, 1,
               [](char32_t c, const utf8proc_property_t&) {
                 return (c >= 0x1160 && c <= 0x11FF) || (c >= 0xD7B0 && c <= 0xD7FF);
               },
               240},
    Difference{"signs above the digits that follow have a shape of their own, as the C library says", 1, 0,
               [](char32_t, const utf8proc_property_t& p) {
                 return p.category == UTF8PROC_CATEGORY_CF && p.boundclass == UTF8PROC_BOUNDCLASS_PREPEND;
               },
               13},
    Difference{"hexagrams are wide in the C library, and in Unicode from 16 on", 2, 1,
               [](char32_t c, const utf8proc_property_t&) { return c >= 0x4DC0 && c <= 0x4DFF; }, 64},
    Difference{"places kept for ideographs are wide, says EastAsianWidth.txt", 2, 1,
               [](char32_t c, const utf8proc_property_t& p) {
                 return p.category == UTF8PROC_CATEGORY_CN &&
                        ((c >= 0xFA6E && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFD));
               },
               61104},
    Difference{"places kept for emoji will be wide when they are filled", 2, 1,
               [](char32_t c, const utf8proc_property_t& p) {
                 return p.category == UTF8PROC_CATEGORY_CN &&
                        ((c >= 0x1F680 && c <= 0x1F6FF) || (c >= 0x1FA70 && c <= 0x1FAFF));
               },
               47},
};

TEST_CASE("display_width: every code point is as wide as utf8proc says, but where we mean to differ") {
  if (!same_unicode()) return;
  std::array<std::size_t, differences.size()> met{};
  std::size_t unexpected = 0;
  char32_t unexpected_first = 0;
  for (char32_t point = 0; point <= 0x10FFFF; ++point) {
    const int ours = dlog::width_of(point);
    const int theirs = utf8proc_charwidth(static_cast<utf8proc_int32_t>(point));
    if (ours == theirs) continue;
    const utf8proc_property_t& property = *utf8proc_get_property(static_cast<utf8proc_int32_t>(point));
    std::size_t number = 0;
    const auto meant = [&](const Difference& d) {
      return d.ours == ours && d.theirs == theirs && d.covers(point, property);
    };
    while (number < differences.size() && !meant(differences[number])) ++number;
    if (number < differences.size()) ++met[number];
    else if (unexpected++ == 0) unexpected_first = point;
  }
  CAPTURE(static_cast<unsigned>(unexpected_first));
  CHECK(unexpected == 0);
  for (std::size_t i = 0; i < differences.size(); ++i) {
    CAPTURE(differences[i].why);
    CHECK(met[i] == differences[i].points);
  }
}

// The lengths of the characters of a text, as utf8proc sees them.
std::vector<std::size_t> theirs_of(const std::vector<char32_t>& points) {
  std::vector<std::size_t> sizes;
  utf8proc_int32_t state = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool starts =
        i == 0 || utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(points[i - 1]),
                                                   static_cast<utf8proc_int32_t>(points[i]), &state) != 0;
    if (starts) sizes.push_back(0);
    sizes.back() += encoded(points[i]).size();
  }
  return sizes;
}

std::vector<std::size_t> ours_of(const std::vector<char32_t>& points) {
  std::string text;
  for (const char32_t point : points) text += encoded(point);
  std::vector<std::size_t> sizes;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(sizes.back())) {
    sizes.push_back(dlog::first_character(rest).bytes);
  }
  return sizes;
}

Joining theirs(int boundclass) {
  switch (boundclass) {
    case UTF8PROC_BOUNDCLASS_CR: return Joining::carriage_return;
    case UTF8PROC_BOUNDCLASS_LF: return Joining::line_feed;
    case UTF8PROC_BOUNDCLASS_CONTROL: return Joining::control;
    case UTF8PROC_BOUNDCLASS_EXTEND: return Joining::mark;
    case UTF8PROC_BOUNDCLASS_L: return Joining::leading_jamo;
    case UTF8PROC_BOUNDCLASS_V: return Joining::vowel_jamo;
    case UTF8PROC_BOUNDCLASS_T: return Joining::trailing_jamo;
    case UTF8PROC_BOUNDCLASS_LV:
    case UTF8PROC_BOUNDCLASS_LVT: return Joining::syllable;
    case UTF8PROC_BOUNDCLASS_REGIONAL_INDICATOR: return Joining::regional_indicator;
    case UTF8PROC_BOUNDCLASS_SPACINGMARK: return Joining::spacing_mark;
    case UTF8PROC_BOUNDCLASS_PREPEND: return Joining::prefix;
    case UTF8PROC_BOUNDCLASS_ZWJ: return Joining::joiner;
    case UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC: return Joining::pictograph;
    default: return Joining::none;
  }
}

TEST_CASE("display_width: every code point joins by the rules that utf8proc has for it") {
  if (!same_unicode()) return;
  const auto& starts = dlog::width_table::starts;
  REQUIRE(starts.front() >> 8 == 0);
  std::size_t wrong = 0;
  char32_t wrong_first = 0;
  for (std::size_t run = 0; run < starts.size(); ++run) {
    const Joining ours = dlog::width_table::kinds.at(starts.at(run) & 0xFF).joining;
    const char32_t end = run + 1 < starts.size() ? starts.at(run + 1) >> 8 : 0x110000;
    for (char32_t point = starts.at(run) >> 8; point < end; ++point) {
      const utf8proc_property_t& property = *utf8proc_get_property(static_cast<utf8proc_int32_t>(point));
      // Of what is not assigned the standard keeps some places for pictographs and controls; utf8proc knows nothing of them.
      if (property.category == UTF8PROC_CATEGORY_CN && (ours == Joining::pictograph || ours == Joining::control))
        continue;
      if (ours != theirs(static_cast<int>(property.boundclass)) && wrong++ == 0) wrong_first = point;
    }
  }
  CAPTURE(static_cast<unsigned>(wrong_first));
  CHECK(wrong == 0);
}

TEST_CASE("display_width: random text falls into the characters that utf8proc sees") {
  if (!same_unicode()) return;
  constexpr char32_t a_syllable = 0xAC00;
  const std::vector<char32_t> pool{
      U'a',          U'1',          U'\r',         U'\n',         U'\t',         U'\u200b',     U'\u0301',
      U'\ufe0f',     U'\u20e3',     U'\u200d',     U'\u200c',     U'\u093f',     U'\u094d',     U'\u0915',
      U'\u0e33',     U'\u0600',     U'\U000110bd', U'\u1100',     U'\u1161',     U'\u11a8',     a_syllable,
      U'\uac01',     U'\u65e5',     U'\U0001f1e6', U'\U0001f1ff', U'\U0001f468', U'\u2764',     U'\u00a9',
      U'\U0001f3fd', U'\U0001f525', U'\uff9e',     U'\U000e0067', U'\U000e007f', U'\U0001fae8', U'\u00ad'};
  std::mt19937 random(20220913);
  std::size_t wrong = 0;
  std::string wrong_text;
  for (int round = 0; round < 30'000; ++round) {
    std::vector<char32_t> points(1 + random() % 12);
    // Now from all of the pool, now from a few: so that long sequences of a kind come up too.
    const std::size_t few = round % 2 == 0 ? pool.size() : 3;
    const std::size_t start = random() % (pool.size() - few + 1);
    for (char32_t& point : points) {
      point = pool[start + random() % few];
      // Of the Hangul syllables some end in a vowel, most in a consonant, and no table says which.
      if (point == a_syllable) point += static_cast<char32_t>(random() % 11172);
    }
    if (ours_of(points) == theirs_of(points)) continue;
    if (wrong++ == 0) {
      for (const char32_t point : points) wrong_text += encoded(point);
    }
  }
  CAPTURE(wrong_text);
  CHECK(wrong == 0);
}

}  // namespace
