// A hash of numbers that others choose: which of them collide differs from process to process, so that nobody can make a table slow.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dlog {

// Any thread.
std::uint64_t seeded_hash(std::uint64_t number) noexcept;

struct SeededHash {
  std::size_t operator()(std::uint64_t number) const noexcept { return static_cast<std::size_t>(seeded_hash(number)); }
};

}  // namespace dlog
