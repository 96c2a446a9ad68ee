// TCP on the loopback interface: listen, accept, connect, receive, send. All sockets are non-blocking and close-on-exec, and no
// call raises SIGPIPE.
//
// Threads: a socket belongs to one thread at a time. Errors are values with a reason. A socket that the program has closed beneath us
// takes and gives nothing, whatever stands behind its number now: EBADF.
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

// no_descriptors: none can be taken for now, for want of a descriptor, of memory, or whatever else lasts. failed: this one.
enum class AcceptOutcome { accepted, none_waiting, no_descriptors, failed };
struct Accepted {
  AcceptOutcome outcome = AcceptOutcome::none_waiting;
  Descriptor socket{};
  std::uint16_t peer_port = 0;
  std::uint32_t peer_ipv4 = 0;
};
Accepted accept_connection(const Descriptor& listener) noexcept;

// Loopback connects within the call where somebody listens. `wait` bounds the case of a listener whose backlog is full.
Result<Descriptor> connect_to(LoopbackAddress address, std::chrono::milliseconds wait);

// Of a connection.
LoopbackAddress local_address(const Descriptor& socket) noexcept;
LoopbackAddress local_address(int fd) noexcept;  // port 0: it is none
LoopbackAddress peer_address(const Descriptor& socket) noexcept;

// Is the other end of this connection in this process, too?
bool meets_own_process(const Descriptor& socket) noexcept;

enum class Transfer { done, would_block, closed, failed };
struct Received {
  Transfer outcome = Transfer::would_block;
  std::size_t bytes = 0;
  int error = 0;
};
Received receive(const Descriptor& socket, std::span<std::byte> into) noexcept;
Received send(const Descriptor& socket, std::span<const std::byte> from) noexcept;

// Has the other end's kernel all that ours took? What it has not is lost where this process dies with bytes unread: its end is a reset.
bool is_taken_by_peer(const Descriptor& socket) noexcept;

// Waits until the socket takes bytes again, or is broken; false: not within `wait`.
bool wait_writable(const Descriptor& socket, std::chrono::milliseconds wait) noexcept;

}  // namespace dlog::os
