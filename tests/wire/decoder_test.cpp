// Tests of wire/decoder: frames out of good streams, and what bad bytes do.
#include "log/wire/decoder.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "log/wire/format.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "wire/frames.hpp"

namespace {

using namespace dlog::wire;
using dlog::test::bytes_of;
using dlog::test::decoded;
using dlog::test::Decoded;
using dlog::test::described;
using dlog::test::feed;
using dlog::test::framed;
using dlog::test::golden_frames;
using dlog::test::take;
using dlog::test::operator+=;

const Bytes good_frame = bytes_of("00000009 | 03 0000000000000007");
const std::string good_words = "finish 7";

// A frame that must end the stream, after one that must still come out of it.
void check_broken(const Bytes& bad, std::string_view reason) {
  Bytes stream = good_frame;
  stream += bad;
  stream += good_frame;
  const Decoded result = decoded(stream);
  CAPTURE(dlog::test::hex(std::span(bad).first(std::min<std::size_t>(bad.size(), 40))));
  CHECK(result.frames == std::vector{good_words});
  CAPTURE(result.fault);
  CHECK(result.fault.find(reason) != std::string::npos);
}

TEST_CASE("decoder: every golden frame") {
  for (const auto& golden : golden_frames()) {
    CAPTURE(golden.what);
    const Decoded result = decoded(bytes_of(golden.bytes));
    CHECK(result.frames == std::vector{described(golden.frame)});
    CHECK(result.fault.empty());
    CHECK(result.pending == 0);
  }
}

TEST_CASE("decoder: all golden frames in one stream, with all their texts readable at once") {
  Bytes stream;
  for (const auto& golden : golden_frames()) stream += bytes_of(golden.bytes);
  Decoder decoder;
  feed(decoder, stream);
  std::vector<Frame> frames;
  Frame frame;
  while (decoder.next(frame) == Decoder::Step::frame) frames.push_back(frame);
  REQUIRE(frames.size() == golden_frames().size());
  for (std::size_t i = 0; i < frames.size(); ++i) CHECK(described(frames[i]) == described(golden_frames()[i].frame));
}

TEST_CASE("decoder: nothing comes out of nothing") {
  Decoder decoder;
  Frame frame;
  CHECK(decoder.next(frame) == Decoder::Step::need_more);
  feed(decoder, {});
  CHECK(decoder.next(frame) == Decoder::Step::need_more);
  CHECK(decoder.pending() == 0);
  CHECK(decoder.fault().empty());
  decoder.shrink();
  CHECK(decoder.next(frame) == Decoder::Step::need_more);
}

TEST_CASE("decoder: a frame comes with its last byte, not before") {
  for (const auto& golden : golden_frames()) {
    const Bytes bytes = bytes_of(golden.bytes);
    CAPTURE(golden.what);
    Decoder decoder;
    Frame frame;
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
      feed(decoder, std::span(bytes).subspan(i, 1));
      REQUIRE(decoder.next(frame) == Decoder::Step::need_more);
      REQUIRE(decoder.pending() == i + 1);
    }
    feed(decoder, std::span(bytes).last(1));
    REQUIRE(decoder.next(frame) == Decoder::Step::frame);
    CHECK(described(frame) == described(golden.frame));
    CHECK(decoder.pending() == 0);
    CHECK(decoder.next(frame) == Decoder::Step::need_more);
  }
}

TEST_CASE("decoder: pending counts what is left, not what was taken") {
  Bytes stream = good_frame;
  stream += good_frame;
  stream += bytes_of("0000");
  Decoder decoder;
  Frame frame;
  feed(decoder, stream);
  CHECK(decoder.pending() == 28);
  REQUIRE(decoder.next(frame) == Decoder::Step::frame);
  CHECK(decoder.pending() == 15);
  REQUIRE(decoder.next(frame) == Decoder::Step::frame);
  CHECK(decoder.pending() == 2);
  REQUIRE(decoder.next(frame) == Decoder::Step::need_more);
  CHECK(decoder.pending() == 2);
  feed(decoder, bytes_of("0009"));
  CHECK(decoder.pending() == 4);
}

TEST_CASE("decoder: room that is not filled is no input") {
  Decoder decoder;
  Frame frame;
  const auto room = decoder.space(1000);
  REQUIRE(room.size() == 1000);
  std::fill(room.begin(), room.end(), std::byte{0xFF});
  std::copy(good_frame.begin(), good_frame.begin() + 5, room.begin());
  decoder.filled(5);
  CHECK(decoder.next(frame) == Decoder::Step::need_more);
  CHECK(decoder.pending() == 5);
  const auto more = decoder.space(2000);
  REQUIRE(more.size() == 2000);
  std::copy(good_frame.begin() + 5, good_frame.end(), more.begin());
  decoder.filled(good_frame.size() - 5);
  REQUIRE(decoder.next(frame) == Decoder::Step::frame);
  CHECK(described(frame) == good_words);
}

TEST_CASE("decoder: unknown types are skipped by their length") {
  for (unsigned type = 4; type < 256; ++type) {
    if ((type >= 0x10 && type <= 0x15) || type == 0x20 || type == 0x21) continue;
    for (const std::size_t more : {std::size_t{0}, std::size_t{1}, std::size_t{300}}) {
      Bytes payload(1 + more, std::byte{0xEE});
      payload[0] = static_cast<std::byte>(type);
      Bytes stream = framed(payload);
      stream += good_frame;
      const Decoded result = decoded(stream);
      REQUIRE(result.fault.empty());
      REQUIRE(result.frames == std::vector{fmt::format("unknown {} of {} bytes", type, 1 + more), good_words});
    }
  }
}

TEST_CASE("decoder: an unknown type may be as long as any") {
  Bytes payload(frame_bytes_max, std::byte{0});
  payload[0] = std::byte{0x16};
  Bytes stream = framed(payload);
  stream += good_frame;
  CHECK(decoded(stream).frames == std::vector{std::string("unknown 22 of 10000000 bytes"), good_words});
}

TEST_CASE("decoder: trailing bytes in a payload are left alone") {
  for (const auto& golden : golden_frames()) {
    Bytes payload = bytes_of(golden.bytes);
    payload.erase(payload.begin(), payload.begin() + header_bytes);
    payload += bytes_of("00000001 ff \"trailing\"");
    Bytes stream = framed(payload);
    stream += good_frame;
    CAPTURE(golden.what);
    CHECK(decoded(stream).frames == std::vector{described(golden.frame), good_words});
  }
}

TEST_CASE("decoder: a payload that ends too early breaks the stream, wherever it ends") {
  for (const auto& golden : golden_frames()) {
    const Bytes payload = bytes_of(golden.bytes);
    for (std::size_t bytes = 1; bytes < payload.size() - header_bytes; ++bytes) {
      CAPTURE(golden.what, bytes);
      check_broken(framed(std::span(payload).subspan(header_bytes, bytes)),
                   fmt::format("malformed frame of {} bytes", bytes));
    }
  }
}

TEST_CASE("decoder: an empty payload breaks the stream") { check_broken(framed({}), "payload is empty"); }

TEST_CASE("decoder: a text longer than its payload breaks the stream") {
  const std::string reason = "a text is longer than its payload";
  // The message, by one, by much, and by so much that a sum would wrap around.
  check_broken(framed(bytes_of("00 02 00000002 \"m\"")), reason);
  check_broken(framed(bytes_of("00 02 00000006 \"m\" 00000000")), reason);
  check_broken(framed(bytes_of("00 02 7fffffff \"m\" 00000000")), reason);
  check_broken(framed(bytes_of("00 02 fffffffa \"m\" 00000000")), reason);
  check_broken(framed(bytes_of("00 02 ffffffff \"m\" 00000000")), reason);
  // The time.
  check_broken(framed(bytes_of("00 02 00000001 \"m\" 00000001")), reason);
  check_broken(framed(bytes_of("00 02 00000001 \"m\" 00000002 \"t\"")), reason);
  check_broken(framed(bytes_of("00 02 00000001 \"m\" ffffffff \"t\"")), reason);
  // The description.
  check_broken(framed(bytes_of("01 0000000000000001 0000000a \"d\" 0000000000000001")), reason);
  check_broken(framed(bytes_of("01 0000000000000001 ffffffff \"d\" 0000000000000001")), reason);
  // The name and the token of a hello.
  check_broken(framed(bytes_of("10 0002 00001267 00000006 \"n\" 00000000")), reason);
  check_broken(framed(bytes_of("10 0002 00001267 00000001 \"n\" ffffffff")), reason);
  // The file and the function of a place.
  check_broken(framed(bytes_of("11 00000001 00000001 ffffffff \"f\" 00000000")), reason);
  check_broken(framed(bytes_of("11 00000001 00000001 00000001 \"f\" 00000001")), reason);
  // The message of a record.
  check_broken(framed(bytes_of("12 00 02 00000000 0000000000000001 0000000000000001 fffffffa \"m\"")), reason);
  // A bar's three texts.
  const std::string numbers =
      "13 0000000000000001 0000000000000000 00 00 00 00000000 0000000000000001 0000000000000001 0000000000000001";
  check_broken(framed(bytes_of(numbers + "0000000a \"d\" 00000000 00000000")), reason);
  check_broken(framed(bytes_of(numbers + "00000001 \"d\" 00000005 00000000")), reason);
  check_broken(framed(bytes_of(numbers + "00000001 \"d\" 00000000 ffffffff")), reason);
}

TEST_CASE("decoder: a text that takes the bytes of the next field breaks the stream") {
  // Inside the payload, but nothing is left for the total.
  check_broken(framed(bytes_of("01 0000000000000001 00000009 \"d\" 0000000000000001")), "ends inside a number");
  check_broken(framed(bytes_of("00 02 00000005 \"m\" 00000000")), "ends inside a number");
}

TEST_CASE("decoder: a frame over the limit breaks the stream at its header") {
  for (const char* const header : {"00989681", "01000000", "7fffffff", "80000000", "ffffffff"}) {
    CAPTURE(header);
    Decoder decoder;
    Frame frame;
    const Bytes bytes = bytes_of(header);
    feed(decoder, std::span(bytes).first(3));
    REQUIRE(decoder.next(frame) == Decoder::Step::need_more);
    feed(decoder, std::span(bytes).last(1));
    REQUIRE(decoder.next(frame) == Decoder::Step::broken);
    CHECK(decoder.fault().find("over the limit") != std::string::npos);
    check_broken(bytes, "over the limit");
  }
  check_broken(bytes_of("00989681"), "frame of 10000001 bytes is over the limit of 10000000");
}

TEST_CASE("decoder: a frame of exactly the limit is read") {
  const std::string message(frame_bytes_max - 10, 'm');
  Bytes payload = bytes_of("00 05");
  payload += bytes_of(fmt::format("{:08x}", message.size()));
  for (const char c : message) payload.push_back(static_cast<std::byte>(c));
  payload += bytes_of("00000000");
  REQUIRE(payload.size() == frame_bytes_max);
  Decoder decoder;
  feed(decoder, framed(payload));
  Frame frame;
  REQUIRE(decoder.next(frame) == Decoder::Step::frame);
  const bool same = std::get<LogFrame>(frame).message == message;
  CHECK(same);
}

TEST_CASE("decoder: levels, text and times are handed on as they came") {
  const Bytes odd = framed(bytes_of("00 ff 00000005 ff c0 80 ed a0 00000004 \"noon\""));
  Decoder decoder;
  feed(decoder, odd);
  Frame frame;
  REQUIRE(decoder.next(frame) == Decoder::Step::frame);
  const auto& log = std::get<LogFrame>(frame);
  CHECK(log.level == 255);
  CHECK(log.message == "\xFF\xC0\x80\xED\xA0");
  CHECK(log.time == "noon");
}

TEST_CASE("decoder: a broken stream stays broken") {
  Decoder decoder;
  Frame frame;
  feed(decoder, framed({}));
  REQUIRE(decoder.next(frame) == Decoder::Step::broken);
  const std::string fault = decoder.fault();
  CHECK_FALSE(fault.empty());
  for (int again = 0; again < 3; ++again) {
    CHECK(decoder.next(frame) == Decoder::Step::broken);
    feed(decoder, good_frame);
    CHECK(decoder.next(frame) == Decoder::Step::broken);
    decoder.shrink();
    CHECK(decoder.next(frame) == Decoder::Step::broken);
    CHECK(decoder.fault() == fault);
  }
}

TEST_CASE("decoder: a stream that is not ours at all breaks") {
  for (const std::string_view text :
       {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "{\"a\":1}\n"}) {
    CAPTURE(text);
    CHECK(decoded(std::as_bytes(std::span(text))).fault.find("over the limit") != std::string::npos);
  }
}

TEST_CASE("decoder: shrinking loses nothing, wherever the stream stands") {
  Bytes stream;
  for (int round = 0; round < 3; ++round) {
    stream += framed(bytes_of("00 02 00000001 \"m\" 00000000"));
    stream += dlog::test::encoded(LogFrame{2, std::string(1000, 'm'), "t"});
  }
  const Decoded whole = decoded(stream);
  REQUIRE(whole.frames.size() == 6);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{511}, std::size_t{512}, std::size_t{513},
                                  std::size_t{1100}, std::size_t{4000}}) {
    CAPTURE(piece);
    Decoder decoder;
    Decoded result;
    for (std::span<const std::byte> rest = stream; !rest.empty(); rest = rest.subspan(std::min(piece, rest.size()))) {
      feed(decoder, rest.first(std::min(piece, rest.size())));
      decoder.shrink();
      REQUIRE(take(decoder, result));
      const std::size_t pending = decoder.pending();
      decoder.shrink();
      CHECK(decoder.pending() == pending);
    }
    CHECK(result.frames == whole.frames);
    CHECK(result.pending == 0);
  }
}

}  // namespace
