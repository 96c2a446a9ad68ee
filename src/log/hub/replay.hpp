// Frames shown as own events: what a parent that is gone did not take.
// The log thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "log/event/outlet.hpp"

namespace dlog::hub {

// The records among whole frames, as if this process had just logged them. Bars are left to the sink, which knows their
// descriptions.
void replay(std::span<const std::byte> frames, const std::string& name, std::uint32_t pid, event::Outlet& outlet);

}  // namespace dlog::hub
