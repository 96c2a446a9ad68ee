// The line that a bar leaves behind. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "log/render/bar_view.hpp"
#include "log/render/theme.hpp"

namespace dlog::render {

// The bar in its last state:
//   copy[4711] Downloading [########################################] 100% 100/100 finished in 2.1 s
// Where that does not fit into a row its parts give way: the picture, how long it took, how much it was; then a description that
// would fill the row by itself. What is left, and the reason of a failure, may be longer than a row: the line wraps as any other.
std::string bar_end_line(const BarView& view, std::size_t columns, const BarLook& look);

}  // namespace dlog::render
