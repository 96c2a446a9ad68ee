// Cuts an input into pieces as a socket might: sizes from a small generator, seeded by the input itself, so that a finding can
// be repeated.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dlog::fuzz {

class Pieces {
 public:
  Pieces(std::span<const std::byte> bytes, std::uint32_t seed) : rest_(bytes), state_(seed) {}

  bool more() const { return !rest_.empty(); }
  std::span<const std::byte> next() {
    state_ = state_ * 1664525U + 1013904223U;
    // Mostly a few bytes, now and then many: both ends of a frame are cut through.
    const std::size_t wanted = (state_ >> 28U) == 0 ? 4096 : 1 + (state_ >> 24U) % 16;
    const auto piece = rest_.first(std::min(wanted, rest_.size()));
    rest_ = rest_.subspan(piece.size());
    return piece;
  }

 private:
  std::span<const std::byte> rest_;
  std::uint32_t state_;
};

}  // namespace dlog::fuzz
