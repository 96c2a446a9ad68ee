// The clocks: monotonic for order and deadlines, wall for what is shown, and the local time zone.
// Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace dlog::os {

std::int64_t monotonic_ns() noexcept;
std::int64_t wall_ns() noexcept;  // since 1970, UTC

// Seconds east of Greenwich at that time, as TZ says. The system holds a lock meanwhile, which no fork sees to: in a child whose
// parent's other thread held it, nobody would ever get it. So one thread asks at a time, and none: another one does not come back
// from it, or a fork takes long. Where the program itself asks at a fork, dlog cannot know.
std::optional<std::int32_t> local_utc_offset_s(std::int64_t unix_s) noexcept;

// Before a fork, in the thread that forks: nobody is asking, unless somebody goes on for longer than `wait`.
void hold_local_time(std::chrono::milliseconds wait) noexcept;
// Afterwards, in the parent.
void release_local_time() noexcept;
// In the child of any fork: who was asking is not here.
void renew_local_time() noexcept;

}  // namespace dlog::os
