// An open socket on its way from or to the other side: see dlog/channel.hpp.
#include <utility>

#include "dlog/channel.hpp"
#include "os/descriptor.hpp"
#include "os/message_socket.hpp"

namespace dlog::channel {

Handle::Handle(HandleKind kind, int fd) noexcept : kind_(fd < 0 ? HandleKind::none : kind), fd_(fd) {}

Handle::Handle(Handle&& other) noexcept
    : kind_(std::exchange(other.kind_, HandleKind::none)),
      fd_(std::exchange(other.fd_, -1)),
      held_(std::move(other.held_)) {}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this == &other) return *this;
  close();
  kind_ = std::exchange(other.kind_, HandleKind::none);
  fd_ = std::exchange(other.fd_, -1);
  held_ = std::move(other.held_);
  return *this;
}

Handle::~Handle() { close(); }

int Handle::release() noexcept {
  kind_ = HandleKind::none;
  const int fd = std::exchange(fd_, -1);
  std::shared_ptr<void>().swap(held_);
  return fd;
}

void Handle::close() noexcept {
  // First the descriptor: whoever counts it is told after it is closed.
  const std::shared_ptr<void> held = std::exchange(held_, nullptr);
  kind_ = HandleKind::none;
  if (fd_ >= 0) os::close_descriptor(std::exchange(fd_, -1));
}

Handle Handle::duplicate() const noexcept {
  if (fd_ < 0) return {};
  Handle copy(kind_, os::duplicate(fd_));
  if (copy) copy.held_ = held_;
  return copy;
}

}  // namespace dlog::channel
