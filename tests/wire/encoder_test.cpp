// Tests of wire/encoder: exactly the bytes of the contract, and no frame that a receiver would refuse.
#include "log/wire/encoder.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>

#include "base/big_endian.hpp"
#include "base/civil_time.hpp"
#include "base/utf8.hpp"
#include "log/wire/decoder.hpp"
#include "log/wire/format.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "wire/frames.hpp"

namespace {

using namespace dlog;
using namespace dlog::wire;
using test::bytes_of;
using test::hex;

// A long text of one character, with some ASCII in front so that its bounds fall anywhere.
std::string long_text(std::string_view character, std::size_t bytes, std::size_t shift) {
  std::string text;
  while (text.size() < 100'000) text += character;
  while (text.size() < bytes) text += text;
  return std::string(shift, 'a') + text;
}

// Does the text end between two characters of the whole, which is UTF-8, from which it was cut?
bool is_cut_between_characters(std::string_view kept, std::string_view whole) {
  return whole.starts_with(kept) && utf8::first(whole.substr(kept.size())).valid;
}

// The one frame in `bytes`, read back. Its texts point into `decoder`.
Frame read_back(Decoder& decoder, const Bytes& bytes) {
  test::feed(decoder, bytes);
  Frame frame;
  REQUIRE(decoder.next(frame) == Decoder::Step::frame);
  CHECK(decoder.pending() == 0);
  return frame;
}

// The limit is of the payload, and the frame's header says how long that is.
void check_within_limit(const Bytes& bytes) {
  CHECK(bytes.size() <= header_bytes + frame_bytes_max);
  CHECK(load_big_endian<std::uint32_t>(bytes.data()) == bytes.size() - header_bytes);
}

// A long text was cut where it had to be, and not much before.
void check_cut(std::string_view kept, std::string_view whole) {
  CHECK(kept.size() < whole.size());
  CHECK(kept.size() + 1200 > frame_bytes_max);  // the other fields, and a character
  const bool between_characters = is_cut_between_characters(kept, whole);
  CHECK(between_characters);
}

TEST_CASE("encoder: every golden frame") {
  for (const test::Golden& golden : test::golden_frames()) {
    CAPTURE(golden.what);
    CHECK(hex(test::encoded(golden.frame)) == hex(bytes_of(golden.bytes)));
  }
}

TEST_CASE("encoder: frames are appended, and what was there stays") {
  Bytes out = bytes_of("ff");
  append_push(out, 1, 2);
  append_finish(out, 1);
  append_log(out, 2, "m", "");
  append_create(out, 3, "", 4);
  CHECK(hex(out) == hex(bytes_of("ff"
                                 "00000011 | 02 0000000000000001 0000000000000002"
                                 "00000009 | 03 0000000000000001"
                                 "0000000b | 00 02 00000001 \"m\" 00000000"
                                 "00000015 | 01 0000000000000003 00000000 0000000000000004")));
}

TEST_CASE("encoder: texts may be views of nothing") {
  Bytes out;
  append_log(out, 2, std::string_view(), std::string_view());
  CHECK(hex(out) == "00 00 00 0a 00 02 00 00 00 00 00 00 00 00");
}

TEST_CASE("encoder: a message over the limit is cut between characters") {
  const auto* const character = GENERATE("a", "\u00e9", "\u20ac", "\U0001F600");
  const auto shift = GENERATE(range(std::size_t{0}, std::size_t{4}));
  CAPTURE(character, shift);
  const std::string message = long_text(character, 10'000'100, shift);
  Bytes out;
  append_log(out, 4, message, "2026-11-21T04:16:40.727Z");
  check_within_limit(out);
  Decoder decoder;
  const auto frame = std::get<LogFrame>(read_back(decoder, out));
  CHECK(frame.level == 4);
  CHECK(frame.time == "2026-11-21T04:16:40.727Z");
  check_cut(frame.message, message);
}

TEST_CASE("encoder: a description over the limit is cut between characters") {
  const auto* const character = GENERATE("a", "\u20ac");
  const std::string description = long_text(character, 10'000'100, 1);
  Bytes out;
  append_create(out, 7, description, 9);
  check_within_limit(out);
  Decoder decoder;
  const auto frame = std::get<CreateFrame>(read_back(decoder, out));
  CHECK(frame.id == 7);
  CHECK(frame.total == 9);
  check_cut(frame.description, description);
}

TEST_CASE("encoder: a message far over the limit and a long time fit into one frame") {
  const std::string message = long_text("\u20ac", 25'000'000, 0);
  const std::string time = long_text("\u00e9", 5'000, 1);
  Bytes out;
  append_log(out, 0, message, time);
  check_within_limit(out);
  Decoder decoder;
  const auto frame = std::get<LogFrame>(read_back(decoder, out));
  check_cut(frame.message, message);
  CHECK(frame.time.size() >= 24);
  CHECK(frame.time.size() < time.size());
  const bool between_characters = is_cut_between_characters(frame.time, time);
  CHECK(between_characters);
}

TEST_CASE("encoder: a message just under the limit is whole") {
  const std::string message(9'999'000, 'm');
  Bytes out;
  append_log(out, 2, message, "2026-11-21T04:16:40.727Z");
  check_within_limit(out);
  Decoder decoder;
  const bool is_whole = std::get<LogFrame>(read_back(decoder, out)).message == message;
  CHECK(is_whole);
}

TEST_CASE("encoder: a record of version 2 over the limit is cut between characters") {
  const auto* const character = GENERATE("a", "\u20ac");
  const std::string message = long_text(character, 10'000'100, 1);
  Bytes out;
  append(out, RecordFrame{1, 4, 7, 8, 9, message});
  check_within_limit(out);
  Decoder decoder;
  const auto frame = std::get<RecordFrame>(read_back(decoder, out));
  CHECK(frame.site == 7);
  CHECK(frame.time_ns == 9);
  check_cut(frame.message, message);
}

TEST_CASE("encoder: texts of version 2 that a parent would cut are cut before they are sent") {
  const std::string text = long_text("\u20ac", 100'000, 0);
  const auto cut = [&](std::string_view kept, std::size_t bytes_max) {
    CHECK(kept.size() <= bytes_max);
    CHECK(kept.size() + 3 > bytes_max);
    CHECK(is_cut_between_characters(kept, text));
  };
  Bytes out;
  append(out, HelloFrame{2, 1, text, text});
  append(out, SiteFrame{1, 2, text, text});
  append(out, BarStateFrame{1, 0, 0, 0, 0, 0, 0, 0, 0, text, text, text});
  Decoder decoder;
  test::feed(decoder, out);
  Frame frame;
  REQUIRE(decoder.next(frame) == Decoder::Step::frame);
  cut(std::get<HelloFrame>(frame).name, 64);
  cut(std::get<HelloFrame>(frame).token, 64);
  REQUIRE(decoder.next(frame) == Decoder::Step::frame);
  cut(std::get<SiteFrame>(frame).file, 1024);
  cut(std::get<SiteFrame>(frame).function, 1024);
  REQUIRE(decoder.next(frame) == Decoder::Step::frame);
  cut(std::get<BarStateFrame>(frame).description, 1024);
  cut(std::get<BarStateFrame>(frame).message, 4096);
  CHECK(std::get<BarStateFrame>(frame).bar_template.empty());  // cut it would be another one
  CHECK(decoder.pending() == 0);

  out.clear();
  append(out, BarStateFrame{1, 0, 0, 0, 0, 0, 0, 0, 0, "", "", std::string_view(text).substr(0, 1024)});
  test::feed(decoder, out);
  REQUIRE(decoder.next(frame) == Decoder::Step::frame);
  CHECK(std::get<BarStateFrame>(frame).bar_template.size() == 1024);
}

TEST_CASE("encoder: a timestamp has exactly three decimals, and is UTC") {
  CHECK(timestamp(0) == "1970-01-01T00:00:00.000Z");
  CHECK(timestamp(1'795'234'600'727'000'000) == "2026-11-21T04:16:40.727Z");
  CHECK(timestamp(7'000'000) == "1970-01-01T00:00:00.007Z");
  CHECK(timestamp(70'000'000) == "1970-01-01T00:00:00.070Z");
  CHECK(timestamp(1'709'207'999'000'000'000) == "2024-02-29T11:59:59.000Z");
}

TEST_CASE("encoder: a timestamp is cut to milliseconds, not rounded") {
  CHECK(timestamp(999'999) == "1970-01-01T00:00:00.000Z");
  CHECK(timestamp(1'999'999) == "1970-01-01T00:00:00.001Z");
  CHECK(timestamp(946'684'799'999'999'999) == "1999-12-31T23:59:59.999Z");
  CHECK(timestamp(946'684'800'000'000'000) == "2000-01-01T00:00:00.000Z");
}

TEST_CASE("encoder: timestamps before 1970 and at the ends of time") {
  CHECK(timestamp(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(timestamp(-1'000'000) == "1969-12-31T23:59:59.999Z");
  CHECK(timestamp(-1'000'001) == "1969-12-31T23:59:59.998Z");
  CHECK(timestamp(std::numeric_limits<std::int64_t>::min()) == "1677-09-21T00:12:43.145Z");
  CHECK(timestamp(std::numeric_limits<std::int64_t>::max()) == "2262-04-11T23:47:16.854Z");
}

TEST_CASE("encoder: a timestamp is read again as the same millisecond") {
  for (std::int64_t time_ns = -9'214'560'000'000'000'000; time_ns < 9'214'000'000'000'000'000;
       time_ns += 1'234'567'890'123'457) {
    const auto again = parse_rfc3339(timestamp(time_ns));
    REQUIRE(again);
    const std::int64_t cut_ns = time_ns - *again;
    if (cut_ns >= 0 && cut_ns < ns_per_ms) continue;
    CAPTURE(time_ns);
    REQUIRE(cut_ns == 0);
  }
}

}  // namespace
