// Tests of visible.cpp: nothing in a text can move a cursor, forge a line, reorder text or change a title.
#include "log/render/visible.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "support/catch.hpp"
#include "support/json.hpp"

namespace {

using namespace dlog;
using namespace dlog::render;

std::string visible_lines(std::string_view text) {
  std::string out;
  append_visible_lines(out, text);
  return out;
}
std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string utf8_of(std::uint32_t c) {
  std::string out;
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return add(c), out;
  if (c < 0x800) return add(0xC0 | (c >> 6)), add(0x80 | (c & 0x3F)), out;
  if (c < 0x10000) return add(0xE0 | (c >> 12)), add(0x80 | ((c >> 6) & 0x3F)), add(0x80 | (c & 0x3F)), out;
  return add(0xF0 | (c >> 18)), add(0x80 | ((c >> 12) & 0x3F)), add(0x80 | ((c >> 6) & 0x3F)), add(0x80 | (c & 0x3F)),
         out;
}

// What UAX #9 and the line breaking of terminals and editors act upon, spelled out.
bool is_hidden_control(std::uint32_t c) {
  switch (c) {
    case 0x061C:  // Arabic letter mark
    case 0x200E:
    case 0x200F:
    case 0x2028:
    case 0x2029:
    case 0x202A:
    case 0x202B:
    case 0x202C:
    case 0x202D:
    case 0x202E:
    case 0x2066:
    case 0x2067:
    case 0x2068:
    case 0x2069: return true;
    default: return c < 0x20 || (c >= 0x7F && c <= 0x9F);
  }
}

bool is_surrogate(std::uint32_t c) { return c >= 0xD800 && c <= 0xDFFF; }

std::string random_text(std::mt19937& random) {
  static const std::string_view pieces[] = {"a",
                                            "\\",
                                            "\"",
                                            "\n",
                                            "\r\n",
                                            "\x1b[2J",
                                            "\x9b",
                                            "\xc2\x9b",
                                            "\xe2\x80\xae",
                                            "ü",
                                            "漢",
                                            "\xf0\x9f\x98\x80",
                                            "\xed\xa0\x80",
                                            "\xc0\x80",
                                            "\xff",
                                            "\xf0\x9f"};
  std::string out;
  for (auto n = random() % 12; n > 0; --n) {
    if (random() % 2 == 0) out += static_cast<char>(random() % 256);
    else out += pieces[random() % std::size(pieces)];
  }
  if (random() % 8 == 0) out += '\0';
  return out;
}

}  // namespace

TEST_CASE("visible: every single byte") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    std::string expected = text;
    if (byte < 0x20 || byte >= 0x7F) expected = fmt::format("\\x{:02x}", byte);
    if (byte == '\n') expected = "\\n";
    if (byte == '\r') expected = "\\r";
    if (byte == '\t') expected = "\\t";
    INFO("byte " << byte);
    CHECK(visible(text) == expected);
    CHECK(visible("a" + text + "z") == "a" + expected + "z");
  }
}

TEST_CASE("visible: every code point stays or is escaped by its number") {
  std::string wrong;
  for (std::uint32_t c = 0x80; c <= 0x10FFFF; c += c < 0x10000 ? 1 : 61) {
    if (is_surrogate(c)) continue;
    const std::string text = utf8_of(c);
    const std::string expected = is_hidden_control(c) ? fmt::format("\\u{:04x}", c) : text;
    if (visible(text) != expected) wrong += fmt::format(" U+{:04X}", c);
  }
  CHECK(wrong == "");
}

TEST_CASE("visible: neighbours of what is escaped stay") {
  for (const std::uint32_t c :
       {0x20U, 0x7EU, 0xA0U, 0x061BU, 0x061DU, 0x200DU, 0x2010U, 0x2027U, 0x202FU, 0x2065U, 0x206AU}) {
    CHECK(visible(utf8_of(c)) == utf8_of(c));
  }
}

TEST_CASE("visible: bytes that are not UTF-8") {
  CHECK(visible("\xc0\x80") == "\\xc0\\x80");                    // overlong
  CHECK(visible("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");           // overlong
  CHECK(visible("\xf0\x80\x80\x9b") == "\\xf0\\x80\\x80\\x9b");  // overlong
  CHECK(visible("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(visible("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  CHECK(visible("\xf5z") == "\\xf5z");
  CHECK(visible("a\xe2\x80") == "a\\xe2\\x80");      // cut off at the end
  CHECK(visible("\xe2\x80z") == "\\xe2\\x80z");      // cut off by another character
  CHECK(visible("\xe2\x1b[0m") == "\\xe2\\x1b[0m");  // an escape where a continuation should be
  CHECK(visible("\xc3\xc3\xbc") == "\\xc3ü");        // the second is whole
}

TEST_CASE("visible: sequences a terminal obeys") {
  CHECK(visible("\x1b]0;title\x07") == "\\x1b]0;title\\x07");
  CHECK(visible("\x1b[2J\x1b[H") == "\\x1b[2J\\x1b[H");
  CHECK(visible("\xc2\x9b"
                "2J") == "\\u009b2J");
  CHECK(visible("\x9b"
                "2J") ==
        "\\x9b"
        "2J");
  CHECK(visible("a\bb\vc\fd") == "a\\x08b\\x0bc\\x0cd");
  CHECK(visible(std::string_view("a\0b", 3)) == "a\\x00b");
}

TEST_CASE("visible: appends, also nothing") {
  std::string out = "before ";
  append_visible(out, "");
  append_visible(out, "\x07");
  append_visible_lines(out, "");
  CHECK(out == "before \\x07");
}

TEST_CASE("visible: a message's lines are indented") {
  CHECK(visible_lines("one") == "one");
  CHECK(visible_lines("one\ntwo\nthree") == "one\n    two\n    three");
  CHECK(visible_lines("one\r\ntwo\r\n") == "one\n    two");
  CHECK(visible_lines("one\n") == "one");
  CHECK(visible_lines("one\n\n") == "one\n    ");
  CHECK(visible_lines("\n") == "");
  CHECK(visible_lines("\ntwo") == "\n    two");
  CHECK(visible_lines("one\rtwo") == "one\\rtwo");
  CHECK(visible_lines("one\r\r\ntwo") == "one\\r\n    two");
  CHECK(visible_lines("12:00:00.000 INF a[1]: x\n12:00:00.000 INF b[2]: y") ==
        "12:00:00.000 INF a[1]: x\n    12:00:00.000 INF b[2]: y");
  CHECK(visible_lines("a\xe2\x80\xa8"
                      "b\xc2\x85"
                      "c\x0b") == "a\\u2028b\\u0085c\\x0b");
}

TEST_CASE("visible: whatever comes in, only harmless text comes out") {
  std::mt19937 random(20'261'121);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = random_text(random);
    const std::string line = visible(text);
    const std::string lines = visible_lines(text);
    INFO("text " << json(text));
    REQUIRE(utf8::valid(line));
    REQUIRE(utf8::valid(lines));
    for (std::string_view rest = line; !rest.empty();) {
      const utf8::CodePoint point = utf8::first(rest);
      REQUIRE_FALSE(is_hidden_control(point.value));
      rest.remove_prefix(point.bytes);
    }
    for (std::size_t at = lines.find('\n'); at != std::string::npos; at = lines.find('\n', at + 1)) {
      REQUIRE(lines.compare(at + 1, 4, "    ") == 0);
    }
    REQUIRE(lines.find('\r') == std::string::npos);
    REQUIRE(lines.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("valid_utf8: only what is not UTF-8 changes") {
  CHECK(valid_utf8("") == "");
  CHECK(valid_utf8("plain ü 漢 \xf0\x9f\x98\x80") == "plain ü 漢 \xf0\x9f\x98\x80");
  CHECK(valid_utf8("\x1b[0m\n\t\xe2\x80\xae") == "\x1b[0m\n\t\xe2\x80\xae");
  CHECK(valid_utf8(std::string_view("\0", 1)) == std::string_view("\0", 1));
  CHECK(valid_utf8("a\xff\xc3") == "a\\xff\\xc3");
  CHECK(valid_utf8("\xed\xb0\x80") == "\\xed\\xb0\\x80");
}

TEST_CASE("json string: exact texts") {
  CHECK(json("") == "\"\"");
  CHECK(json("plain ü 漢") == "\"plain ü 漢\"");
  CHECK(json("a\"b\\c/d") == "\"a\\\"b\\\\c/d\"");
  CHECK(json("a\nb\r\t") == "\"a\\nb\\u000d\\u0009\"");
  CHECK(json("\x1b\x7f") == "\"\\u001b\\u007f\"");
  CHECK(json("\xc2\x9b\xe2\x80\xae\xe2\x80\xa8") == "\"\\u009b\\u202e\\u2028\"");
  CHECK(json("\xff") == "\"\\\\xff\"");
}

TEST_CASE("json string: a reader gets the text back") {
  for (std::uint32_t c = 0; c < 0x3000; ++c) {
    const std::string text = "<" + utf8_of(c) + ">";
    INFO("U+" << c);
    REQUIRE(test::parse_json_string(json(text)) == text);
  }
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = random_text(random);
    const std::string out = json(text);
    REQUIRE(test::parse_json_string(out) == valid_utf8(text));
    REQUIRE(visible(out) == out);
  }
}
