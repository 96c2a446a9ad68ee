// The one owner of a file descriptor.
//
// A program may close all descriptors that it finds, as daemons do, and ours among them; their numbers are then given to files of
// its own. So a Descriptor knows which file it was made for: whoever writes to it, or takes from it, asks is_ours() first.
#pragma once

#include <cstdint>
#include <utility>

namespace dlog::os {

void close_descriptor(int fd) noexcept;
// Another number for the same file, close-on-exec; negative: the system refused.
int duplicate(int fd) noexcept;

// Moves a new descriptor away from the numbers 0 to 2: where the program was started with stderr closed, a socket of ours must
// not become its stderr. Close-on-exec is kept. Negative in, negative out.
int clear_of_standard(int fd) noexcept;

bool is_open(int fd) noexcept;

// Which file stands behind a number. Files of the kernel's own making without a name, as of epoll, are all the same one.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  // 0: not known
  bool operator==(const FileIdentity&) const = default;
};
FileIdentity file_behind(int fd) noexcept;

class Descriptor;
// One that stands for nothing: to be given up when no other is left.
Descriptor spare_descriptor() noexcept;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) noexcept : fd_(fd), file_(file_behind(fd)) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)), file_(other.file_) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
      file_ = other.file_;
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  // Does the number still stand for the file that it was made for? Where the system does not say: yes.
  bool is_ours() const noexcept;
  // Gives it away.
  int release() noexcept { return std::exchange(fd_, -1); }
  // Closes it, if it is ours.
  void reset() noexcept {
    const bool ours = is_ours();
    const int fd = std::exchange(fd_, -1);
    if (ours) close_descriptor(fd);
  }

 private:
  int fd_ = -1;
  FileIdentity file_{};
};

}  // namespace dlog::os
