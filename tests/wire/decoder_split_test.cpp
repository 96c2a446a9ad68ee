// Tests of wire/decoder: a stream means the same however it is cut into pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>

#include "log/wire/decoder.hpp"
#include "log/wire/format.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "wire/frames.hpp"

namespace {

using namespace dlog;
using namespace dlog::wire;
using test::bytes_of;
using test::Decoded;
using test::operator+=;

// The same numbers for a seed on every machine; std's distributions are not.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return engine_() % bound; }
  std::uint64_t wide() { return (std::uint64_t{engine_()} << 32) | engine_(); }
  bool one_in(std::size_t sides) { return below(sides) == 0; }
  std::string text() {
    // Any byte: the decoder does not look at what a text says.
    std::string text(one_in(8) ? below(3000) : below(40), ' ');
    for (char& c : text) c = static_cast<char>(below(256));
    return text;
  }

 private:
  std::mt19937 engine_;
};

Bytes odd_frame(Dice& dice) {
  Bytes payload(1 + dice.below(600), std::byte{0x33});
  payload[0] = static_cast<std::byte>(0x22 + dice.below(222));
  return test::framed(payload);
}

Bytes with_trailing_bytes(Bytes frame, Dice& dice) {
  frame.erase(frame.begin(), frame.begin() + header_bytes);
  frame.resize(frame.size() + dice.below(20), std::byte{0x44});
  return test::framed(frame);
}

Bytes any_frame_of_the_extension(Dice& dice) {
  const std::string first = dice.text();
  const std::string second = dice.text();
  const auto byte = [&] { return static_cast<std::uint8_t>(dice.below(256)); };
  const auto number = [&] { return static_cast<std::uint32_t>(dice.wide()); };
  const auto time = [&] { return static_cast<std::int64_t>(dice.wide()); };
  switch (dice.below(8)) {
    case 4: return test::encoded(FlushFrame{byte(), dice.wide(), dice.wide()});
    case 5: return test::encoded(WatchFrame{});
    case 6: return test::encoded(FlushedFrame{dice.wide(), dice.wide(), dice.wide()});
    case 7: return test::encoded(NewsFrame{byte(), byte(), dice.wide(), dice.wide()});
    case 0: return test::encoded(HelloFrame{static_cast<std::uint16_t>(dice.below(65'536)), number(), first, second});
    case 1: return test::encoded(SiteFrame{number(), number(), first, second});
    case 2: return test::encoded(RecordFrame{byte(), byte(), number(), dice.wide(), time(), first});
    default:
      return test::encoded(BarStateFrame{dice.wide(), dice.wide(), byte(), byte(), byte(), number(), time(),
                                         dice.wide(), dice.wide(), first, second, first});
  }
}

Bytes any_frame(Dice& dice) {
  if (dice.one_in(2)) return any_frame_of_the_extension(dice);
  const std::string first = dice.text();
  const std::string second = dice.text();
  switch (dice.below(7)) {
    case 0:
    case 1: return test::encoded(LogFrame{static_cast<std::uint8_t>(dice.below(256)), first, second});
    case 2: return test::encoded(CreateFrame{dice.wide(), first, dice.wide()});
    case 3: return test::encoded(PushFrame{dice.wide(), dice.wide()});
    case 4: return test::encoded(FinishFrame{dice.wide()});
    case 5: return odd_frame(dice);
    default: return with_trailing_bytes(test::encoded(LogFrame{2, first, second}), dice);
  }
}

// How a stream ends: cleanly, inside a frame, or broken in one of the ways.
Bytes any_end(Dice& dice) {
  switch (dice.below(6)) {
    case 0:
    case 1: return {};
    case 2: {
      Bytes frame = any_frame(dice);
      frame.resize(dice.below(frame.size()));
      return frame;
    }
    case 3: return bytes_of("00000000 \"after\"");
    case 4: return bytes_of("ffffffff \"after\"");
    default: return bytes_of("0000000b 00 02 ffffffff \"m\" 00000000 \"after\"");
  }
}

Bytes any_stream(Dice& dice) {
  Bytes stream;
  for (std::size_t frames = dice.below(30); frames > 0; --frames) stream += any_frame(dice);
  stream += any_end(dice);
  return stream;
}

// Pieces of 1 to `piece_max` bytes. Between them it may be shrunk, as an idle connection is.
Decoded decoded_in_pieces(std::span<const std::byte> bytes, std::size_t piece_max, Dice& dice) {
  Decoder decoder;
  Decoded result;
  std::size_t fed = 0;
  while (fed < bytes.size()) {
    const std::size_t piece = std::min(1 + dice.below(piece_max), bytes.size() - fed);
    test::feed(decoder, bytes.subspan(fed, piece));
    fed += piece;
    if (!test::take(decoder, result)) break;
    if (dice.one_in(4)) decoder.shrink();
  }
  // What stands behind the fault belongs to the bytes that were left, whether they were fed or not.
  if (!result.fault.empty()) result.pending += bytes.size() - fed;
  return result;
}

TEST_CASE("decoder: a stream decodes the same in any pieces") {
  std::size_t whole_streams = 0;
  std::size_t broken_streams = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    Dice dice(seed);
    const Bytes stream = any_stream(dice);
    const Decoded whole = test::decoded(stream);
    ++(whole.fault.empty() ? whole_streams : broken_streams);
    for (const std::size_t piece_max :
         {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{64}, std::size_t{1500}, std::size_t{100'000}}) {
      CAPTURE(seed, piece_max);
      const Decoded pieces = decoded_in_pieces(stream, piece_max, dice);
      const bool same_frames = pieces.frames == whole.frames;
      REQUIRE(same_frames);
      REQUIRE(pieces.fault == whole.fault);
      REQUIRE(pieces.pending == whole.pending);
    }
  }
  // The dice made both kinds.
  CHECK(whole_streams > 50);
  CHECK(broken_streams > 50);
}

TEST_CASE("decoder: noise never does more than break the stream") {
  for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
    Dice dice(seed);
    Bytes noise(dice.below(200), std::byte{0});
    for (std::byte& byte : noise) byte = static_cast<std::byte>(dice.below(256));
    // A header that says too much would end it at once.
    if (noise.size() > 4) noise[0] = noise[1] = noise[2] = std::byte{0};
    const Decoded whole = test::decoded(noise);
    const Decoded pieces = decoded_in_pieces(noise, 3, dice);
    CAPTURE(seed);
    REQUIRE(pieces.frames == whole.frames);
    REQUIRE(pieces.fault == whole.fault);
  }
}

}  // namespace
