// Tests of wire/decoder: what a hostile child can make it hold. This program's operator new counts.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "log/wire/decoder.hpp"
#include "log/wire/format.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/counted_new.hpp"
#include "wire/frames.hpp"

namespace {

using namespace dlog::wire;
using dlog::test::bytes_of;
using dlog::test::feed;
using dlog::test::Memory;
using dlog::test::operator+=;

constexpr std::size_t piece_bytes = 64 * 1024;
// A buffer grows by doubling, and for a moment the old one stands beside the new.
constexpr std::size_t frame_memory_max = 3 * (header_bytes + frame_bytes_max + piece_bytes);
constexpr std::size_t idle_memory_max = 1024;

// Feeds a stream in pieces and drops what comes out; the number of frames, or -1 for a broken stream.
int drain(Decoder& decoder, std::span<const std::byte> bytes, std::size_t piece_max = piece_bytes) {
  int frames = 0;
  while (!bytes.empty()) {
    const std::size_t piece = std::min(piece_max, bytes.size());
    feed(decoder, bytes.first(piece));
    bytes = bytes.subspan(piece);
    Frame frame;
    Decoder::Step step{};
    while ((step = decoder.next(frame)) == Decoder::Step::frame) ++frames;
    if (step == Decoder::Step::broken) return -1;
  }
  return frames;
}

TEST_CASE("decoder: a header is believed only as far as bytes come") {
  const Bytes header = bytes_of("00989680 00 02");  // ten million announced, two sent
  const Memory memory;
  Decoder decoder;
  CHECK(drain(decoder, header) == 0);
  CHECK(memory.peak() <= idle_memory_max);
}

TEST_CASE("decoder: a frame over the limit is not allocated") {
  const Bytes header = bytes_of("ffffffff 00 02");
  const Memory memory;
  Decoder decoder;
  CHECK(drain(decoder, header) == -1);
  CHECK(memory.peak() <= idle_memory_max);
}

TEST_CASE("decoder: a text that claims too much is not allocated") {
  const Bytes frame = bytes_of("0000000b 00 02 ffffffff \"m\" 00000000");
  const Memory memory;
  Decoder decoder;
  CHECK(drain(decoder, frame) == -1);
  CHECK(memory.peak() <= idle_memory_max);
}

TEST_CASE("decoder: the largest frames, one after another, cost no more than one") {
  Bytes payload(frame_bytes_max, std::byte{'m'});
  payload[0] = std::byte{0x77};
  Bytes stream = dlog::test::framed(payload);
  const Bytes one = stream;
  for (int more = 0; more < 3; ++more) stream += one;
  const Memory memory;
  Decoder decoder;
  CHECK(drain(decoder, stream) == 4);
  CHECK(memory.peak() <= frame_memory_max);
  decoder.shrink();
  CHECK(memory.live() <= idle_memory_max);
}

TEST_CASE("decoder: small frames for ever cost nothing") {
  Bytes stream;
  for (int i = 0; i < 2000; ++i) stream += bytes_of("00000009 03 0000000000000007");
  const Memory memory;
  Decoder decoder;
  for (int round = 0; round < 200; ++round) REQUIRE(drain(decoder, stream, 1000) == 2000);
  CHECK(memory.peak() <= 8 * 1024);
}

TEST_CASE("decoder: after a large frame an idle connection gives its memory back") {
  Bytes stream = dlog::test::encoded(LogFrame{2, std::string(5'000'000, 'm'), "t"});
  const std::size_t pending = GENERATE(std::size_t{0}, std::size_t{3}, std::size_t{200});
  CAPTURE(pending);
  stream += bytes_of("00000fff 00 02");
  stream.resize(stream.size() - 6 + pending);
  const Memory memory;
  Decoder decoder;
  REQUIRE(drain(decoder, stream) == 1);
  CHECK(memory.live() >= 5'000'000);
  decoder.shrink();
  CHECK(decoder.pending() == pending);
  CHECK(memory.live() <= idle_memory_max);
}

}  // namespace
