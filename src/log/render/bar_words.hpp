// What there is to say of a progress bar, in words: for its row, its last line, and output that is no terminal.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dlog/event.hpp"

namespace dlog::render {

std::string_view state_name(BarState state) noexcept;  // running finished failed abandoned orphaned cleared
std::string_view unit_name(Unit unit) noexcept;        // items bytes bytes_iec seconds

// 0..100, rounded down, so that 100 means all; 0 where the total is unknown.
int percent(std::uint64_t value, std::uint64_t total) noexcept;

// ` 42%`; empty where the total is unknown.
std::string percent_words(const Bar& bar);

// `42`, `1.4 MiB`, `90 s`
std::string amount_of(std::uint64_t n, Unit unit);

// `42/100`, or `42` where the total is unknown; with a unit of bytes or seconds the amounts say so.
std::string amount(const Bar& bar);

// `12.3/s`, `1.4 MiB/s`; empty where it is not known.
std::string rate_words(double per_second, Unit unit);

// `0:07`, `12:34`, `3:12:34`, `5d 03h`
std::string clock_words(std::int64_t ns);
// `0.3 s` below ten seconds, else as above.
std::string duration_words(std::int64_t ns);

// `Downloading: started (0/100)`, `Downloading: 42% (42/100)`, `Downloading: failed at 42/100: 404`
std::string bar_sentence(const Bar& bar);

// The level that an ended bar's sentence is shown at.
Level bar_level(BarState state) noexcept;

}  // namespace dlog::render
