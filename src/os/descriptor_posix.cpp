// Closing a descriptor: see descriptor.hpp.
#include "os/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace dlog::os {

// Never repeated on EINTR: Linux has closed the number by then, and it may be somebody else's already.
void close_descriptor(int fd) noexcept { ::close(fd); }

int clear_of_standard(int fd) noexcept {
  if (fd < 0 || fd > 2) return fd;
  const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  ::close(fd);
  return moved;
}

Descriptor spare_descriptor() noexcept {
  return Descriptor(clear_of_standard(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
}

bool is_open(int fd) noexcept { return ::fcntl(fd, F_GETFD) != -1; }

}  // namespace dlog::os
