// A bar at the moment it is drawn: what its owner said, and what is worked out here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dlog/event.hpp"
#include "log/event/bar_template.hpp"

namespace dlog::render {

struct BarView {
  Bar bar{};
  std::string_view source{};  // empty: not shown
  std::size_t depth = 0;      // of how many bars it is a part
  double per_second = 0;      // 0: not known
  std::int64_t elapsed_ns = 0;
  const event::BarTemplate* bar_template = nullptr;  // null, or without parts: the look's, or the usual one
};

}  // namespace dlog::render
