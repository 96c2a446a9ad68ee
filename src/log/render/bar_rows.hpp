// Live bars as rows that stand together.
//
// Rows follow templates (event/bar_template.hpp). Where a row is too long for the terminal its parts give way, the least
// important first; descriptions and pictures of the rows are of one length, so that they stand below each other. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "log/render/bar_view.hpp"
#include "log/render/theme.hpp"

namespace dlog::render {

// One row a bar, each of at most columns - 1 columns, without a newline. `tick` moves what shows that work goes on.
std::vector<std::string> bar_rows(std::span<const BarView> bars, std::size_t columns, const BarLook& look,
                                  std::uint64_t tick);

}  // namespace dlog::render
