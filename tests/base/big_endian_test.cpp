// Tests of base/big_endian: the order of bytes on the wire, at any address.
#include "base/big_endian.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "support/catch.hpp"

namespace {

using namespace dlog;

template <class T>
void check_round_trip(T value) {
  std::array<std::byte, sizeof(T) + 2> room{std::byte{0xAA}};
  room.back() = std::byte{0x55};
  store_big_endian(room.data() + 1, value);  // at an odd address
  CHECK(load_big_endian<T>(room.data() + 1) == value);
  CHECK(room.front() == std::byte{0xAA});
  CHECK(room.back() == std::byte{0x55});
}

TEST_CASE("big_endian: the most significant byte comes first") {
  std::array<std::byte, 8> bytes{};
  store_big_endian(bytes.data(), std::uint64_t{0x0102030405060708});
  for (std::size_t i = 0; i < bytes.size(); ++i) CHECK(std::to_integer<std::size_t>(bytes[i]) == i + 1);
  CHECK(load_big_endian<std::uint8_t>(bytes.data()) == 0x01);
  CHECK(load_big_endian<std::uint16_t>(bytes.data()) == 0x0102);
  CHECK(load_big_endian<std::uint32_t>(bytes.data()) == 0x01020304);
  CHECK(load_big_endian<std::uint64_t>(bytes.data()) == 0x0102030405060708);
}

TEST_CASE("big_endian: bytes above 0x7f have no sign") {
  const std::array<std::byte, 4> bytes{std::byte{0xFF}, std::byte{0xFE}, std::byte{0x80}, std::byte{0x81}};
  CHECK(load_big_endian<std::uint16_t>(bytes.data()) == 0xFFFE);
  CHECK(load_big_endian<std::uint32_t>(bytes.data()) == 0xFFFE8081);
}

TEMPLATE_TEST_CASE("big_endian: what is stored is loaded, and only its own bytes are touched", "", std::uint8_t,
                   std::uint16_t, std::uint32_t, std::uint64_t) {
  check_round_trip<TestType>(0);
  check_round_trip<TestType>(1);
  check_round_trip<TestType>(std::numeric_limits<TestType>::max());
  check_round_trip<TestType>(static_cast<TestType>(0x8182838485868788));
}

}  // namespace
