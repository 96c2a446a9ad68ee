// Tests of base/utf8: what is a code point, what is none, and where text may be cut.
#include "base/utf8.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

namespace utf8 = dlog::utf8;
using namespace std::string_view_literals;

// The plain way to write a code point, without a look at whether it may be written.
std::string encoded(char32_t value) {
  const auto part = [&](unsigned shift, unsigned mask, unsigned mark) {
    return static_cast<char>(mark | ((static_cast<unsigned>(value) >> shift) & mask));
  };
  if (value < 0x80) return {static_cast<char>(value)};
  if (value < 0x800) return {part(6, 0x1F, 0xC0), part(0, 0x3F, 0x80)};
  if (value < 0x10000) return {part(12, 0x0F, 0xE0), part(6, 0x3F, 0x80), part(0, 0x3F, 0x80)};
  return {part(18, 0x07, 0xF0), part(12, 0x3F, 0x80), part(6, 0x3F, 0x80), part(0, 0x3F, 0x80)};
}

// How many bytes a well-formed sequence at the front takes, 0 for none: table 3-7 of the Unicode standard, row by row.
std::size_t well_formed(const std::array<unsigned char, 4>& b) {
  const auto in = [&](std::size_t i, unsigned low, unsigned high) { return b[i] >= low && b[i] <= high; };
  const auto tail = [&](std::size_t i) { return in(i, 0x80, 0xBF); };
  if (b[0] <= 0x7F) return 1;
  if (in(0, 0xC2, 0xDF) && tail(1)) return 2;
  if (b[0] == 0xE0 && in(1, 0xA0, 0xBF) && tail(2)) return 3;
  if (in(0, 0xE1, 0xEC) && tail(1) && tail(2)) return 3;
  if (b[0] == 0xED && in(1, 0x80, 0x9F) && tail(2)) return 3;
  if (in(0, 0xEE, 0xEF) && tail(1) && tail(2)) return 3;
  if (b[0] == 0xF0 && in(1, 0x90, 0xBF) && tail(2) && tail(3)) return 4;
  if (in(0, 0xF1, 0xF3) && tail(1) && tail(2) && tail(3)) return 4;
  if (b[0] == 0xF4 && in(1, 0x80, 0x8F) && tail(2) && tail(3)) return 4;
  return 0;
}

TEST_CASE("utf8: every code point is read as itself, every surrogate as an invalid byte") {
  char32_t first_wrong = 0;
  for (char32_t value = 0x10FFFF; value > 0; --value) {
    const std::string text = encoded(value) + "x";
    const utf8::CodePoint point = utf8::first(text);
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    const bool right = surrogate ? !point.valid && point.bytes == 1
                                 : point.valid && point.value == value && point.bytes == text.size() - 1;
    if (!right) first_wrong = value;
  }
  CHECK(first_wrong == 0);
}

TEST_CASE("utf8: a NUL is a code point like any other") {
  const utf8::CodePoint point = utf8::first("\0x"sv);
  CHECK(point.valid);
  CHECK(point.value == 0);
  CHECK(point.bytes == 1);
  CHECK(utf8::valid("a\0b"sv));
}

TEST_CASE("utf8: exactly the sequences of the standard's table are valid") {
  // All of the first two bytes, and each side of every bound of the others.
  constexpr std::array<unsigned char, 8> ends{0x00, 0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xF4, 0xFF};
  std::size_t wrong = 0;
  std::string wrong_text;
  for (unsigned lead = 0; lead < 256; ++lead) {
    for (unsigned second = 0; second < 256; ++second) {
      for (const unsigned char third : ends) {
        for (const unsigned char fourth : ends) {
          const std::array bytes{static_cast<unsigned char>(lead), static_cast<unsigned char>(second), third, fourth};
          const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          const std::size_t expected = well_formed(bytes);
          const utf8::CodePoint point = utf8::first(text);
          if (point.valid == (expected != 0) && point.bytes == (expected == 0 ? 1 : expected)) continue;
          if (wrong++ == 0) wrong_text = text;
        }
      }
    }
  }
  CAPTURE(wrong_text);
  CHECK(wrong == 0);
}

TEST_CASE("utf8: a sequence that the text ends inside is one invalid byte, and nothing behind it is read") {
  for (const char32_t value : {U'\u00e9', U'\u20ac', U'\U0001F600'}) {
    const std::string whole = encoded(value);
    for (std::size_t bytes = 1; bytes < whole.size(); ++bytes) {
      const std::string alone = whole.substr(0, bytes);
      CAPTURE(alone);
      CHECK_FALSE(utf8::first(alone).valid);
      CHECK(utf8::first(alone).bytes == 1);
      // The bytes that would complete it are there, but outside the view.
      CHECK_FALSE(utf8::first(std::string_view(whole).substr(0, bytes)).valid);
    }
  }
}

TEST_CASE("utf8: an invalid byte is given back as it is") {
  CHECK(utf8::first("\xFF"sv).value == 0xFF);
  CHECK(utf8::first("\xC0\x80"sv).value == 0xC0);
  CHECK(utf8::first("\x80"sv).value == 0x80);
}

TEST_CASE("utf8: text is valid when all of it is") {
  CHECK(utf8::valid(""));
  CHECK(utf8::valid("plain"));
  CHECK(utf8::valid("\u00e9 \u20ac \U0001F600"));
  CHECK(utf8::valid("\xEF\xBF\xBF"));  // U+FFFF is no character, but a code point
  CHECK_FALSE(utf8::valid("ends in \xE2\x82"));
  CHECK_FALSE(utf8::valid("\x80 begins with a continuation"));
  CHECK_FALSE(utf8::valid("CESU \xED\xA0\xBD\xED\xB8\x80"));
  CHECK_FALSE(utf8::valid("overlong \xC0\xAF"));
  CHECK_FALSE(utf8::valid("\xF4\x90\x80\x80 is above the last"));
}

TEST_CASE("utf8: a cut is the longest beginning that ends between code points") {
  const std::string text = "a\u00e9\u20ac\U0001F600z";  // 1 + 2 + 3 + 4 + 1 bytes
  constexpr std::array<std::size_t, 13> kept{0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t bytes = 0; bytes < kept.size(); ++bytes) {
    CAPTURE(bytes);
    const std::string_view cut = utf8::cut(text, bytes);
    CHECK(cut.size() == kept[bytes]);
    CHECK(cut.data() == text.data());
  }
}

TEST_CASE("utf8: what stands behind a text has no part in its cut") {
  CHECK(utf8::cut(std::string_view("ab\x80\x80").substr(0, 2), 2) == "ab");
  CHECK(utf8::cut(std::string_view("ab\x80\x80").substr(0, 2), 3) == "ab");
}

TEST_CASE("utf8: nothing can be cut to nothing") {
  CHECK(utf8::cut("", 0).empty());
  CHECK(utf8::cut("", 10).empty());
  CHECK(utf8::cut("x", 0).empty());
  CHECK(utf8::cut("\U0001F600", 3).empty());
}

TEST_CASE("utf8: text that is no UTF-8 is cut too, near the place that was asked for") {
  const std::string text(100, '\x80');
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    const std::size_t kept = utf8::cut(text, bytes).size();
    CAPTURE(bytes, kept);
    CHECK(kept <= bytes);
    CHECK(kept + 3 >= bytes);
  }
}

TEST_CASE("utf8: printable ASCII ends at the first byte that is none, wherever it stands") {
  for (int value = 0; value < 256; ++value) {
    const bool printable = value >= 0x20 && value < 0x7F;
    for (std::size_t size = 1; size <= 20; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(value);
        REQUIRE(dlog::utf8::printable_ascii(text) == (printable ? size : at));
        REQUIRE(dlog::utf8::valid(text) == (value < 0x80));
      }
    }
  }
  CHECK(dlog::utf8::printable_ascii("") == 0);
  std::string all;
  for (char c = ' '; c < '\x7F'; ++c) all += c;
  CHECK(dlog::utf8::printable_ascii(all) == all.size());
  CHECK(dlog::utf8::printable_ascii("\u00e9t\u00e9") == 0);
}

}  // namespace
