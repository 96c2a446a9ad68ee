// Can the processor's time stamp counter be used as a clock?
#pragma once

namespace dlog::os {

// It runs at one pace on all cores, asleep or not, and the kernel trusts it. Some ten microseconds.
bool counter_is_steady() noexcept;

}  // namespace dlog::os
