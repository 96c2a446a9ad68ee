// Tests of dlog/capture.hpp: which types are copied, as what, and in how many bytes.
#include "dlog/capture.hpp"
#include "dlog/emit.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "dlog/log.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog;
using capture::Code;

template <class T>
constexpr Code code_for = capture::code_of<decltype(capture::plain(std::declval<const T&>()))>;

template <class T>
std::size_t bytes_for(const T& value) {
  return capture::bytes_of(capture::measured(capture::plain(value)));
}

TEST_CASE("capture: every kind of argument has its code") {
  STATIC_REQUIRE(code_for<bool> == Code::boolean);
  STATIC_REQUIRE(code_for<char> == Code::character);
  STATIC_REQUIRE(code_for<signed char> == Code::int32);
  STATIC_REQUIRE(code_for<short> == Code::int32);
  STATIC_REQUIRE(code_for<int> == Code::int32);
  STATIC_REQUIRE(code_for<unsigned char> == Code::uint32);
  STATIC_REQUIRE(code_for<unsigned short> == Code::uint32);
  STATIC_REQUIRE(code_for<unsigned> == Code::uint32);
  STATIC_REQUIRE(code_for<long long> == Code::int64);
  STATIC_REQUIRE(code_for<unsigned long long> == Code::uint64);
  STATIC_REQUIRE(code_for<long> == (sizeof(long) == 8 ? Code::int64 : Code::int32));
  STATIC_REQUIRE(code_for<unsigned long> == (sizeof(long) == 8 ? Code::uint64 : Code::uint32));
  STATIC_REQUIRE(code_for<capture::Int128> == Code::int128);
  STATIC_REQUIRE(code_for<capture::Uint128> == Code::uint128);
  STATIC_REQUIRE(code_for<float> == Code::float32);
  STATIC_REQUIRE(code_for<double> == Code::float64);
  STATIC_REQUIRE(code_for<long double> == Code::float_long);
  STATIC_REQUIRE(code_for<void*> == Code::pointer);
  STATIC_REQUIRE(code_for<const void*> == Code::pointer);
  STATIC_REQUIRE(code_for<std::nullptr_t> == Code::pointer);
  STATIC_REQUIRE(code_for<const char*> == Code::text);
  STATIC_REQUIRE(code_for<char*> == Code::text);
  STATIC_REQUIRE(code_for<char[5]> == Code::text);
  STATIC_REQUIRE(code_for<std::string> == Code::text);
  STATIC_REQUIRE(code_for<std::string_view> == Code::text);
  STATIC_REQUIRE(code_for<fmt::string_view> == Code::text);
}

TEST_CASE("capture: what cannot be copied byte by byte is left to the caller") {
  STATIC_REQUIRE_FALSE(capture::is_copied<std::vector<int>>);
  STATIC_REQUIRE_FALSE(capture::is_copied<const volatile void*>);
  STATIC_REQUIRE_FALSE(capture::is_copied<const char**>);
  STATIC_REQUIRE_FALSE(capture::is_copied<char16_t>);
  STATIC_REQUIRE_FALSE(capture::is_copied<const wchar_t*>);
  STATIC_REQUIRE_FALSE(capture::is_copied<std::wstring>);
}

TEST_CASE("capture: a text costs its bytes and their number") {
  CHECK(bytes_for("") == 4);
  CHECK(bytes_for("four") == 8);
  CHECK(bytes_for(std::string("a\0b", 3)) == 7);
  CHECK(bytes_for(static_cast<const char*>(nullptr)) == 10);  // "(null)"
  CHECK(bytes_for(std::string_view()) == 4);
  CHECK(bytes_for('c') == 1);
  CHECK(bytes_for(short{1}) == 4);
  CHECK(bytes_for(1.5L) == sizeof(long double));
}

TEST_CASE("capture: a text is cut where no message is as long") {
  const std::string longest(capture::text_bytes_max, 'x');
  const std::string longer = longest + "y";
  CHECK(bytes_for(longest) == 4 + capture::text_bytes_max);
  CHECK(bytes_for(longer) == 4 + capture::text_bytes_max);
  CHECK(bytes_for(longer.c_str()) == 4 + capture::text_bytes_max);
  CHECK(bytes_for(std::string_view(longer)) == 4 + capture::text_bytes_max);
}

TEST_CASE("capture: what is put down takes exactly its bytes, at any address") {
  std::array<char, 16> room{};
  room.fill('#');
  char* end = capture::put(room.data() + 1, capture::text_of("abc"));
  CHECK(end == room.data() + 8);
  std::uint32_t size = 0;
  std::memcpy(&size, room.data() + 1, sizeof size);
  CHECK(size == 3);
  CHECK(std::string_view(room.data() + 5, 3) == "abc");
  CHECK(room[0] == '#');
  CHECK(room[8] == '#');
  end = capture::put(end, capture::text_of({}));
  CHECK(end == room.data() + 12);
  CHECK(room[12] == '#');
}

TEST_CASE("capture: a call site knows where it stands, and what it is") {
  constexpr format_string<int> here = "{} here";
  constexpr std::uint32_t line = __LINE__ - 1;
  const capture::Site site = here.site.site();
  CHECK(std::string_view(site.format, site.format_size) == "{} here");
  CHECK(site.where.line == line);
  CHECK(std::string_view(site.where.file) == __FILE__);
  CHECK(std::string_view(site.where.function).empty() == false);
}

TEST_CASE("capture: a format that is no literal need not end with a NUL, and may have one inside") {
  constexpr format_string<> part(std::string_view("{}{}").substr(2, 0));
  STATIC_REQUIRE(part.site.format_size == 0);
  constexpr format_string<int> nul(std::string_view("a\0{}", 4));
  STATIC_REQUIRE(nul.site.format_size == 4);
  STATIC_REQUIRE(format_string<const char*, const char*>("{} {:p}").site.addresses == 0b10);
}

TEST_CASE("capture: a literal in a call is two words, which fit into registers") {
  using capture::literal;
  STATIC_REQUIRE(sizeof(literal<int, double, std::string&>) == 2 * sizeof(void*));
  constexpr literal<int> here = "{} here";
  constexpr std::uint32_t line = __LINE__ - 1;
  const capture::Site site = capture::call_site(here.site).site();
  CHECK(std::string_view(site.format, site.format_size) == "{} here");
  CHECK(site.where.line == line);
  CHECK(std::string_view(site.where.file) == __FILE__);
  constexpr literal<const char*, const char*> address = "{} {:p}";
  CHECK(address.site.addresses == 0b10);
}

TEST_CASE("capture: which arguments a format shows as addresses") {
  STATIC_REQUIRE(capture::addresses_in("") == 0);
  STATIC_REQUIRE(capture::addresses_in("p} {{p}} {} {{{:>8}}}") == 0);
  STATIC_REQUIRE(capture::addresses_in("{:p}") == 0b1);
  STATIC_REQUIRE(capture::addresses_in("{} {:p}{}{:>20p}") == 0b1010);
  STATIC_REQUIRE(capture::addresses_in("{{{:p}}} {{:p}} {:p}") == 0b11);
  STATIC_REQUIRE(capture::addresses_in("{2:p} {0} {1:p<8} {13:p}") == 0b10'0000'0000'0100);
  STATIC_REQUIRE(capture::addresses_in("{:{}p} {:p}") == 0b101);
  STATIC_REQUIRE(capture::addresses_in("{0:{1}p} {:.{}}") == 0b1);
  STATIC_REQUIRE(capture::addresses_in("{p} {name:p} {:p}") == 0b1);
  STATIC_REQUIRE(capture::addresses_in("{63:p}") == std::uint64_t{1} << 63);
  STATIC_REQUIRE(capture::addresses_in("{64:p} {99999999999999999999:p}") == 0);
  // Not valid, and refused by fmt: nothing is read past the end.
  for (const char* broken : {"{", "{:", "{:p", "{0", "{:{", "}p}"}) CHECK(capture::addresses_in(broken) == 0);
}

TEST_CASE("capture: addresses are those of characters") {
  STATIC_REQUIRE(format_string<const char*>("{:p}").site.addresses == 1);
  STATIC_REQUIRE(format_string<char(&)[3]>("{:p}").site.addresses == 1);
  STATIC_REQUIRE(format_string<const void*>("{:p}").site.addresses == 0);
  STATIC_REQUIRE(format_string<const char*, const void*>("{} {:p}").site.addresses == 0);
  STATIC_REQUIRE(format_string<const void*, const char*, int, char*>("{:p} {:p} {} {:p}").site.addresses == 0b1010);
}

TEST_CASE("capture: a macro's call is compiled in from its level up") {
  STATIC_REQUIRE(capture::compiled_in(Level::trace, 0));
  STATIC_REQUIRE(capture::compiled_in(Level::info, 2));
  STATIC_REQUIRE_FALSE(capture::compiled_in(Level::debug, 2));
  STATIC_REQUIRE(capture::compiled_in(Level::fatal, 5));
  STATIC_REQUIRE_FALSE(capture::compiled_in(Level::fatal, 6));
}

}  // namespace
