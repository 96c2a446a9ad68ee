// Frames as bytes, written down anew from docs/wire.md: a check on the encoder, food for the decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dlog::test {

template <class T>
std::string big_endian(T value) {
  std::string out;
  for (std::size_t i = sizeof(T); i-- > 0;) out += static_cast<char>((std::uint64_t{value} >> (8 * i)) & 0xFF);
  return out;
}
inline std::string u32(std::size_t value) { return big_endian(static_cast<std::uint32_t>(value)); }
inline std::string u64(std::uint64_t value) { return big_endian(value); }
inline std::string sized(std::string_view text) { return u32(text.size()) + std::string(text); }

inline std::string frame(std::string_view payload) { return sized(payload); }

inline constexpr std::string_view noted_text = "2026-11-21T04:16:40.727Z";

inline std::string log_frame(unsigned level, std::string_view message, std::string_view time = noted_text) {
  return frame(std::string(1, '\0') + static_cast<char>(level) + sized(message) + sized(time));
}
inline std::string create_frame(std::uint64_t id, std::string_view description, std::uint64_t total) {
  return frame('\x01' + u64(id) + sized(description) + u64(total));
}
inline std::string push_frame(std::uint64_t id, std::uint64_t value) { return frame('\x02' + u64(id) + u64(value)); }
inline std::string finish_frame(std::uint64_t id) { return frame('\x03' + u64(id)); }

// ---- version 2

inline std::string u16(unsigned value) { return big_endian(static_cast<std::uint16_t>(value)); }

inline std::string hello_frame(std::string_view name, std::uint32_t pid, std::string_view token = "token",
                               unsigned version = 2) {
  return frame('\x10' + u16(version) + u32(pid) + sized(name) + sized(token));
}
inline std::string site_frame(std::uint32_t number, std::string_view file, std::uint32_t line,
                              std::string_view function) {
  return frame('\x11' + u32(number) + u32(line) + sized(file) + sized(function));
}

inline std::string flush_frame(std::uint64_t number, std::uint64_t records, bool last = false) {
  return frame('\x14' + std::string(1, last ? '\x01' : '\0') + u64(number) + u64(records));
}
inline std::string watch_frame() { return frame("\x15"); }
inline std::string flushed_frame(std::uint64_t number, std::uint64_t records, std::uint64_t lost = 0) {
  return frame('\x20' + u64(number) + u64(records) + u64(lost));
}
inline std::string news_frame(unsigned level, std::uint64_t records, bool last = false, std::uint64_t lost = 0) {
  return frame('\x21' + std::string(1, last ? '\x01' : '\0') + static_cast<char>(level) + u64(records) + u64(lost));
}

struct RecordFields {
  bool notice = false;
  unsigned level = 2;
  std::uint32_t site = 0;
  std::uint64_t thread = 0;
  std::int64_t time_ns = 0;
};
inline std::string record_frame(std::string_view message, const RecordFields& fields) {
  return frame('\x12' + std::string(1, fields.notice ? '\x01' : '\0') + static_cast<char>(fields.level) +
               u32(fields.site) + u64(fields.thread) + u64(static_cast<std::uint64_t>(fields.time_ns)) +
               sized(message));
}

struct BarFields {
  std::uint64_t parent = 0;
  unsigned state = 0;
  bool paused = false;
  unsigned unit = 0;
  std::uint32_t estimate = 0;
  std::int64_t time_ns = 0;
  std::uint64_t value = 0;
  std::uint64_t total = 0;
  std::string_view description{};
  std::string_view message{};
  std::string_view bar_template{};
};
inline std::string bar_frame(std::uint64_t id, const BarFields& fields) {
  return frame('\x13' + u64(id) + u64(fields.parent) + static_cast<char>(fields.state) +
               (fields.paused ? '\x01' : '\0') + static_cast<char>(fields.unit) + u32(fields.estimate) +
               u64(static_cast<std::uint64_t>(fields.time_ns)) + u64(fields.value) + u64(fields.total) +
               sized(fields.description) + sized(fields.message) + sized(fields.bar_template));
}

}  // namespace dlog::test
