// Closing a descriptor: see descriptor.hpp.
#include "os/descriptor.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dlog::os {

// Never repeated on EINTR: Linux has closed the number by then, and it may be somebody else's already.
void close_descriptor(int fd) noexcept { ::close(fd); }

int duplicate(int fd) noexcept { return ::fcntl(fd, F_DUPFD_CLOEXEC, 3); }

int clear_of_standard(int fd) noexcept {
  if (fd < 0 || fd > 2) return fd;
  const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  ::close(fd);
  return moved;
}

Descriptor spare_descriptor() noexcept {
  // No file by a name: one of the program's may have the same.
  return Descriptor(clear_of_standard(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
}

FileIdentity file_behind(int fd) noexcept {
  struct stat is {};
  if (fd < 0 || ::fstat(fd, &is) != 0) return {};
  return {is.st_dev, is.st_ino};
}

bool Descriptor::is_ours() const noexcept {
  if (fd_ < 0) return false;
  const FileIdentity now = file_.inode == 0 ? file_ : file_behind(fd_);
  return now == file_ || (now.inode == 0 && is_open(fd_));
}

// Whatever else may fail: only this error says that it is not.
bool is_open(int fd) noexcept { return ::fcntl(fd, F_GETFD) != -1 || errno != EBADF; }

}  // namespace dlog::os
