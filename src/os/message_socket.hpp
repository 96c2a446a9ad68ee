// Stream sockets of this host over which bytes travel together with descriptors: made in pairs, one end for a child.
//
// No call waits, none raises SIGPIPE, and every descriptor that comes of them is close-on-exec. Whether a number still stands for its
// socket is the caller's to look at, now and then: it costs as much as a small message. Threads: one may receive while another one
// sends. Errors are values.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "os/descriptor.hpp"
#include "os/socket.hpp"

namespace dlog::os {

struct SocketPair {
  Descriptor ours{};
  Descriptor theirs{};
};
Result<SocketPair> socket_pair();

// Takes over a descriptor that this process was started with, if it is an end of such a pair; else the reason, and it stays as it was.
Result<Descriptor> adopt_socket(int fd);

// How many descriptors one receive_message() takes at most; the kernel closes those that come beside them.
inline constexpr std::size_t descriptors_max = 16;

struct ReceivedMessage {
  Transfer outcome = Transfer::would_block;
  std::size_t bytes = 0;
  int error = 0;
  bool descriptors_lost = false;  // some did not fit, or this process may open no more
};
// Appends the descriptors that came with these bytes to `descriptors`: the kernel ends what it gives where it hands over one.
ReceivedMessage receive_message(const Descriptor& socket, std::span<char> into, std::vector<Descriptor>& descriptors);

// Sends as much of the pieces, one after the other, as is taken now; with the first byte of them the descriptor, if there is one.
inline constexpr std::size_t pieces_max = 16;
Received send_message(const Descriptor& socket, std::span<const std::string_view> pieces, int descriptor) noexcept;

// Nothing more can be received but what is there; nothing more can be sent to this end.
void stop_receiving(const Descriptor& socket) noexcept;
// The same, and nothing more can be sent from it.
void shut_down(const Descriptor& socket) noexcept;

struct SocketKind {
  enum class Type { none, stream, listening, datagram };
  Type type = Type::none;  // none: it is no socket, or another kind of one
  bool ipv6 = false;
};
SocketKind socket_kind(int fd) noexcept;

}  // namespace dlog::os
