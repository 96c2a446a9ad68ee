// A progress bar as text: a row of the live region, the line it leaves behind, and the words for output that is no terminal.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dlog/event.hpp"

namespace dlog::render {

std::string_view state_name(BarState state) noexcept;  // running finished failed abandoned orphaned cleared

// 0..100, rounded down, so that 100 means all; 0 where the total is unknown.
int percent(std::uint64_t value, std::uint64_t total) noexcept;

// `42/100`, or `42` where the total is unknown; with a unit of bytes or seconds the amounts say so.
std::string amount(const Bar& bar);

// One row of at most columns - 1 characters, without a newline:
//   copy[4711] Downloading [########------------]  42% 42/100 part 3 of 7
// `source` is empty for this process. `tick` moves the mark of a bar with an unknown total.
std::string bar_row(const Bar& bar, std::string_view source, std::size_t columns, std::uint64_t tick);

// The row in its last state, with the state's name; what does not fit is cut.
std::string bar_end_row(const Bar& bar, std::string_view source, std::size_t columns, bool colour);

// `Downloading: started (0/100)`, `Downloading: 42% (42/100)`, `Downloading: failed at 42/100: 404`
std::string bar_sentence(const Bar& bar);

// The level that an ended bar's sentence is shown at.
Level bar_level(BarState state) noexcept;

}  // namespace dlog::render
