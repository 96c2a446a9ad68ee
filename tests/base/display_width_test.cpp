// Tests of base/display_width: how wide text is, what is one character, and where text is cut.
#include "base/display_width.hpp"

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

using dlog::Ambiguous;
using namespace std::string_view_literals;

struct Sample {
  std::string_view what;
  std::string_view text;
  std::vector<int> columns{};       // of each character
  std::vector<int> columns_wide{};  // where ambiguous is wide; empty where that changes nothing
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all{
      {"ASCII", "a b~", {1, 1, 1, 1}},
      {"precomposed", "\u00fc\u00df\u20bf", {1, 1, 1}, {2, 2, 1}},
      {"combining", "e\u0301a\u0308\u0323x", {1, 1, 1}},
      {"enclosing", "a\u20dd\u0417\u0488", {1, 1}, {1, 2}},
      {"CJK", "\u65e5\u672c\u8a9e", {2, 2, 2}},
      {"kana", "\u304b\u3099\u30ac\uff76\uff9e", {2, 2, 2}},
      {"fullwidth", "\uff21\uff01\u3000", {2, 2, 2}},
      {"CJK beyond the first plane", "\U00020000\U0002fffd", {2, 2}},
      {"Hangul syllables", "\ud55c\uae00", {2, 2}},
      {"Hangul jamo", "\u1112\u1161\u11ab\u1100\u1173\u11af", {2, 2}},
      {"Hangul syllable and jamo", "\uac00\u11a8\uac01\u11a8\uac01\u1161", {2, 2, 2, 0}},
      {"Hangul compatibility jamo", "\u3131\u314f", {2, 2}},
      {"Devanagari", "\u0928\u092e\u0938\u094d\u0924\u0947", {1, 1, 1, 1}},
      {"Devanagari with a spacing mark", "\u0939\u093f\u0928\u094d\u0926\u0940", {2, 1, 2}},
      {"Tamil", "\u0ba8\u0bbf\u0b95\u0bcd", {2, 1}},
      {"Thai", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", {1, 1, 1, 1}},
      {"Thai sara am", "\u0e19\u0e49\u0e33", {2}},
      {"Arabic with marks", "\u0645\u064e\u0631\u0652", {1, 1}},
      {"Arabic number sign", "\u0600\u0661", {2}},
      {"emoji", "\U0001f600\U0001f980", {2, 2}},
      {"family", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466!", {2, 1}},
      {"kiss", "\U0001f469\U0001f3fb\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f469\U0001f3ff", {2}},
      {"rainbow flag", "\U0001f3f3\ufe0f\u200d\U0001f308\U0001f3f4\u200d\u2620\ufe0f", {2, 2}},
      {"heart on fire, both ways", "\u2764\ufe0f\u200d\U0001f525\u2764\u200d\U0001f525", {2, 2}},
      {"skin tone", "\U0001f44d\U0001f3fd\u261d\U0001f3ff\u270d\ufe0f\U0001f3fb", {2, 2, 2}},
      {"skin tone alone, and on a letter", "\U0001f3fd a\U0001f3fd", {2, 1, 3}},
      {"heart: as it is, as emoji, as text", "\u2764\u2764\ufe0f\u2764\ufe0e", {1, 2, 1}},
      {"ambiguous as it is, as emoji, as text", "\u2660\u2660\ufe0f\u2660\ufe0e", {1, 2, 1}, {2, 2, 2}},
      {"wide: as it is, as emoji, as text", "\u231a\u231a\ufe0f\u231a\ufe0e", {2, 2, 2}},
      {"U+FE0F behind a letter, and alone", "a\ufe0f\n\ufe0f", {1, 0, 0}},
      {"keycaps", "1\ufe0f\u20e3#\ufe0f\u20e3*\u20e3", {2, 2, 1}},
      {"copyright sign", "\u00a9\u00a9\ufe0f", {1, 2}},
      {"flags", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", {2, 2}},
      {"a flag and a half", "\U0001f1e9\U0001f1ea\U0001f1eb", {2, 1}},
      {"flag of England", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f.", {2, 1}},
      {"joiner between letters", "a\u200db\u200c\u200d", {1, 1}},
      {"joiner before an emoji", "\u200d\U0001f600", {0, 2}},
      {"two joiners join nothing", "\U0001f600\u200d\u200d\U0001f600", {2, 2}},
      {"mark alone", "\u0301a", {0, 1}},
      {"ambiguous", "\u00b1\u2026\u2500\u0414\u03b1\ue000", {1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2}},
      {"no width", "\u200b\u2060\ufeff", {0, 0, 0}},
      {"soft hyphen", "a\u00adb", {1, 1, 1}, {1, 2, 1}},
      {"hexagram", "\u4dc0", {2}},
      {"not assigned: some letter, ideograph, emoji", "\u0378\U0002a6e0\U0001faff", {1, 2, 2}},
      {"controls", "\x1b[\x7f\u009b\t\0"sv, {0, 1, 0, 0, 0, 0}},
      {"newlines", "\r\n\n\r", {0, 0, 0}},
      {"not UTF-8", "\xff\xc3(\xe2\x82", {1, 1, 1, 1, 1}},
      {"not UTF-8 amid marks", "a\u0301\x80\u0301", {1, 1, 0}},
      {"overlong and surrogate", "\xc0\xaf\xed\xa0\x80", {1, 1, 1, 1, 1}},
  };
  return all;
}

// Where each character begins, and the end.
std::vector<std::size_t> bounds_of(std::string_view text, Ambiguous ambiguous = Ambiguous::narrow) {
  std::vector<std::size_t> bounds{0};
  while (bounds.back() < text.size()) {
    bounds.push_back(bounds.back() + dlog::first_character(text.substr(bounds.back()), ambiguous).bytes);
  }
  return bounds;
}

TEST_CASE("display_width: characters of many scripts and their columns") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.what);
    for (const Ambiguous ambiguous : {Ambiguous::narrow, Ambiguous::wide}) {
      const bool other = ambiguous == Ambiguous::wide && !sample.columns_wide.empty();
      const std::vector<int>& expected = other ? sample.columns_wide : sample.columns;
      std::vector<int> columns;
      std::size_t sum = 0;
      for (std::string_view rest = sample.text; !rest.empty();) {
        const dlog::Character character = dlog::first_character(rest, ambiguous);
        REQUIRE(character.bytes > 0);
        REQUIRE(character.bytes <= rest.size());
        columns.push_back(character.columns);
        sum += static_cast<std::size_t>(character.columns);
        rest.remove_prefix(character.bytes);
      }
      CHECK(columns == expected);
      CHECK(dlog::columns_of(sample.text, ambiguous) == sum);
      CHECK(sum <= sample.text.size());
    }
  }
}

TEST_CASE("display_width: a code point by itself") {
  CHECK(dlog::width_of(U'a') == 1);
  CHECK(dlog::width_of(U'\0') == 0);
  CHECK(dlog::width_of(U'\x7f') == 0);
  CHECK(dlog::width_of(U'\u0301') == 0);
  CHECK(dlog::width_of(U'\u65e5') == 2);
  CHECK(dlog::width_of(U'\U0001f3fd') == 2);
  CHECK(dlog::width_of(U'\u2500') == 1);
  CHECK(dlog::width_of(U'\u2500', Ambiguous::wide) == 2);
  CHECK(dlog::width_of(U'\u0301', Ambiguous::wide) == 0);
  CHECK(dlog::width_of(0x10FFFF) == 1);
  CHECK(dlog::width_of(0xFFFFFFFF) == 1);
}

TEST_CASE("display_width: no code point has more columns than bytes, nor more where ambiguous is narrow") {
  std::size_t wrong = 0;
  for (char32_t point = 0; point <= 0x10FFFF; ++point) {
    const int narrow = dlog::width_of(point);
    const int wide = dlog::width_of(point, Ambiguous::wide);
    const bool ambiguous = narrow == 1 && wide == 2;
    if (narrow < 0 || (wide != narrow && !ambiguous) || wide > (point < 0x80 ? 1 : 2)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("display_width: whatever the bytes, characters cover them and a cut ends between two") {
  // Leads, continuations and whole code points, so that these meet in all ways.
  const std::vector<std::string_view> pieces{
      "a",      "1",      "\n",     "\xe2",   "\x80",   "\xf0\x9f", "\xff",       "\u0301",     "\ufe0f", "\u20e3",
      "\u200d", "\u00b1", "\u65e5", "\u1100", "\u1161", "\u093f",   "\U0001f468", "\U0001f1e9", "\u2764", "\U0001f3fd"};
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (std::size_t left = random() % 12; left > 0; --left) text += pieces[random() % pieces.size()];
    CAPTURE(text);
    const std::vector<std::size_t> bounds = bounds_of(text);
    REQUIRE(bounds.back() == text.size());
    const std::size_t all = dlog::columns_of(text);
    REQUIRE(all <= text.size());
    for (std::size_t columns = 0; columns <= all + 1; ++columns) {
      const std::string_view fit = dlog::fit_columns(text, columns);
      REQUIRE(std::ranges::find(bounds, fit.size()) != bounds.end());
      REQUIRE(dlog::columns_of(fit) <= columns);
      REQUIRE(dlog::columns_of(dlog::cut_with_ellipsis(text, columns, true)) <= columns);
    }
  }
}

TEST_CASE("display_width: text is cut at every width, and never inside a character") {
  std::string mixed;
  for (const Sample& sample : samples()) mixed += sample.text;
  for (const Ambiguous ambiguous : {Ambiguous::narrow, Ambiguous::wide}) {
    for (const std::string_view text : {std::string_view(mixed), std::string_view(mixed).substr(0, 40)}) {
      const std::vector<std::size_t> bounds = bounds_of(text, ambiguous);
      const std::size_t all = dlog::columns_of(text, ambiguous);
      std::size_t number = 0;  // of the bound that is expected
      for (std::size_t columns = 1; columns <= all + 3; ++columns) {
        while (number + 1 < bounds.size() &&
               dlog::columns_of(text.substr(0, bounds[number + 1]), ambiguous) <= columns) {
          ++number;
        }
        CAPTURE(columns);
        const std::string_view fit = dlog::fit_columns(text, columns, ambiguous);
        REQUIRE(fit.data() == text.data());
        REQUIRE(fit.size() == bounds[number]);
      }
    }
  }
}

TEST_CASE("display_width: what is cut says so, within its columns") {
  CHECK(dlog::cut_with_ellipsis("plain", 5, true) == "plain");
  CHECK(dlog::cut_with_ellipsis("plain", 4, true) == "pla\u2026");
  CHECK(dlog::cut_with_ellipsis("plain", 4, false) == "p...");
  CHECK(dlog::cut_with_ellipsis("plain", 3, false) == "...");
  CHECK(dlog::cut_with_ellipsis("plain", 2, false) == "..");
  CHECK(dlog::cut_with_ellipsis("plain", 1, false) == ".");
  CHECK(dlog::cut_with_ellipsis("plain", 1, true) == "\u2026");
  CHECK(dlog::cut_with_ellipsis("plain", 0, true).empty());
  CHECK(dlog::cut_with_ellipsis("plain", 0, false).empty());
  CHECK(dlog::cut_with_ellipsis("", 0, true).empty());
  CHECK(dlog::cut_with_ellipsis("\u65e5\u672c\u8a9e", 6, true) == "\u65e5\u672c\u8a9e");
  CHECK(dlog::cut_with_ellipsis("\u65e5\u672c\u8a9e", 5, true) == "\u65e5\u672c\u2026");
  CHECK(dlog::cut_with_ellipsis("\u65e5\u672c\u8a9e", 4, true) == "\u65e5\u2026");
  CHECK(dlog::cut_with_ellipsis("e\u0301e\u0301e\u0301", 2, true) == "e\u0301\u2026");
}

TEST_CASE("display_width: an ellipsis that is two columns wide is counted as such") {
  CHECK(dlog::cut_with_ellipsis("plain", 4, true, Ambiguous::wide) == "pl\u2026");
  CHECK(dlog::cut_with_ellipsis("plain", 2, true, Ambiguous::wide) == "\u2026");
  CHECK(dlog::cut_with_ellipsis("plain", 1, true, Ambiguous::wide) == ".");
}

TEST_CASE("display_width: an ellipsis never makes text wider than asked for") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.what);
    for (const Ambiguous ambiguous : {Ambiguous::narrow, Ambiguous::wide}) {
      const std::size_t all = dlog::columns_of(sample.text, ambiguous);
      for (std::size_t columns = 0; columns <= all + 1; ++columns) {
        for (const bool unicode : {false, true}) {
          const std::string cut = dlog::cut_with_ellipsis(sample.text, columns, unicode, ambiguous);
          CAPTURE(columns, unicode, cut);
          CHECK(dlog::columns_of(cut, ambiguous) <= columns);
          if (columns >= all && columns > 0) CHECK(cut == sample.text);
        }
      }
    }
  }
}

TEST_CASE("display_width: text is padded by its columns") {
  const auto padded = [](std::string_view text, std::size_t columns, Ambiguous ambiguous = Ambiguous::narrow) {
    std::string out = "|";
    dlog::append_padded(out, text, columns, ambiguous);
    return out + "|";
  };
  CHECK(padded("ab", 4) == "|ab  |");
  CHECK(padded("", 2) == "|  |");
  CHECK(padded("\u65e5", 4) == "|\u65e5  |");
  CHECK(padded("e\u0301", 2) == "|e\u0301 |");
  CHECK(padded("\u2500", 3) == "|\u2500  |");
  CHECK(padded("\u2500", 3, Ambiguous::wide) == "|\u2500 |");
  CHECK(padded("longer", 3) == "|longer|");
  CHECK(padded("exact", 5) == "|exact|");
}

TEST_CASE("display_width: marks without end do not make a row without end") {
  std::string marks;
  for (int i = 0; i < 100'000; ++i) marks += "\u0301";
  CHECK(dlog::columns_of("e" + marks + "e") == 2);
  CHECK(dlog::first_character("e" + marks + "e").bytes == 1 + marks.size());

  // A character that goes on beyond the bound is left out, not split.
  CHECK(dlog::fit_columns("ae" + marks + "z", 80) == "a");
  CHECK(dlog::cut_with_ellipsis("ae" + marks + "z", 80, true) == "a\u2026");
  CHECK(dlog::fit_columns(marks, 80).empty());

  // The bound falls behind a letter that a mark follows.
  const std::string before(2 * dlog::column_bytes_max - 1, '\x01');
  CHECK(dlog::fit_columns(before + "e\u0301 and more", 2) == before);

  // Thirty marks on each letter are still text.
  std::string stacked;
  for (int i = 0; i < 100; ++i) stacked += "e" + marks.substr(0, 60);
  CHECK(dlog::fit_columns(stacked, 99).size() == std::size_t{99} * 61);
}

}  // namespace
