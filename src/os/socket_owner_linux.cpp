// Who holds a socket, by NETLINK_SOCK_DIAG: see socket_owner.hpp. One question takes some microseconds; /proc/net/tcp would take
// hundreds of times as long.
#include "os/socket_owner.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace dlog::os {
namespace {

constexpr std::uint8_t tcp_listen = 10;  // as in the kernel's enum of TCP states

struct Question {
  nlmsghdr header{};
  inet_diag_req_v2 request{};
};

struct Reply {
  nlmsghdr header;
  inet_diag_msg message;
};
struct Refusal {
  nlmsghdr header;
  nlmsgerr error;
};

}  // namespace

SocketOwners::SocketOwners() noexcept
    : socket_(clear_of_standard(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG))) {}

std::optional<SocketOwner> SocketOwners::of_peer(LoopbackAddress here, LoopbackAddress peer) const noexcept {
  return ask(peer, here, false).owner;
}

std::optional<SocketOwner> SocketOwners::of_listener(LoopbackAddress address) const noexcept {
  return ask(address, {0, 0}, true).owner;
}

bool SocketOwners::is_nobodys_peer(LoopbackAddress here, LoopbackAddress peer) const noexcept {
  const Answer answer = ask(peer, here, false);
  return answer.given && !answer.owner;
}

bool SocketOwners::has_no_listener(LoopbackAddress address) const noexcept {
  const Answer answer = ask(address, {0, 0}, true);
  return answer.given && !answer.owner;
}

SocketOwners::Answer SocketOwners::ask(LoopbackAddress source, LoopbackAddress destination,
                                       bool listening) const noexcept {
  if (!socket_.is_ours()) return {};
  Question question;
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  inet_diag_req_v2& request = question.request;
  request.sdiag_family = AF_INET;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = ~0U;
  request.id.idiag_sport = htons(source.port);
  request.id.idiag_dport = htons(destination.port);
  request.id.idiag_src[0] = htonl(source.ipv4);
  request.id.idiag_dst[0] = htonl(destination.ipv4);
  request.id.idiag_cookie[0] = request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;

  // An answer that nobody took, of a question that a signal cut off, must not be taken for that of the next one.
  alignas(nlmsghdr) std::byte room[1024];
  while (::recv(socket_.get(), room, sizeof room, MSG_DONTWAIT) > 0) {
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket_.get(), &question, sizeof question, MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&kernel),
               sizeof kernel) != static_cast<ssize_t>(sizeof question))
    return {};
  // The kernel answers within the call.
  const ssize_t got = ::recv(socket_.get(), room, sizeof room, MSG_DONTWAIT);
  if (got >= static_cast<ssize_t>(sizeof(Refusal))) {
    Refusal refusal;
    std::memcpy(&refusal, room, sizeof refusal);
    if (refusal.header.nlmsg_type == NLMSG_ERROR) return {refusal.error.error == -ENOENT, {}};
  }
  if (got < static_cast<ssize_t>(sizeof(Reply))) return {};
  Reply reply;
  std::memcpy(&reply, room, sizeof reply);
  if (reply.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return {};
  // Where the socket is gone the kernel looks for a listener of its port instead.
  const inet_diag_msg& found = reply.message;
  const bool is_another = (found.idiag_state == tcp_listen) != listening ||
                          found.id.idiag_sport != request.id.idiag_sport ||
                          found.id.idiag_dport != request.id.idiag_dport;
  if (is_another || found.idiag_inode == 0) return {true, {}};
  return {true, SocketOwner{found.idiag_uid,
                            std::uint64_t{found.id.idiag_cookie[0]} | std::uint64_t{found.id.idiag_cookie[1]} << 32,
                            found.idiag_rqueue}};
}

bool is_read_by_peer(const Descriptor& socket) noexcept {
  const SocketOwners owners;
  const auto peer = owners.of_peer(local_address(socket), peer_address(socket));
  return peer && peer->unread == 0;
}

std::uint32_t own_user() noexcept { return ::geteuid(); }

}  // namespace dlog::os
