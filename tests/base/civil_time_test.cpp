// Tests of base/civil_time: points in time as calendar fields and back from RFC 3339 text.
#include "base/civil_time.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace dlog;
using namespace std::string_view_literals;

constexpr std::int64_t earliest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t latest = std::numeric_limits<std::int64_t>::max();

std::string shown(const CivilTime& t) {
  return fmt::format("{}-{:02}-{:02} {:02}:{:02}:{:02}.{:09}", t.year, t.month, t.day, t.hour, t.minute, t.second,
                     t.nanosecond);
}
std::string shown(std::int64_t time_ns, std::int32_t utc_offset_s = 0) {
  return shown(civil_time(time_ns, utc_offset_s));
}
std::string shown_s(std::int64_t time_s, std::int32_t utc_offset_s = 0) {
  return shown(time_s * ns_per_second, utc_offset_s);
}

TEST_CASE("civil_time: well-known moments") {
  CHECK(shown(0) == "1970-01-01 00:00:00.000000000");
  CHECK(shown(1) == "1970-01-01 00:00:00.000000001");
  CHECK(shown_s(86'399) == "1970-01-01 23:59:59.000000000");
  CHECK(shown_s(86'400) == "1970-01-02 00:00:00.000000000");
  CHECK(shown_s(1'000'000'000) == "2001-09-09 01:46:40.000000000");
  CHECK(shown_s(2'147'483'648) == "2038-01-19 03:14:08.000000000");
}

TEST_CASE("civil_time: before 1970 fields still count forwards") {
  CHECK(shown(-1) == "1969-12-31 23:59:59.999999999");
  CHECK(shown(-999'999'999) == "1969-12-31 23:59:59.000000001");
  CHECK(shown_s(-1) == "1969-12-31 23:59:59.000000000");
  CHECK(shown(-1'000'000'001) == "1969-12-31 23:59:58.999999999");
  CHECK(shown_s(-86'400) == "1969-12-31 00:00:00.000000000");
  CHECK(shown_s(-86'401) == "1969-12-30 23:59:59.000000000");
}

TEST_CASE("civil_time: the ends of what nanoseconds can say") {
  CHECK(shown(earliest) == "1677-09-21 00:12:43.145224192");
  CHECK(shown(latest) == "2262-04-11 23:47:16.854775807");
  CHECK(shown(earliest, -86'400) == "1677-09-20 00:12:43.145224192");
  CHECK(shown(latest, 86'400) == "2262-04-12 23:47:16.854775807");
}

TEST_CASE("civil_time: leap years") {
  CHECK(shown_s(951'782'400) == "2000-02-29 00:00:00.000000000");  // divided by 400
  CHECK(shown_s(951'868'800) == "2000-03-01 00:00:00.000000000");
  CHECK(shown_s(1'709'164'800) == "2024-02-29 00:00:00.000000000");  // divided by 4
  CHECK(shown_s(1'677'628'799) == "2023-02-28 23:59:59.000000000");
  CHECK(shown_s(1'677'628'800) == "2023-03-01 00:00:00.000000000");
  CHECK(shown_s(4'107'542'400) == "2100-03-01 00:00:00.000000000");  // divided by 100
  CHECK(shown_s(4'107'542'399) == "2100-02-28 23:59:59.000000000");
  CHECK(shown_s(-2'203'891'200) == "1900-03-01 00:00:00.000000000");
  CHECK(shown_s(-2'203'891'201) == "1900-02-28 23:59:59.000000000");
}

TEST_CASE("civil_time: every day there is follows the day before") {
  constexpr std::array<int, 12> month_days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int year = 1677;
  int month = 9;
  int day = 22;  // the first whole one
  std::size_t wrong = 0;
  for (std::int64_t days = -106'751; days <= 106'750; ++days) {
    const CivilTime t = civil_time(days * 86'400 * ns_per_second);
    if (t.year != year || t.month != month || t.day != day || t.hour + t.minute + t.second + t.nanosecond != 0) ++wrong;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int last = month_days[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
    if (++day <= last) continue;
    day = 1;
    if (++month <= 12) continue;
    month = 1;
    ++year;
  }
  CHECK(wrong == 0);
  CHECK(fmt::format("{}-{}-{}", year, month, day) == "2262-4-11");
}

TEST_CASE("civil_time: an offset is added first") {
  CHECK(shown_s(0, 19'800) == "1970-01-01 05:30:00.000000000");
  CHECK(shown_s(0, -1) == "1969-12-31 23:59:59.000000000");
  CHECK(shown(-1, 3'600) == "1970-01-01 00:59:59.999999999");
  CHECK(shown_s(951'868'799, 1) == "2000-03-01 00:00:00.000000000");
  CHECK(shown_s(1'735'689'599, 3'600) == "2025-01-01 00:59:59.000000000");
  CHECK(shown_s(1'735'689'600, -3'600) == "2024-12-31 23:00:00.000000000");
}

struct Accepted {
  std::string_view text;
  std::int64_t time_ns;
};

TEST_CASE("civil_time: RFC 3339 text that is a time") {
  const auto accepted = GENERATE(values<Accepted>({
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01t00:00:00z", 0},
      {"1970-01-01 00:00:00Z", 0},
      {"1970-01-01T00:00:00+00:00", 0},
      {"1970-01-01T00:00:00-00:00", 0},
      {"2026-11-21T04:16:40.727Z", 1'795'234'600'727'000'000},
      {"2026-11-21T09:46:40.727+05:30", 1'795'234'600'727'000'000},
      {"2026-11-20T20:16:40.727-08:00", 1'795'234'600'727'000'000},
      {"1970-01-01T00:00:00.1Z", 100'000'000},
      {"1970-01-01T00:00:00.000000001Z", 1},
      {"1970-01-01T00:00:00.0000000019Z", 1},  // cut, not rounded
      {"1970-01-01T00:00:00.999999999999Z", 999'999'999},
      {"1970-01-01T00:00:00.123456789123456789123456789+00:00", 123'456'789},
      {"1969-12-31T23:59:59.9Z", -100'000'000},
      {"1970-01-01T23:59:00+23:59", 0},
      {"1969-12-31T00:01:00-23:59", 0},
      {"2000-02-29T00:00:00Z", 951'782'400'000'000'000},
      {"2016-12-31T23:59:60Z", 1'483'228'800'000'000'000},  // a leap second is the next one
      {"2016-12-31T23:59:60.5Z", 1'483'228'800'500'000'000},
      {"1678-01-01T00:00:00Z", -9'214'560'000'000'000'000},
      {"1678-01-01T00:00:00+23:59", -9'214'646'340'000'000'000},
      {"2261-12-31T23:59:60.999999999-23:59", 9'214'732'740'999'999'999},
  }));
  CAPTURE(accepted.text);
  const auto time_ns = parse_rfc3339(accepted.text);
  REQUIRE(time_ns);
  CHECK(*time_ns == accepted.time_ns);
}

TEST_CASE("civil_time: RFC 3339 text that is none") {
  const auto text = GENERATE(values<std::string_view>({
      ""sv,
      "Z"sv,
      "now"sv,
      "1700000000"sv,
      "2026"sv,
      "2026-11-21"sv,
      "04:16:40Z"sv,
      "2026-11-21T04:16:40"sv,  // no zone
      "2026-11-21T04:16Z"sv,    // no seconds
      " 2026-11-21T04:16:40Z"sv,
      "2026-11-21T04:16:40Z "sv,
      "2026-11-21T04:16:40Z\n"sv,
      "2026-11-21T04:16:40ZZ"sv,
      "2026-11-21T04:16:40 Z"sv,
      "2026-11-21  04:16:40Z"sv,
      "2026-11-21_04:16:40Z"sv,
      "2026-11-21T 4:16:40Z"sv,
      "2026/11/21T04:16:40Z"sv,
      "20261121T041640Z"sv,
      "2026-11-21T04.16.40Z"sv,
      "21-11-2026T04:16:40Z"sv,
      "226-11-21T04:16:40Z"sv,
      "02026-11-21T04:16:40Z"sv,
      "+2026-11-21T04:16:40Z"sv,
      "-2026-11-21T04:16:40Z"sv,
      "2026-1-21T04:16:40Z"sv,
      "2026-11-1T04:16:40Z"sv,
      "2026-11-21T4:16:40Z"sv,
      "2026-+1-21T04:16:40Z"sv,
      "2026-11-21T-4:16:40Z"sv,
      "2026-0x-21T04:16:40Z"sv,
      "2026-00-21T04:16:40Z"sv,
      "2026-13-21T04:16:40Z"sv,
      "2026-99-21T04:16:40Z"sv,
      "2026-11-00T04:16:40Z"sv,
      "2026-11-31T04:16:40Z"sv,
      "2026-11-99T04:16:40Z"sv,
      "2026-02-29T04:16:40Z"sv,
      "2100-02-29T04:16:40Z"sv,
      "2024-02-30T04:16:40Z"sv,
      "2026-04-31T04:16:40Z"sv,
      "2026-11-21T24:00:00Z"sv,
      "2026-11-21T04:60:40Z"sv,
      "2026-11-21T04:16:61Z"sv,
      "2026-11-21T99:99:99Z"sv,
      "2026-11-21T04:16:40.Z"sv,
      "2026-11-21T04:16:40,5Z"sv,
      "2026-11-21T04:16:40..5Z"sv,
      "2026-11-21T04:16:40.5.5Z"sv,
      "2026-11-21T04:16:40.-5Z"sv,
      "2026-11-21T04:16:40.5"sv,
      "2026-11-21T04:16:40.x5Z"sv,
      "2026-11-21T04:16:40+"sv,
      "2026-11-21T04:16:40+05"sv,
      "2026-11-21T04:16:40+0530"sv,
      "2026-11-21T04:16:40+5:30"sv,
      "2026-11-21T04:16:40+24:00"sv,
      "2026-11-21T04:16:40+05:60"sv,
      "2026-11-21T04:16:40-99:99"sv,
      "2026-11-21T04:16:40+05:30Z"sv,
      "2026-11-21T04:16:40Z+05:30"sv,
      "2026-11-21T04:16:40*05:30"sv,
      "2026-11-21T04:16:40-+5:30"sv,
      "2026-11-21T04:16:40+-05:30"sv,
      "2026-11-21T04:16:40+05:3"sv,
      "1677-12-31T23:59:59Z"sv,
      "2262-01-01T00:00:00Z"sv,
      "0000-01-01T00:00:00Z"sv,
      "9999-12-31T23:59:59Z"sv,
      "2026-11-21T04:16:40\0Z"sv,
      "2026-11-21T04:16:40Z\0"sv,
      "\0"sv,
      "2026\0-11-21T04:16:40Z"sv,
      "\xD9\xA2\xD9\xA0\xD9\xA2\xD9\xA6-11-21T04:16:40Z"sv,  // digits, but not ours
      "2026\xE2\x80\x93"
      "11-21T04:16:40Z"sv,
  }));
  CAPTURE(text);
  CHECK_FALSE(parse_rfc3339(text));
}

TEST_CASE("civil_time: a fraction may be of any length") {
  const std::string_view start = "1970-01-01T00:00:00.25";
  CHECK(parse_rfc3339(fmt::format("{}{:0<100000}Z", start, "")) == 250'000'000);
  CHECK(parse_rfc3339(fmt::format("{}{:9<100000}Z", start, "")) == 259'999'999);
}

TEST_CASE("civil_time: no beginning of a time is one") {
  const std::string_view whole = "2026-11-21T04:16:40.727+05:30";
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    CAPTURE(bytes);
    CHECK_FALSE(parse_rfc3339(whole.substr(0, bytes)));
  }
  CHECK(parse_rfc3339(whole));
}

TEST_CASE("civil_time: a time that is written is read again, whatever its offset") {
  std::mt19937_64 random(20261121);  // NOLINT(cert-msc51-cpp): the same every time
  std::uniform_int_distribution<std::int64_t> times(-9'214'560'000'000'000'000, 9'214'646'399'999'999'999);
  std::uniform_int_distribution<int> minutes(-(23 * 60 + 59), 23 * 60 + 59);
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t time_ns = times(random);
    const int offset = minutes(random);
    const CivilTime t = civil_time(time_ns, offset * 60);
    if (t.year < 1678 || t.year > 2261) continue;
    const std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}{}{:02}:{:02}", t.year, t.month,
                                         t.day, t.hour, t.minute, t.second, t.nanosecond, offset < 0 ? '-' : '+',
                                         (offset < 0 ? -offset : offset) / 60, (offset < 0 ? -offset : offset) % 60);
    const auto again = parse_rfc3339(text);
    if (again == time_ns) continue;
    CAPTURE(text, time_ns);
    REQUIRE(again == time_ns);
  }
}

}  // namespace
