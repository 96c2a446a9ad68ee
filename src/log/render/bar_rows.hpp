// Live bars as rows that stand together, and the line that a bar leaves behind.
//
// Rows follow templates (event/bar_template.hpp). Where a row is too long for the terminal its parts give way, the least
// important first; descriptions and pictures of the rows are of one length, so that they stand below each other. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dlog/event.hpp"
#include "log/event/bar_template.hpp"
#include "log/render/theme.hpp"

namespace dlog::render {

// A bar at the moment it is drawn.
struct BarView {
  Bar bar{};
  std::string_view source{};  // empty: not shown
  std::size_t depth = 0;      // of how many bars it is a part
  double per_second = 0;      // 0: not known
  std::int64_t elapsed_ns = 0;
  const event::BarTemplate* bar_template = nullptr;  // null, or without parts: the look's, or the usual one
};

// One row a bar, each of at most columns - 1 columns, without a newline. `tick` moves what shows that work goes on.
std::vector<std::string> bar_rows(std::span<const BarView> bars, std::size_t columns, const BarLook& look,
                                  std::uint64_t tick);

// The bar in its last state; where it is too long its picture gives way, then its description. Longer than a row where its other
// words are, as the reason of a failure: an ordinary line, it wraps.
//   copy[4711] Downloading [########################################] 100% 100/100 finished in 2.1 s
std::string bar_end_line(const BarView& view, std::size_t columns, const BarLook& look);

}  // namespace dlog::render
