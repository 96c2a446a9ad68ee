// Memory of this process, by madvise(2): see memory.hpp. To populate it needs Linux 5.14.
#include "os/memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace dlog::os {

void populate(void* begin, std::size_t bytes) noexcept {
#ifdef MADV_POPULATE_WRITE
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto from = reinterpret_cast<std::uintptr_t>(begin);
  const std::uintptr_t first = from / page * page;
  ::madvise(reinterpret_cast<void*>(first), from + bytes - first, MADV_POPULATE_WRITE);
#else
  static_cast<void>(begin);
  static_cast<void>(bytes);
#endif
}

bool wipe_in_forked_child(void* pages, std::size_t bytes) noexcept {
#ifdef MADV_WIPEONFORK
  return ::sysconf(_SC_PAGESIZE) == static_cast<long>(wiped_page_bytes) &&
         ::madvise(pages, bytes, MADV_WIPEONFORK) == 0;
#else
  static_cast<void>(pages);
  static_cast<void>(bytes);
  return false;
#endif
}

}  // namespace dlog::os
