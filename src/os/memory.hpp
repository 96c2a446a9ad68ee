// Memory of this process, page by page.
#pragma once

#include <cstddef>

namespace dlog::os {

// Has the pages of this memory be there, so that nobody who writes to them waits for one; what stands in them stays as it is, and
// others may write to them meanwhile. Where the system does not offer it, nothing happens.
void populate(void* begin, std::size_t bytes) noexcept;

// What stands alone in pages of this size can be wiped.
inline constexpr std::size_t wiped_page_bytes = 4096;

// Has whole pages be zero in every process that comes of this one, by fork(), _Fork() or clone(). False: the system does not offer
// it (Linux 4.14), its pages are larger, or this is not memory of the process alone.
bool wipe_in_forked_child(void* pages, std::size_t bytes) noexcept;

}  // namespace dlog::os
