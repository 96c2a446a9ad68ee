// Tests of channel/line_reader: what a hostile peer can make it hold. This program's operator new counts.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "channel/line_reader.hpp"
#include "support/catch.hpp"
#include "support/counted_new.hpp"

namespace {

using dlog::channel::LineReader;
using dlog::test::Memory;

struct Counted final : LineReader::Receiver {
  void take_line(std::string_view, std::uint64_t) override { ++lines; }
  void take_long_line(std::uint64_t) override { ++long_lines; }
  void long_line_ends(std::uint64_t) override {}
  int lines = 0;
  int long_lines = 0;
};

constexpr std::size_t piece_bytes = 64 << 10;
constexpr std::size_t limit = 1 << 20;
// A buffer that grows stands beside the old one for a moment.
constexpr std::size_t memory_max = 2 * limit + 1024;

TEST_CASE("line reader: of a line without an end no more than the limit is kept, and nothing once it is too long") {
  const std::string piece(piece_bytes, 'x');
  const Memory memory;
  LineReader reader(limit);
  Counted told;
  for (int i = 0; i < 1000; ++i) reader.take(piece, told);
  CHECK(told.long_lines == 1);
  CHECK(memory.peak() <= memory_max);
  CHECK(memory.live() <= 64);
}

TEST_CASE("line reader: a line up to the limit needs little more than itself, and is given back") {
  const std::string piece(1000, 'x');
  const Memory memory;
  LineReader reader(limit);
  Counted told;
  for (std::size_t bytes = 0; bytes + piece.size() <= limit; bytes += piece.size()) reader.take(piece, told);
  CHECK(memory.live() > limit / 2);
  CHECK(memory.peak() <= memory_max);
  reader.take("\n", told);
  CHECK(told.lines == 1);
  CHECK(memory.live() <= 64 << 10);
}

TEST_CASE("line reader: lines that are whole in their piece are not copied") {
  std::string piece;
  for (int i = 0; i < 1000; ++i) piece += "a line that is too long to stand in a string by itself\n";
  const Memory memory;
  LineReader reader(limit);
  Counted told;
  reader.take(piece, told);
  CHECK(told.lines == 1000);
  CHECK(memory.blocks() == 0);
}

}  // namespace
