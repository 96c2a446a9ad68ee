// Who holds the other end of a connection on the loopback interface, and which listener stands behind a port: asked of the kernel,
// without privilege and without a word to the peer.
//
// Threads: one at a time. Errors are values: where the system does not say, it is not known.
#pragma once

#include <cstdint>
#include <optional>

#include "os/descriptor.hpp"
#include "os/socket.hpp"

namespace dlog::os {

struct SocketOwner {
  std::uint32_t user = 0;    // the effective user of whoever made it
  std::uint64_t cookie = 0;  // the kernel's number of the socket: see Listening
  std::uint32_t unread = 0;  // bytes that came and were not read; of a listener: connections that were not taken
};

class SocketOwners {
 public:
  // Where the system has no such service nothing will be known.
  SocketOwners() noexcept;

  // The owner of the peer's end of a connection that `here` accepted. Nothing: not known, or closed by now: a socket that its
  // process has let go of belongs to nobody, and reads as root's.
  std::optional<SocketOwner> of_peer(LoopbackAddress here, LoopbackAddress peer) const noexcept;
  // The owner of the listener there. Nothing: nobody listens, or not known.
  std::optional<SocketOwner> of_listener(LoopbackAddress address) const noexcept;
  // The kernel says that nobody is there; false where it says nothing.
  bool is_nobodys_peer(LoopbackAddress here, LoopbackAddress peer) const noexcept;
  bool has_no_listener(LoopbackAddress address) const noexcept;

  // Does the system answer at all?
  bool known() const noexcept { return static_cast<bool>(socket_); }

  // After a fork, in the child: the parent's.
  void abandon() noexcept { socket_.reset(); }

 private:
  struct Answer {
    bool given = false;  // else it is not known
    std::optional<SocketOwner> owner{};
  };
  Answer ask(LoopbackAddress source, LoopbackAddress destination, bool listening) const noexcept;
  Descriptor socket_;
};

// Has the process at the other end taken this connection, and read all that came to it? False also where the system does not say.
bool is_read_by_peer(const Descriptor& socket) noexcept;

// The effective user of this process.
std::uint32_t own_user() noexcept;

}  // namespace dlog::os
