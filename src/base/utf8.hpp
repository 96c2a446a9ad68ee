// Reading UTF-8, one code point at a time, from text that may be anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dlog::utf8 {

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;  // how many bytes it takes; for an invalid one 1
  bool valid = false;
};

// The code point at the beginning of `text`, which must not be empty. Overlong forms, surrogates and values above U+10FFFF
// are invalid.
CodePoint first(std::string_view text) noexcept;

bool valid(std::string_view text) noexcept;

// How many bytes at the beginning of `text` are printable ASCII: no control bytes, nothing from 0x7F up.
std::size_t printable_ascii(std::string_view text) noexcept;

// The longest beginning of `text` of at most `bytes_max` bytes that does not end inside a code point.
std::string_view cut(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace dlog::utf8
