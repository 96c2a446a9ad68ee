// Tests of base/number: what a person may type into an environment variable.
#include "base/number.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace dlog;
using namespace std::string_view_literals;

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

TEST_CASE("number: decimal digits are a number") {
  CHECK(parse_unsigned("0") == 0U);
  CHECK(parse_unsigned("7") == 7U);
  CHECK(parse_unsigned("007") == 7U);
  CHECK(parse_unsigned("65535") == 65'535U);
  CHECK(parse_unsigned("18446744073709551615") == largest);
  CHECK(parse_unsigned(std::string(1000, '0') + "1") == 1U);
  CHECK(parse_unsigned(std::string_view("12345").substr(1, 3)) == 234U);  // what stands behind the view is not read
}

TEST_CASE("number: anything but decimal digits is none") {
  for (const std::string_view text : {""sv,
                                      " "sv,
                                      "-1"sv,
                                      "-0"sv,
                                      "+1"sv,
                                      " 1"sv,
                                      "1 "sv,
                                      "1\n"sv,
                                      "1."sv,
                                      "1.5"sv,
                                      "1e3"sv,
                                      "0x10"sv,
                                      "1_000"sv,
                                      "1,000"sv,
                                      "ten"sv,
                                      "1k"sv,
                                      "1\0"sv,
                                      "\0"sv,
                                      "\xD9\xA1"sv,
                                      "18446744073709551616"sv,
                                      "99999999999999999999"sv,
                                      "184467440737095516150"sv}) {
    CAPTURE(text);
    CHECK_FALSE(parse_unsigned(text));
  }
  CHECK_FALSE(parse_unsigned(std::string_view()));
}

TEST_CASE("number: a number of bytes has a unit, or none") {
  CHECK(parse_bytes("0") == 0U);
  CHECK(parse_bytes("512") == 512U);
  CHECK(parse_bytes("1k") == 1024U);
  CHECK(parse_bytes("1K") == 1024U);
  CHECK(parse_bytes("3m") == 3U * 1024 * 1024);
  CHECK(parse_bytes("3M") == 3U * 1024 * 1024);
  CHECK(parse_bytes("8g") == std::uint64_t{8} << 30);
  CHECK(parse_bytes("8G") == std::uint64_t{8} << 30);
  CHECK(parse_bytes("0G") == 0U);
}

TEST_CASE("number: bytes may be as many as fit, and no more") {
  CHECK(parse_bytes("18446744073709551615") == largest);
  CHECK_FALSE(parse_bytes("18446744073709551616"));
  CHECK(parse_bytes("18014398509481983k") == largest - 1023);
  CHECK_FALSE(parse_bytes("18014398509481984k"));
  CHECK(parse_bytes("17592186044415m") == largest - 1'048'575);
  CHECK_FALSE(parse_bytes("17592186044416m"));
  CHECK(parse_bytes("17179869183G") == largest - 1'073'741'823);
  CHECK_FALSE(parse_bytes("17179869184G"));
}

TEST_CASE("number: what is no number of bytes") {
  for (const std::string_view text : {""sv, "k"sv, "M"sv, "1kk"sv, "1kB"sv, "1KiB"sv, "1 k"sv, "k1"sv, "-1k"sv, "1t"sv,
                                      "1.5m"sv, "1m "sv, " 1m"sv, "1\0k"sv}) {
    CAPTURE(text);
    CHECK_FALSE(parse_bytes(text));
  }
  CHECK_FALSE(parse_bytes(std::string_view()));
}

TEST_CASE("number: switches are words of their own, in any case") {
  for (const std::string_view yes : {"true", "TRUE", "True", "tRuE", "1", "yes", "YES", "on", "On"}) {
    CAPTURE(yes);
    CHECK(parse_switch(yes) == std::optional(true));
  }
  for (const std::string_view no : {"false", "FALSE", "0", "no", "No", "off", "OFF"}) {
    CAPTURE(no);
    CHECK(parse_switch(no) == std::optional(false));
  }
  for (const std::string_view neither : {""sv, "y"sv, "n"sv, "t"sv, "tru"sv, "truee"sv, "true "sv, " true"sv, "2"sv,
                                         "00"sv, "01"sv, "-1"sv, "enable"sv, "true\0"sv}) {
    CAPTURE(neither);
    CHECK_FALSE(parse_switch(neither));
  }
}

TEST_CASE("number: only ASCII letters have a case") {
  CHECK(equal_ignoring_case("", ""));
  CHECK(equal_ignoring_case("AZaz09", "azAZ09"));
  CHECK_FALSE(equal_ignoring_case("a", ""));
  CHECK_FALSE(equal_ignoring_case("", "a"));
  CHECK_FALSE(equal_ignoring_case("abc", "ab"));
  CHECK_FALSE(equal_ignoring_case("ab", "abc"));
  // Neighbours of the letters, which differ from one another by the same one bit.
  CHECK_FALSE(equal_ignoring_case("@", "`"));
  CHECK_FALSE(equal_ignoring_case("[", "{"));
  CHECK_FALSE(equal_ignoring_case("\xC9", "\xE9"));
  CHECK_FALSE(equal_ignoring_case("a\0b"sv, "a\0c"sv));
}

}  // namespace
