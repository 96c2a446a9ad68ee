// Reading UTF-8: see utf8.hpp.
#include "base/utf8.hpp"

#include <cstring>

namespace dlog::utf8 {
namespace {

constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
constexpr std::uint64_t tops = ones * 0x80;

// How many bytes at the beginning of `text` are ASCII, or some fewer.
std::size_t ascii(std::string_view text) noexcept {
  std::size_t at = 0;
  for (std::uint64_t bytes; text.size() - at >= sizeof bytes; at += sizeof bytes) {
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    if ((bytes & tops) != 0) return at;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

}  // namespace

CodePoint first(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};

  std::size_t bytes = 0;
  char32_t value = 0;
  char32_t least = 0;
  if (lead >= 0xC2 && lead <= 0xDF) bytes = 2, value = lead & 0x1FU, least = 0x80;
  else if ((lead & 0xF0U) == 0xE0) bytes = 3, value = lead & 0x0FU, least = 0x800;
  else if (lead >= 0xF0 && lead <= 0xF4) bytes = 4, value = lead & 0x07U, least = 0x10000;
  if (bytes == 0 || text.size() < bytes) return {lead, 1, false};

  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {lead, 1, false};
    value = (value << 6) | (byte(i) & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least || value > 0x10FFFF || surrogate) return {lead, 1, false};
  return {value, bytes, true};
}

bool valid(std::string_view text) noexcept {
  for (;;) {
    text.remove_prefix(ascii(text));
    if (text.empty()) return true;
    const CodePoint point = first(text);
    if (!point.valid) return false;
    text.remove_prefix(point.bytes);
  }
}

std::size_t printable_ascii(std::string_view text) noexcept {
  const auto others = [](std::uint64_t bytes) {
    // In a byte below 0x80: its top bit is set by the subtraction where it is below 0x20, by the addition where it is 0x7F.
    return (bytes | (bytes - ones * 0x20) | (bytes + ones)) & tops;
  };
  const char* at = text.data();
  std::size_t left = text.size();
  for (std::uint64_t bytes; left >= sizeof bytes; at += sizeof bytes, left -= sizeof bytes) {
    std::memcpy(&bytes, at, sizeof bytes);
    if (others(bytes) != 0) break;  // one of these, or a neighbour of one: found below
  }
  for (; left != 0 && static_cast<unsigned char>(*at - 0x20) < 0x5F; ++at) --left;
  return text.size() - left;
}

std::string_view cut(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  // At most three continuation bytes stand before a boundary in valid text; in other text any place will do.
  for (int back = 0; back < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80; ++back) --end;
  return text.substr(0, end);
}

}  // namespace dlog::utf8
