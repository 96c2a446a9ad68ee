// Stands between a program and the system, by LD_PRELOAD: no page can be wiped at a fork, as on a system that does not offer it.
#include <dlfcn.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstddef>

extern "C" {

int madvise(void* begin, std::size_t bytes, int advice) noexcept {
  static const auto next = reinterpret_cast<int (*)(void*, std::size_t, int)>(dlsym(RTLD_NEXT, "madvise"));
  if (advice != MADV_WIPEONFORK) return next(begin, bytes, advice);
  errno = EINVAL;
  return -1;
}
}
