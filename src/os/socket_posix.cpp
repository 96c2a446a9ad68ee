// TCP on the loopback interface: see socket.hpp.
#include "os/socket.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "base/number.hpp"

namespace dlog::os {
namespace {

Error error_from(const char* what, int number) { return Error{std::string(what) + ": " + std::strerror(number)}; }

Descriptor new_socket() noexcept {
  return Descriptor(clear_of_standard(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
}

sockaddr_in native(LoopbackAddress address) noexcept {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(address.port);
  out.sin_addr.s_addr = htonl(address.ipv4);
  return out;
}

template <class Query>
sockaddr_in ask(Query query, const Descriptor& socket) noexcept {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  query(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return address;
}

// A socket that connects to a free port of the ephemeral range can meet itself there.
bool met_itself(const Descriptor& socket) noexcept {
  const sockaddr_in here = ask(::getsockname, socket);
  const sockaddr_in there = ask(::getpeername, socket);
  return here.sin_port == there.sin_port && here.sin_addr.s_addr == there.sin_addr.s_addr;
}

std::uint64_t cookie_of([[maybe_unused]] const Descriptor& socket) noexcept {
  std::uint64_t cookie = 0;
#ifdef SO_COOKIE
  socklen_t size = sizeof cookie;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) return 0;
#endif
  return cookie;
}

// Which outcome an error number of recv or send means.
Received transfer_failed(int number) noexcept {
  if (number == EAGAIN || number == EWOULDBLOCK) return {Transfer::would_block, 0, number};
  if (number == EPIPE || number == ECONNRESET) return {Transfer::closed, 0, number};
  return {Transfer::failed, 0, number};
}

bool wait_for(int fd, short events, std::chrono::milliseconds wait) noexcept {
  pollfd entry{fd, events, 0};
  int got = 0;
  do got = ::poll(&entry, 1, static_cast<int>(wait.count()));
  while (got < 0 && errno == EINTR);
  return got > 0;
}

}  // namespace

std::optional<LoopbackAddress> parse_loopback_address(std::string_view text) noexcept {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (host.size() >= INET_ADDRSTRLEN || host.find('\0') != std::string_view::npos || port_text.size() > 5)
    return std::nullopt;
  char terminated[INET_ADDRSTRLEN] = {};
  std::memcpy(terminated, host.data(), host.size());
  in_addr parsed{};
  if (::inet_pton(AF_INET, terminated, &parsed) != 1) return std::nullopt;
  const std::uint32_t ipv4 = ntohl(parsed.s_addr);
  const auto port = parse_unsigned(port_text);
  if ((ipv4 >> 24) != 127 || !port || *port == 0 || *port > 65'535) return std::nullopt;
  return LoopbackAddress{ipv4, static_cast<std::uint16_t>(*port)};
}

Result<Listening> listen_on_loopback() {
  Descriptor socket = new_socket();
  if (!socket) return error_from("socket", errno);
  const sockaddr_in address = native({});
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return error_from("bind", errno);
  if (::listen(socket.get(), SOMAXCONN) != 0) return error_from("listen", errno);
  const std::uint16_t port = ntohs(ask(::getsockname, socket).sin_port);
  if (port == 0) return Error{"getsockname: no port"};
  const std::uint64_t cookie = cookie_of(socket);
  return Listening{std::move(socket), port, cookie};
}

Accepted accept_connection(const Descriptor& listener) noexcept {
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  const int fd = clear_of_standard(
      ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd >= 0) return {AcceptOutcome::accepted, Descriptor(fd), ntohs(peer.sin_port)};
  switch (errno) {
    case EAGAIN: return {AcceptOutcome::none_waiting};
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return {AcceptOutcome::no_descriptors};
    default:  // a connection that broke before it was taken; there may be another behind it
      return {AcceptOutcome::failed};
  }
}

Result<Descriptor> connect_to(LoopbackAddress address, std::chrono::milliseconds wait) {
  Descriptor socket = new_socket();
  if (!socket) return error_from("socket", errno);
  const sockaddr_in there = native(address);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return error_from("connect", errno);
    if (!wait_for(socket.get(), POLLOUT, wait)) return Error{"connect: no answer"};
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return error_from("connect", failure);
  }
  if (met_itself(socket)) return error_from("connect", ECONNREFUSED);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

Received receive(const Descriptor& socket, std::span<std::byte> into) noexcept {
  ssize_t got = 0;
  do got = ::recv(socket.get(), into.data(), into.size(), MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got > 0) return {Transfer::done, static_cast<std::size_t>(got), 0};
  if (got == 0) return {Transfer::closed, 0, 0};
  return transfer_failed(errno);
}

Received send(const Descriptor& socket, std::span<const std::byte> from) noexcept {
  ssize_t sent = 0;
  do sent = ::send(socket.get(), from.data(), from.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {Transfer::done, static_cast<std::size_t>(sent), 0};
  return transfer_failed(errno);
}

bool peer_has_closed(const Descriptor& socket) noexcept {
  // Unread bytes would hide the end behind them, and would turn our own close into a reset.
  std::byte dropped[512];
  for (int piece = 0; piece < 64; ++piece) {
    const Received got = receive(socket, dropped);
    if (got.outcome != Transfer::done) return got.outcome != Transfer::would_block;
  }
  return false;
}

bool wait_writable(const Descriptor& socket, std::chrono::milliseconds wait) noexcept {
  return wait_for(socket.get(), POLLOUT, wait);
}

}  // namespace dlog::os
