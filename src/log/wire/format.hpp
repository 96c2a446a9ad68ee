// The seed protocol's constants. The grammar is in docs/wire.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dlog::wire {

// frame := length u32, payload[length], all integers big-endian
inline constexpr std::size_t header_bytes = 4;
inline constexpr std::size_t frame_bytes_max = 10'000'000;  // of a payload

enum class FrameType : std::uint8_t { log = 0, create = 1, push = 2, finish = 3 };

inline constexpr std::uint8_t level_max = 5;  // trace debug info warn error fatal

}  // namespace dlog::wire
