// The one owner of a file descriptor.
#pragma once

#include <utility>

namespace dlog::os {

void close_descriptor(int fd) noexcept;

// Moves a new descriptor away from the numbers 0 to 2: where the program was started with stderr closed, a socket of ours must
// not become its stderr. Close-on-exec is kept. Negative in, negative out.
int clear_of_standard(int fd) noexcept;

bool is_open(int fd) noexcept;

class Descriptor;
// One that stands for nothing: to be given up when no other is left.
Descriptor spare_descriptor() noexcept;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept {
    if (fd_ >= 0) close_descriptor(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace dlog::os
