// Reading numbers and words that a person typed into an environment variable.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dlog {

// Decimal digits and nothing else; nothing where the text is something else or the number is too large.
std::optional<std::uint64_t> parse_unsigned(std::string_view text) noexcept;

// A number of bytes: digits, then optionally K, M or G (of 1024), in any case.
std::optional<std::uint64_t> parse_bytes(std::string_view text) noexcept;

// true/1/yes/on and false/0/no/off, in any case.
std::optional<bool> parse_switch(std::string_view text) noexcept;

// Equal but for the case of ASCII letters.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace dlog
