// Stream sockets that carry descriptors: see message_socket.hpp.
#include "os/message_socket.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace dlog::os {
namespace {

constexpr int interruptions_max = 1000;

template <class Call>
ssize_t repeated(Call call) noexcept {
  ssize_t got = call();
  for (int i = 0; got < 0 && errno == EINTR && i < interruptions_max; ++i) got = call();
  return got;
}

Transfer outcome_of(int error) noexcept {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return Transfer::would_block;
  return error == EPIPE || error == ECONNRESET ? Transfer::closed : Transfer::failed;
}

bool option(int fd, int name, int& value) noexcept {
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0;
}

}  // namespace

Result<SocketPair> socket_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{std::string("socketpair: ") + std::strerror(errno)};
  SocketPair pair{Descriptor(clear_of_standard(ends[0])), Descriptor(clear_of_standard(ends[1]))};
  if (!pair.ours || !pair.theirs) return Error{std::string("socketpair: ") + std::strerror(errno)};
  return pair;
}

Result<Descriptor> adopt_socket(int fd) {
  const std::string name = "descriptor " + std::to_string(fd);
  int type = 0;
  if (!option(fd, SO_TYPE, type)) return Error{name + ": " + std::strerror(errno)};
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (type != SOCK_STREAM || ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 ||
      peer.ss_family != AF_UNIX)
    return Error{name + ": is not one end of a pair of stream sockets"};
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return Error{name + ": " + std::strerror(errno)};
  return Descriptor(fd);
}

ReceivedMessage receive_message(const Descriptor& socket, std::span<char> into, std::vector<Descriptor>& descriptors) {
  // Room for them is made before the kernel opens any: none is lost to a lack of memory.
  descriptors.reserve(descriptors.size() + descriptors_max);
  iovec piece{into.data(), into.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(descriptors_max * sizeof(int))];
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = repeated([&] { return ::recvmsg(socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC); });
  if (got < 0) return {outcome_of(errno), 0, errno, false};
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      descriptors.emplace_back(clear_of_standard(fd));
    }
  }
  const bool lost = (message.msg_flags & MSG_CTRUNC) != 0;
  if (got == 0) return {Transfer::closed, 0, 0, lost};
  return {Transfer::done, static_cast<std::size_t>(got), 0, lost};
}

Received send_message(const Descriptor& socket, std::span<const std::string_view> pieces, int descriptor) noexcept {
  iovec parts[pieces_max];
  const std::size_t count = std::min(pieces.size(), pieces_max);
  for (std::size_t i = 0; i < count; ++i)
    parts[i] = {const_cast<char*>(pieces[i].data()),
                pieces[i].size()};  // NOLINT(cppcoreguidelines-pro-type-const-cast): the call only reads
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
  }
  const ssize_t taken = repeated([&] { return ::sendmsg(socket.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL); });
  if (taken < 0) return {outcome_of(errno), 0, errno};
  return {Transfer::done, static_cast<std::size_t>(taken), 0};
}

void stop_receiving(const Descriptor& socket) noexcept {
  if (socket.is_ours()) ::shutdown(socket.get(), SHUT_RD);
}

void shut_down(const Descriptor& socket) noexcept {
  if (socket.is_ours()) ::shutdown(socket.get(), SHUT_RDWR);
}

SocketKind socket_kind(int fd) noexcept {
  SocketKind kind;
  int type = 0;
  int listens = 0;
  int family = 0;
  if (!option(fd, SO_TYPE, type) || !option(fd, SO_ACCEPTCONN, listens) || !option(fd, SO_DOMAIN, family)) return kind;
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) return kind;
  kind.ipv6 = family == AF_INET6;
  if (type == SOCK_STREAM) kind.type = listens != 0 ? SocketKind::Type::listening : SocketKind::Type::stream;
  if (type == SOCK_DGRAM && family != AF_UNIX) kind.type = SocketKind::Type::datagram;
  return kind;
}

}  // namespace dlog::os
