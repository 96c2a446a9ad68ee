// TCP on the loopback interface: listen, accept, connect, receive, send. All sockets are non-blocking and close-on-exec, and no
// call raises SIGPIPE.
//
// Threads: a socket belongs to one thread at a time. Errors are values with a reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "os/descriptor.hpp"

namespace dlog::os {

// An IPv4 address of this host and a port.
struct LoopbackAddress {
  std::uint32_t ipv4 = 0x7F000001;  // 127.0.0.1
  std::uint16_t port = 0;
};

// `127.a.b.c:port`, port 1..65535, nothing before or after. A loopback name is not looked up.
std::optional<LoopbackAddress> parse_loopback_address(std::string_view text) noexcept;

struct Listening {
  Descriptor socket;
  std::uint16_t port = 0;
  std::uint64_t cookie = 0;  // the kernel's number of this socket, never used twice; 0: it does not say
};
Result<Listening> listen_on_loopback();

enum class AcceptOutcome { accepted, none_waiting, no_descriptors, failed };
struct Accepted {
  AcceptOutcome outcome = AcceptOutcome::none_waiting;
  Descriptor socket{};
  std::uint16_t peer_port = 0;
};
Accepted accept_connection(const Descriptor& listener) noexcept;

// Loopback connects within the call where somebody listens. `wait` bounds the case of a listener whose backlog is full.
Result<Descriptor> connect_to(LoopbackAddress address, std::chrono::milliseconds wait);

enum class Transfer { done, would_block, closed, failed };
struct Received {
  Transfer outcome = Transfer::would_block;
  std::size_t bytes = 0;
  int error = 0;
};
Received receive(const Descriptor& socket, std::span<std::byte> into) noexcept;
Received send(const Descriptor& socket, std::span<const std::byte> from) noexcept;

// Has the peer closed, or reset, the connection? What it may have sent is read and dropped.
bool peer_has_closed(const Descriptor& socket) noexcept;

// Waits until the socket takes bytes again, or is broken; false: not within `wait`.
bool wait_writable(const Descriptor& socket, std::chrono::milliseconds wait) noexcept;

}  // namespace dlog::os
