// Writing to a console or a file: see output.hpp.
#include "os/output.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstring>

namespace dlog::os {

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

std::string error_text(int number) { return std::strerror(number); }

Result<Descriptor> open_for_appending(const std::string& path) {
  Descriptor file(clear_of_standard(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666)));
  if (!file) return Error{std::strerror(errno)};
  return file;
}

}  // namespace dlog::os
