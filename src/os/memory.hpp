// Memory of this process, page by page.
#pragma once

#include <cstddef>

namespace dlog::os {

// Has the pages of this memory be there, so that nobody who writes to them waits for one; what stands in them stays as it is, and
// others may write to them meanwhile. Where the system does not offer it, nothing happens.
void populate(void* begin, std::size_t bytes) noexcept;

}  // namespace dlog::os
