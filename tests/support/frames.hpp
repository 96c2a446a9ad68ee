// Frames of the seed protocol as bytes, written down anew from docs/wire.md: a check on the encoder, food for the decoder.
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

}  // namespace dlog::test
