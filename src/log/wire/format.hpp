// The protocol's constants. The grammar is in docs/wire.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dlog::wire {

// frame := length u32, payload[length], all integers big-endian
inline constexpr std::size_t header_bytes = 4;
inline constexpr std::size_t frame_bytes_max = 10'000'000;  // of a payload

enum class FrameType : std::uint8_t {
  log = 0,
  create = 1,
  push = 2,
  finish = 3,
  // Version 2.
  hello = 0x10,
  site = 0x11,
  record = 0x12,
  bar_state = 0x13,
  flush = 0x14,
  watch = 0x15,
  // What a parent answers.
  flushed = 0x20,
  news = 0x21,
};

inline constexpr std::uint8_t level_max = 5;  // trace debug info warn error fatal

inline constexpr std::uint16_t extension_version = 2;
inline constexpr std::uint8_t record_is_notice = 1;  // of a record's flags: dlog itself speaks
inline constexpr std::uint8_t bar_is_paused = 1;     // of a bar's
inline constexpr std::uint8_t flush_is_last = 1;     // of a flush's: the child ends
inline constexpr std::uint8_t news_is_last = 1;      // of the news': the parent ends, and reads no more

// What a parent keeps of these texts; the rest would only cost memory.
inline constexpr std::size_t name_bytes_max = 64;
inline constexpr std::size_t site_text_bytes_max = 1024;  // of a file's and of a function's name
inline constexpr std::size_t description_bytes_max = 1024;
inline constexpr std::size_t bar_message_bytes_max = 4096;

}  // namespace dlog::wire
