// Writing to a console or a file to the last byte.
//
// Threads: one at a time. Errors: the number of bytes that were taken and the reason why no more were.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "os/descriptor.hpp"

namespace dlog::os {

struct Written {
  std::size_t bytes = 0;
  int error = 0;  // 0: all was written
};

// One write() where the descriptor takes all of it; repeated on a short write, on EINTR, and on EAGAIN after waiting. The
// descriptor's flags are left alone. SIGPIPE is not raised where the calling thread blocks it (the log thread does).
Written write_all(int fd, std::string_view bytes) noexcept;

std::string error_text(int number);

// Opens for appending, made if need be; close-on-exec.
Result<Descriptor> open_for_appending(const std::string& path);

}  // namespace dlog::os
