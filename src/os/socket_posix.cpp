// TCP on the loopback interface: see socket.hpp.
#include "os/socket.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <climits>
#include <cstring>
#include <memory>
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
sockaddr_in ask(Query query, int fd) noexcept {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  query(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return address;
}
template <class Query>
sockaddr_in ask(Query query, const Descriptor& socket) noexcept {
  return ask(query, socket.get());
}

LoopbackAddress ours(const sockaddr_in& address) noexcept {
  return {ntohl(address.sin_addr.s_addr), ntohs(address.sin_port)};
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

// Calls again what a signal interrupted, but not for ever.
template <class Call>
auto repeated(Call call) noexcept {
  constexpr int interruptions_max = 1000;
  auto got = call();
  for (int i = 0; got < 0 && errno == EINTR && i < interruptions_max; ++i) got = call();
  return got;
}

// Which outcome an error number of recv or send means.
Received transfer_failed(int number) noexcept {
  if (number == EAGAIN || number == EWOULDBLOCK) return {Transfer::would_block, 0, number};
  if (number == EPIPE || number == ECONNRESET) return {Transfer::closed, 0, number};
  return {Transfer::failed, 0, number};
}

bool wait_for(int fd, short events, std::chrono::milliseconds wait) noexcept {
  pollfd entry{fd, events, 0};
  const int got = repeated([&] { return ::poll(&entry, 1, static_cast<int>(wait.count())); });
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
  if (listener && !listener.is_ours()) return {};  // whoever waits there waits for somebody else
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  const int fd = clear_of_standard(
      ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd >= 0) return {AcceptOutcome::accepted, Descriptor(fd), ntohs(peer.sin_port), ntohl(peer.sin_addr.s_addr)};
  switch (errno) {
    case EAGAIN: return {AcceptOutcome::none_waiting};
    case EINTR:
    case EPERM:  // a firewall's word on this one
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EOPNOTSUPP:  // a connection that broke before it was taken; there may be another behind it
      return {AcceptOutcome::failed};
    default:  // none can be taken for now: no descriptor, no memory, or no such call
      return {AcceptOutcome::no_descriptors};
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

LoopbackAddress local_address(int fd) noexcept { return ours(ask(::getsockname, fd)); }
LoopbackAddress local_address(const Descriptor& socket) noexcept { return ours(ask(::getsockname, socket)); }
LoopbackAddress peer_address(const Descriptor& socket) noexcept { return ours(ask(::getpeername, socket)); }

bool meets_own_process(const Descriptor& socket) noexcept {
  const sockaddr_in here = ask(::getsockname, socket);
  const sockaddr_in there = ask(::getpeername, socket);
  const auto same = [](const sockaddr_in& a, const sockaddr_in& b) {
    return a.sin_family == AF_INET && b.sin_family == AF_INET && a.sin_port == b.sin_port &&
           a.sin_addr.s_addr == b.sin_addr.s_addr;
  };
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  if (!folder) return false;
  while (const dirent* const entry = ::readdir(folder.get())) {
    const auto number = parse_unsigned(entry->d_name);
    if (!number || *number > INT_MAX) continue;
    const auto fd = static_cast<int>(*number);
    if (same(ask(::getsockname, fd), there) && same(ask(::getpeername, fd), here)) return true;
  }
  return false;
}

Received receive(const Descriptor& socket, std::span<std::byte> into) noexcept {
  if (!socket.is_ours()) return {Transfer::failed, 0, EBADF};
  const ssize_t got = repeated([&] { return ::recv(socket.get(), into.data(), into.size(), MSG_DONTWAIT); });
  if (got > 0) return {Transfer::done, static_cast<std::size_t>(got), 0};
  if (got == 0) return {Transfer::closed, 0, 0};
  return transfer_failed(errno);
}

Received send(const Descriptor& socket, std::span<const std::byte> from) noexcept {
  if (!socket.is_ours()) return {Transfer::failed, 0, EBADF};
  const ssize_t sent =
      repeated([&] { return ::send(socket.get(), from.data(), from.size(), MSG_NOSIGNAL | MSG_DONTWAIT); });
  if (sent >= 0) return {Transfer::done, static_cast<std::size_t>(sent), 0};
  return transfer_failed(errno);
}

bool is_taken_by_peer(const Descriptor& socket) noexcept {
  int unsent = 0;
  return socket.is_ours() && ::ioctl(socket.get(), SIOCOUTQNSD, &unsent) == 0 && unsent == 0;
}

bool wait_writable(const Descriptor& socket, std::chrono::milliseconds wait) noexcept {
  return wait_for(socket.get(), POLLOUT, wait);
}

}  // namespace dlog::os
