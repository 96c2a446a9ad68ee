// The clocks: monotonic for order and deadlines, wall for what is shown, and the local time zone.
// Any thread.
#pragma once

#include <cstdint>

namespace dlog::os {

std::int64_t monotonic_ns() noexcept;
std::int64_t wall_ns() noexcept;  // since 1970, UTC

// Seconds east of Greenwich at that time, as TZ says.
std::int32_t local_utc_offset_s(std::int64_t unix_s) noexcept;

}  // namespace dlog::os
