// Writing to a console or a file: to the last byte, or as much as it takes at once.
//
// Threads: one at a time. Errors: the number of bytes that were taken and the reason why no more were.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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

// A descriptor that is written to without waiting for a reader, wherever that can be had: pipes, terminals, stream sockets. Its
// flags, which other processes share, are left alone: a pipe or a terminal is opened once more, for as long as bytes wait for
// it, or longer where it is told to. Longer keeps the reader from its end of file after the program has let go of the descriptor.
// What the program puts behind the number later is found at the next write.
class Output {
 public:
  // `fd` is not closed, unless `owned` holds it.
  explicit Output(int fd, Descriptor owned = {}) noexcept : fd_(fd), owned_(std::move(owned)) {}

  int fd() const noexcept { return fd_; }
  // Fewer bytes and no error: it takes no more now. Files, and what cannot be opened once more, are written to to the last byte.
  Written write(std::string_view bytes) noexcept;
  // After a write that was not taken whole: waits until more may be taken; false: not within `wait`. A terminal may say that it
  // takes more, and not do so.
  bool wait(std::chrono::milliseconds wait) noexcept;

  // Much will be written soon: what was opened stays open. To open a terminal costs as much as to write a frame.
  void stay_open(bool on) noexcept { stays_open_ = on; }

  // After a fork, in the child: lets go of what was opened.
  void abandon() noexcept { again_.reset(); }

 private:
  enum class Way { plain, again, socket };
  // Which file stands behind a number.
  struct Identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t kind = 0;
    bool operator==(const Identity&) const = default;
  };
  Way way() noexcept;

  int fd_;
  Descriptor owned_;
  Descriptor again_{};  // the same file, opened once more
  Identity opened_{};
  bool stays_open_ = false;
};

std::string error_text(int number);

// Opens for appending, made if need be; close-on-exec.
Result<Descriptor> open_for_appending(const std::string& path);

}  // namespace dlog::os
