// What a call's arguments are copied as: shared by the logging functions, not meant to be called by programs.
// Threads: any. Nothing here reads an argument after the call. Nothing throws.
#pragma once

#if __has_include(<fmt/base.h>)
#include <fmt/base.h>
#else
#include <fmt/core.h>
#endif

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "dlog/level.hpp"

namespace dlog {

// Where a call stands in the source: file, function, line. The texts are literals of the compiler's and live for ever.
struct Location {
  const char* file = "";
  const char* function = "";
  std::uint32_t line = 0;

  // `spot` is what a Spot has.
  static Location of(const void* spot) noexcept {
    const auto where = std::bit_cast<std::source_location>(spot);
    return {where.file_name(), where.function_name(), where.line()};
  }
};

#pragma GCC visibility push(default)  // the attribute of a namespace does not reach definitions elsewhere in clang
namespace capture {

// What one copied argument is, in the order of a record's arguments.
enum class Code : unsigned char {
  boolean,
  character,
  int32,
  uint32,
  int64,
  uint64,
  int128,
  uint128,
  float32,
  float64,
  float_long,
  pointer,
  text,
};

// Text as it is copied: a size (u32), then the bytes.
struct Text {
  const char* data;
  std::size_t size;
};
// The same, ended by NUL, or in a string: measured only where it is copied, so that calls are short.
struct CText {
  explicit constexpr CText(const char* text) noexcept : data(text) {}
  const char* data;
};
struct StringText {
  explicit StringText(const std::string& string) noexcept : text(&string) {}
  const std::string* text;
};

// Where a call stands, as a defaulted argument of the logging functions: what a std::source_location holds, in a register.
class Spot {
 public:
  static constexpr Spot here(const void* spot = __builtin_source_location()) noexcept { return Spot(spot); }
  constexpr const void* pointer() const noexcept { return pointer_; }

 private:
  explicit constexpr Spot(const void* spot) noexcept : pointer_(spot) {}
  const void* pointer_;
};

// What a call says of itself. `format` is null for a text message, whose text is the only argument.
struct Site {
  const char* format = "";
  std::size_t format_size = 0;
  Location where{};
  std::uint64_t addresses = 0;  // bit i: argument i is text whose address the format shows ({:p})

  constexpr bool shows_address(std::size_t i) const noexcept { return i < 64 && (addresses >> i & 1) != 0; }
};

// The same, as the compiler makes it of a call: one pointer for the place.
struct CallSite {
  const char* format = "";
  std::size_t format_size = 0;
  const void* spot = nullptr;  // what a Spot has
  std::uint64_t addresses = 0;

  Site site() const noexcept { return {format, format_size, Location::of(spot), addresses}; }
};

// The same where the format is a literal in the call: its end is found when the call is made first. Two words, passed in registers:
// a third one would cost the compiler a fifth more a call.
template <bool may_show_addresses>
struct LiteralSite {
  const char* format = "";
  const void* spot = nullptr;
  static constexpr std::uint64_t addresses = 0;
};
template <>
struct LiteralSite<true> {
  const char* format = "";
  const void* spot = nullptr;
  std::uint64_t addresses = 0;
};

template <bool may_show_addresses>
CallSite call_site(const LiteralSite<may_show_addresses>& site) noexcept {
  return {site.format, std::strlen(site.format), site.spot, site.addresses};
}

// A longer argument is cut here already: no message is longer anyway.
inline constexpr std::size_t text_bytes_max = (std::size_t{1} << 20) + 64;

template <class T>
inline constexpr bool is_text =
    std::same_as<T, char*> || std::same_as<T, const char*> || std::same_as<T, std::string> ||
    std::same_as<T, std::string_view> || std::same_as<T, fmt::string_view>;

// Text whose address a format may also want.
template <class T>
inline constexpr bool is_characters = std::same_as<T, char*> || std::same_as<T, const char*>;

template <class... Args>
inline constexpr bool any_characters = (is_characters<std::decay_t<Args>> || ...);

// The same for each of a call's arguments: bit i, argument i.
template <class... Args>
constexpr std::uint64_t characters_among() noexcept {
  std::uint64_t found = 0;
  std::uint64_t bit = 1;
  ((found |= is_characters<std::decay_t<Args>> ? bit : 0, bit <<= 1), ...);
  return found;
}

// Which arguments a valid format shows with {:p}: bit i, argument i. Named ones are never copied, and do not count.
constexpr std::uint64_t addresses_in(std::string_view format) noexcept {
  constexpr std::size_t none = 64;
  std::uint64_t found = 0;
  std::size_t next = 0;  // argument of the next {}
  const auto at = [format](std::size_t i) { return i < format.size() ? format[i] : '}'; };
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '{' || at(++i) == '{') continue;
    std::size_t argument = none;
    if (at(i) == '}' || at(i) == ':') argument = next++;
    else if (at(i) >= '0' && at(i) <= '9') {
      for (argument = 0; argument < none && at(i) >= '0' && at(i) <= '9'; ++i)
        argument = argument * 10 + static_cast<std::size_t>(at(i) - '0');
    }
    for (std::size_t open = 1; i < format.size(); ++i) {
      if (at(i) == '{') {
        ++open;
        if (at(i + 1) == '}') ++next;  // a width or precision among the arguments
      } else if (at(i) == '}' && --open == 0) {
        if (at(i - 1) == 'p' && argument < none) found |= std::uint64_t{1} << argument;
        break;
      }
    }
  }
  return found;
}

template <class T>
inline constexpr bool is_number = std::is_arithmetic_v<T> && !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                                  !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

#ifdef __SIZEOF_INT128__
__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;
template <class T>
inline constexpr bool is_wide = std::same_as<T, Int128> || std::same_as<T, Uint128>;
#else
template <class T>
inline constexpr bool is_wide = false;
#endif

// An enum that says how it is shown (format_as), and one that fmt shows as its number. A text that format_as makes, and that
// would be gone before it is copied, is not for here.
template <class T>
concept EnumWithFormatAs = std::is_enum_v<T> && requires(T value) {
  requires is_number<std::remove_cvref_t<decltype(format_as(value))>> ||
               (is_text<std::remove_cvref_t<decltype(format_as(value))>> &&
                !std::same_as<std::remove_cvref_t<decltype(format_as(value))>, std::string>);
};
template <class T>
concept PlainEnum = std::is_enum_v<T> && !EnumWithFormatAs<T> && !std::is_default_constructible_v<fmt::formatter<T>>;

template <class T>
inline constexpr bool is_pointer_shown =
    std::same_as<T, void*> || std::same_as<T, const void*> || std::same_as<T, std::nullptr_t>;

// Copied now and formatted later; everything else is formatted by the caller.
template <class T>
inline constexpr bool is_copied =
    is_number<T> || is_wide<T> || is_text<T> || is_pointer_shown<T> || EnumWithFormatAs<T> || PlainEnum<T>;

inline Text text_of(std::string_view text) noexcept { return {text.data(), text.size()}; }

// The value that is copied for an argument: few types, so that few functions are made.
template <class T>
auto plain(const T& value) noexcept {
  using D = std::decay_t<T>;
  if constexpr (std::is_array_v<T> && is_text<D>) {
    return text_of({value, ::strnlen(value, std::extent_v<T>)});
  } else if constexpr (std::same_as<D, char*> || std::same_as<D, const char*>) {
    return CText(value);
  } else if constexpr (std::same_as<D, std::string>) {
    return StringText(value);
  } else if constexpr (is_text<D>) {
    return text_of({value.data(), value.size()});
  } else if constexpr (is_pointer_shown<D>) {
    return static_cast<const void*>(value);
  } else if constexpr (EnumWithFormatAs<D>) {
    return plain(format_as(value));
  } else if constexpr (std::is_enum_v<D>) {
    return plain(static_cast<std::underlying_type_t<D>>(value));
  } else if constexpr (std::is_integral_v<D> && !std::same_as<D, bool> && !std::same_as<D, char> && sizeof(D) <= 4) {
    if constexpr (std::is_signed_v<D>) return static_cast<std::int32_t>(value);
    else return static_cast<std::uint32_t>(value);
  } else if constexpr (std::is_integral_v<D> && sizeof(D) == 8) {
    if constexpr (std::is_signed_v<D>) return static_cast<std::int64_t>(value);
    else return static_cast<std::uint64_t>(value);
  } else {
    return value;
  }
}

template <class T>
using Plain = decltype(plain(std::declval<const T&>()));

// A cast makes it of the argument: for the compiler, at each call, that is much less than a function.
template <class T>
inline constexpr bool is_cast =
    !std::is_array_v<T> && (is_number<T> || is_wide<T> || PlainEnum<T> || is_characters<T> ||
                            std::same_as<T, std::string> || is_pointer_shown<T>);

template <class W>
inline constexpr Code code_of = [] {
  if constexpr (std::same_as<W, bool>) return Code::boolean;
  else if constexpr (std::same_as<W, char>) return Code::character;
  else if constexpr (std::same_as<W, std::int32_t>) return Code::int32;
  else if constexpr (std::same_as<W, std::uint32_t>) return Code::uint32;
  else if constexpr (std::same_as<W, std::int64_t>) return Code::int64;
  else if constexpr (std::same_as<W, std::uint64_t>) return Code::uint64;
#ifdef __SIZEOF_INT128__
  else if constexpr (std::same_as<W, Int128>) return Code::int128;
  else if constexpr (std::same_as<W, Uint128>) return Code::uint128;
#endif
  else if constexpr (std::same_as<W, float>) return Code::float32;
  else if constexpr (std::same_as<W, double>) return Code::float64;
  else if constexpr (std::same_as<W, long double>) return Code::float_long;
  else if constexpr (std::same_as<W, const void*>) return Code::pointer;
  else return Code::text;
}();

// A value as it is laid down: texts measured.
template <class W>
W measured(const W& value) noexcept {
  return value;
}
inline Text measured(const CText& text) noexcept {
  return text.data == nullptr ? Text{"(null)", 6} : Text{text.data, std::strlen(text.data)};
}

inline Text measured(const StringText& string) noexcept { return {string.text->data(), string.text->size()}; }

inline std::uint32_t text_bytes(const Text& text) noexcept {
  return static_cast<std::uint32_t>(text.size < text_bytes_max ? text.size : text_bytes_max);
}

template <class W>
std::size_t bytes_of(const W& value) noexcept {
  if constexpr (std::same_as<W, Text>) return sizeof(std::uint32_t) + text_bytes(value);
  else return sizeof value;
}

// Most texts are short: two loads that overlap are quicker than a call.
inline void copy_text(char* to, const char* from, std::size_t size) noexcept {
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    std::uint64_t first;
    std::uint64_t last;
    std::memcpy(&first, from, 8);
    std::memcpy(&last, from + size - 8, 8);
    std::memcpy(to, &first, 8);
    std::memcpy(to + size - 8, &last, 8);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

template <class W>
char* put(char* to, const W& value) noexcept {
  if constexpr (std::same_as<W, Text>) {
    const std::uint32_t size = text_bytes(value);
    std::memcpy(to, &size, sizeof size);
    copy_text(to + sizeof size, value.data, size);
    return to + sizeof size + size;
  } else {
    std::memcpy(to, &value, sizeof value);
    return to + sizeof value;
  }
}

template <class T>
const void* address_of(const T& value) noexcept {
  if constexpr (is_characters<std::decay_t<T>>) return value;
  else return nullptr;
}

// A text argument as it is copied; one whose address is wanted gives the bytes of the address as its text.
template <class T>
auto plain_or_address(const T& value, bool as_address, const void* const& address) noexcept {
  if constexpr (is_characters<std::decay_t<T>>) {
    return as_address ? Text{reinterpret_cast<const char*>(&address), sizeof address} : measured(plain(value));
  } else {
    return plain(value);
  }
}

// What fmt is handed where the caller formats: characters end where their array does, and null is shown as such.
template <class T>
decltype(auto) shown(T& value) noexcept {
  if constexpr (is_characters<std::decay_t<T>>) {
    const Text text = measured(plain(value));
    return fmt::string_view(text.data, text.size);
  } else {
    return (value);
  }
}

}  // namespace capture
#pragma GCC visibility pop
}  // namespace dlog
