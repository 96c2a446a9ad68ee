// Writing to a console or a file: see output.hpp.
#include "os/output.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace dlog::os {
namespace {

bool is_stream(int fd) noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && (type == SOCK_STREAM || type == SOCK_SEQPACKET);
}

// The other end of a pseudo terminal says that it is a terminal, too; opened once more it would be a new one.
bool is_terminal_to_open(int fd) noexcept {
  unsigned number = 0;
  return ::isatty(fd) == 1 && ::ioctl(fd, TIOCGPTN, &number) != 0;
}

// Where the system does not know such names, or the file may not be opened: none.
Descriptor open_again(int fd) noexcept {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return Descriptor(clear_of_standard(::open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)));
}

}  // namespace

Written write_all(int fd, std::string_view bytes) noexcept {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd entry{fd, POLLOUT, 0};
      ::poll(&entry, 1, -1);
    } else if (errno != EINTR) {
      return {done, errno};
    }
  }
  return {done, 0};
}

Output::Way Output::way() noexcept {
  struct stat is {};
  if (::fstat(fd_, &is) != 0) return again_.reset(), Way::plain;
  const Identity now{is.st_dev, is.st_ino, std::uint64_t{is.st_rdev} << 32 | is.st_mode};
  if (again_ && opened_ == now) return Way::again;
  again_.reset();
  if (S_ISSOCK(is.st_mode)) return is_stream(fd_) ? Way::socket : Way::plain;
  if (!S_ISFIFO(is.st_mode) && !(S_ISCHR(is.st_mode) && is_terminal_to_open(fd_))) return Way::plain;
  again_ = open_again(fd_);
  opened_ = now;
  return again_ ? Way::again : Way::plain;
}

Written Output::write(std::string_view bytes) noexcept {
  const Way by = way();
  if (by == Way::plain) return write_all(fd_, bytes);
  std::size_t done = 0;
  int error = 0;
  while (done < bytes.size() && error == 0) {
    const char* const from = bytes.data() + done;
    const std::size_t left = bytes.size() - done;
    const ssize_t wrote =
        by == Way::socket ? ::send(fd_, from, left, MSG_DONTWAIT | MSG_NOSIGNAL) : ::write(again_.get(), from, left);
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
    else if (wrote == 0 || errno == EAGAIN || errno == EWOULDBLOCK) return {done, 0};
    else if (errno != EINTR) error = errno;
  }
  if (error != 0 || !stays_open_) again_.reset();
  return {done, error};
}

bool Output::wait(std::chrono::milliseconds wait) noexcept {
  pollfd entry{again_ ? again_.get() : fd_, POLLOUT, 0};
  return ::poll(&entry, 1, static_cast<int>(wait.count())) > 0;
}

std::string error_text(int number) { return std::strerror(number); }

Result<Descriptor> open_for_appending(const std::string& path) {
  Descriptor file(clear_of_standard(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666)));
  if (!file) return Error{std::strerror(errno)};
  return file;
}

}  // namespace dlog::os
