// Bytes as a person writes them down: pairs of hex digits and quoted text, and back.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dlog::test {

// `00 0a "text" ff`: hex digits in pairs, and text between quotes; spaces and bars are for the reader.
inline std::vector<std::byte> bytes_of(std::string_view written) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::vector<std::byte> out;
  bool quoted = false;
  for (std::size_t i = 0; i < written.size(); ++i) {
    const char c = written[i];
    if (c == '"') quoted = !quoted;
    else if (quoted) out.push_back(static_cast<std::byte>(c));
    else if (c != ' ' && c != '|') {
      const std::size_t high = digits.find(c);
      const std::size_t low = i + 1 < written.size() ? digits.find(written[++i]) : std::string_view::npos;
      if (high == std::string_view::npos || low == std::string_view::npos) throw std::invalid_argument("no hex digits");
      out.push_back(static_cast<std::byte>(high * 16 + low));
    }
  }
  return out;
}

inline std::string hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::byte byte : bytes) {
    if (!out.empty()) out += ' ';
    out += digits[std::to_integer<std::size_t>(byte) / 16];
    out += digits[std::to_integer<std::size_t>(byte) % 16];
  }
  return out;
}

}  // namespace dlog::test
