// How a numbered record reads: "rec <source> <number> <filler>|". The filler's length follows from the number, so that a record
// made of two others does not fit its own number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace torture {

inline constexpr std::size_t filler_max = 97;
inline constexpr std::string_view filler_text =
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
static_assert(filler_text.size() == filler_max);

constexpr std::string_view filler(std::uint64_t number) { return filler_text.substr(0, number % filler_max); }

}  // namespace torture
