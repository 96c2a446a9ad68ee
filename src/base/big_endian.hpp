// Unsigned integers as big-endian bytes, the order of the wire.
#pragma once

#include <concepts>
#include <cstddef>

namespace dlog {

template <std::unsigned_integral T>
T load_big_endian(const std::byte* from) noexcept {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>((value << 8) | std::to_integer<T>(from[i]));
  return value;
}

template <std::unsigned_integral T>
void store_big_endian(std::byte* to, T value) noexcept {
  for (std::size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 8)) to[i] = static_cast<std::byte>(value);
}

}  // namespace dlog
