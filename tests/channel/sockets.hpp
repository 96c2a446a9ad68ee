// Sockets of every kind, as programs send them away, and what descriptors a process has.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <stdexcept>

#include "os/descriptor.hpp"

namespace dlog::test {

inline os::Descriptor must_open(int fd) {
  if (fd < 0) throw std::runtime_error("no socket");
  return os::Descriptor(fd);
}

struct StreamPair {
  os::Descriptor first{};
  os::Descriptor second{};
};
inline StreamPair stream_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
  return {os::Descriptor(ends[0]), os::Descriptor(ends[1])};
}

// On a port of the loopback interface that the system chose.
inline os::Descriptor bound_socket(int type, bool ipv6 = false) {
  os::Descriptor socket = must_open(::socket(ipv6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 address6{};
  address6.sin6_family = AF_INET6;
  address6.sin6_addr = in6addr_loopback;
  const int failed = ipv6 ? ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address6), sizeof address6)
                          : ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  if (failed != 0) throw std::runtime_error("bind");
  return socket;
}
inline os::Descriptor listening_socket() {
  os::Descriptor socket = bound_socket(SOCK_STREAM);
  if (::listen(socket.get(), 8) != 0) throw std::runtime_error("listen");
  return socket;
}
inline os::Descriptor datagram_socket(bool ipv6 = false) { return bound_socket(SOCK_DGRAM, ipv6); }
inline os::Descriptor no_socket() { return must_open(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

inline bool closes_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

// That this process has open, beside the one it looks with.
inline std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {})) - 1;
}

}  // namespace dlog::test
