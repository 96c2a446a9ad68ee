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

// One write() where the descriptor takes all of it; repeated on a short write, on EINTR, and on EAGAIN after waiting, but not for
// ever: where nothing is taken for two seconds, EAGAIN is the error. The descriptor's flags are left alone. SIGPIPE is not raised where the calling thread blocks it (the log thread does).
Written write_all(int fd, std::string_view bytes) noexcept;

// For a signal handler: "first second" and a newline, in one write() that is not repeated. It may wait for a reader.
void say_in_handler(int fd, std::string_view first, std::string_view second) noexcept;

// For last words that nobody may be listening to: true once they are written, false where that takes longer than `wait`. Then a
// thread is left behind that may sit in the write for ever, and ends with the process: it is at its end. Without a thread to be
// had nothing is said, for there are consoles that no one can write to without the risk of staying there.
bool write_last_words(int fd, std::string text, std::chrono::milliseconds wait);

// A descriptor that is written to without waiting for a reader, wherever that can be had: pipes, terminals, stream sockets. Its
// flags, which other processes share, are left alone: a pipe or a terminal is opened once more, for as long as bytes wait for
// it, or longer where it is told to. Longer keeps the reader from its end of file after the program has let go of the descriptor.
// What the program puts behind the number later is found at the next write.
class Output {
 public:
  // `fd` is not closed, unless `owned` holds it. Where the program closes that beneath us, the file at `path` is opened once more.
  explicit Output(int fd, Descriptor owned = {}, std::string path = {}) noexcept
      : fd_(fd), owned_(std::move(owned)), path_(std::move(path)) {}

  int fd() const noexcept { return fd_; }
  // Fewer bytes and no error: it takes no more now. Files, and what cannot be opened once more, are written to to the last byte.
  Written write(std::string_view bytes);
  // After a write that was not taken whole: waits until more may be taken; false: not within `wait`. A terminal may say that it
  // takes more, and not do so.
  bool wait(std::chrono::milliseconds wait) noexcept;

  // Much will be written soon: what was opened stays open. To open a terminal costs as much as to write a frame.
  void stay_open(bool on) noexcept { stays_open_ = on; }

  // Was the file opened once more since the last call?
  bool was_opened_again() noexcept { return std::exchange(opened_again_, false); }

  // After a fork, in the child: lets go of what was opened.
  void abandon() noexcept {
    again_.reset();
    if (owned_) fd_ = -1;
    owned_.reset();
  }

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
  bool keep_open();
  Written write_once(std::string_view bytes);

  int fd_;
  Descriptor owned_;
  std::string path_;
  bool opened_again_ = false;
  Descriptor again_{};  // the same file, opened once more
  Identity opened_{};
  bool stays_open_ = false;
};

std::string error_text(int number);

// What a relative path means in the current folder; where that is not known, the path as it is.
std::string absolute_path(const std::string& path);

// Opens for appending, made if need be; close-on-exec.
Result<Descriptor> open_for_appending(const std::string& path);

}  // namespace dlog::os
