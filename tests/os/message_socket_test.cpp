// Tests of os/message_socket: bytes travel with descriptors, each arrives as another number of the same file, and nothing waits.
#include "os/message_socket.hpp"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/child.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;
using os::Descriptor;
using os::SocketKind;
using os::Transfer;

os::SocketPair made() {
  auto pair = os::socket_pair();
  REQUIRE(pair);
  return std::move(*pair);
}

bool closes_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

os::Received send_text(const Descriptor& socket, std::string_view text, int descriptor = -1) {
  return os::send_message(socket, {&text, 1}, descriptor);
}

struct Got {
  os::ReceivedMessage message{};
  std::string text{};
  std::vector<Descriptor> descriptors{};
};
Got receive(const Descriptor& socket, std::size_t room = 4096) {
  Got got;
  got.text.resize(room);
  got.message = os::receive_message(socket, got.text, got.descriptors);
  got.text.resize(got.message.bytes);
  return got;
}

// Many at once, as only others send them.
void send_descriptors(const Descriptor& socket, const std::vector<int>& numbers) {
  char byte = 'x';
  iovec piece{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(64 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(numbers.size() * sizeof(int));
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(numbers.size() * sizeof(int));
  std::memcpy(CMSG_DATA(part), numbers.data(), numbers.size() * sizeof(int));
  REQUIRE(::sendmsg(socket.get(), &message, 0) == 1);
}

TEST_CASE("message socket: a pair carries bytes both ways") {
  const os::SocketPair pair = made();
  CHECK(send_text(pair.ours, "there").bytes == 5);
  CHECK(receive(pair.theirs).text == "there");
  CHECK(send_text(pair.theirs, "back").bytes == 4);
  CHECK(receive(pair.ours).text == "back");
  CHECK(closes_on_exec(pair.ours.get()));
  CHECK(closes_on_exec(pair.theirs.get()));
}

TEST_CASE("message socket: several pieces leave as one, and more than fit leave for the next call") {
  const os::SocketPair pair = made();
  const std::array<std::string_view, 4> pieces{"one ", "", "two ", "three"};
  CHECK(os::send_message(pair.ours, pieces, -1).bytes == 13);
  CHECK(receive(pair.theirs).text == "one two three");
  const std::vector<std::string_view> many(20, "x");
  CHECK(os::send_message(pair.ours, many, -1).bytes == os::pieces_max);
  CHECK(receive(pair.theirs).text == std::string(os::pieces_max, 'x'));
}

TEST_CASE("message socket: nothing waits, neither for bytes nor for room") {
  const os::SocketPair pair = made();
  const Got nothing = receive(pair.ours);
  CHECK(nothing.message.outcome == Transfer::would_block);
  CHECK(nothing.message.bytes == 0);
  const std::string much(1 << 20, 'x');
  std::size_t sent = 0;
  os::Received last;
  while ((last = send_text(pair.ours, much)).outcome == Transfer::done) sent += last.bytes;
  CHECK(last.outcome == Transfer::would_block);
  CHECK(last.bytes == 0);
  CHECK(sent > 0);
  std::size_t received = 0;
  for (;;) {
    const Got got = receive(pair.theirs, 1 << 16);
    if (got.message.outcome != Transfer::done) break;
    received += got.message.bytes;
  }
  CHECK(received == sent);
  CHECK(send_text(pair.ours, "again").outcome == Transfer::done);
}

TEST_CASE("message socket: an end is told after the bytes before it") {
  os::SocketPair pair = made();
  send_text(pair.ours, "last");
  pair.ours.reset();
  CHECK(receive(pair.theirs).text == "last");
  CHECK(receive(pair.theirs).message.outcome == Transfer::closed);
}

TEST_CASE("message socket: sending to one that is gone is told, without a signal") {
  CHECK(test::said_in_child([] {
          ::signal(SIGPIPE, SIG_DFL);
          auto pair = os::socket_pair();
          pair->theirs.reset();
          const os::Received sent = send_text(pair->ours, "x");
          return fmt::format("{} {}", sent.outcome == Transfer::closed, sent.error == EPIPE);
        }) == "true true");
}

TEST_CASE("message socket: after shutting down both sides see the end, and what was there still comes") {
  const os::SocketPair pair = made();
  send_text(pair.theirs, "before");
  os::shut_down(pair.ours);
  CHECK(receive(pair.ours).text == "before");
  CHECK(receive(pair.ours).message.outcome == Transfer::closed);
  CHECK(receive(pair.theirs).message.outcome == Transfer::closed);
  CHECK(send_text(pair.ours, "x").outcome == Transfer::closed);
  CHECK(send_text(pair.theirs, "x").outcome == Transfer::closed);
}

// Whether it is still ours is the caller's to look at; but no file is written to in the place of the socket.
TEST_CASE("message socket: where a file stands behind the number nothing is taken or given") {
  const os::SocketPair pair = made();
  const test::Ends pipe = test::make_pipe();
  REQUIRE(::dup2(pipe.theirs.get(), pair.ours.get()) >= 0);
  CHECK(receive(pair.ours).message.outcome == Transfer::failed);
  CHECK(receive(pair.ours).message.error == ENOTSOCK);
  CHECK(send_text(pair.ours, "x").outcome == Transfer::failed);
  CHECK(test::read_now(pipe.ours).empty());
  ::close(pair.ours.get());
}

TEST_CASE("message socket: another socket behind the number is not shut down") {
  const os::SocketPair pair = made();
  const os::SocketPair other = made();
  REQUIRE(::dup2(other.ours.get(), pair.ours.get()) >= 0);
  os::shut_down(pair.ours);
  CHECK(send_text(other.ours, "x").outcome == Transfer::done);
  CHECK(receive(other.theirs).text == "x");
  ::close(pair.ours.get());
}

TEST_CASE("message socket: a descriptor arrives with the first byte, as another number of the same file") {
  const os::SocketPair pair = made();
  const test::Ends pipe = test::make_pipe();
  CHECK(send_text(pair.ours, "before").bytes == 6);
  CHECK(send_text(pair.ours, "with", pipe.theirs.get()).bytes == 4);
  CHECK(send_text(pair.ours, "behind").bytes == 6);
  Got got = receive(pair.theirs);
  CHECK(got.text == "beforewith");  // what follows a descriptor comes for itself
  REQUIRE(got.descriptors.size() == 1);
  CHECK(got.descriptors[0].get() != pipe.theirs.get());
  CHECK(got.descriptors[0].get() > 2);
  CHECK(closes_on_exec(got.descriptors[0].get()));
  CHECK_FALSE(got.message.descriptors_lost);
  REQUIRE(::write(got.descriptors[0].get(), "through", 7) == 7);
  CHECK(test::read_now(pipe.ours) == "through");
  Got rest = receive(pair.theirs);
  CHECK(rest.text == "behind");
  CHECK(rest.descriptors.empty());
}

TEST_CASE("message socket: bytes of a message with a descriptor that do not fit come without it") {
  const os::SocketPair pair = made();
  const test::Ends pipe = test::make_pipe();
  send_text(pair.ours, "12345", pipe.theirs.get());
  const Got first = receive(pair.theirs, 2);
  CHECK(first.text == "12");
  CHECK(first.descriptors.size() == 1);
  const Got second = receive(pair.theirs);
  CHECK(second.text == "345");
  CHECK(second.descriptors.empty());
}

TEST_CASE("message socket: descriptors are added to those that are there") {
  const os::SocketPair pair = made();
  const test::Ends pipe = test::make_pipe();
  std::vector<Descriptor> descriptors;
  std::array<char, 16> bytes{};
  for (int i = 0; i < 3; ++i) {
    send_text(pair.ours, "x", pipe.theirs.get());
    CHECK(os::receive_message(pair.theirs, bytes, descriptors).outcome == Transfer::done);
  }
  CHECK(descriptors.size() == 3);
}

TEST_CASE("message socket: as many descriptors as there is room for, and of more it is told") {
  const os::SocketPair pair = made();
  const test::Ends pipe = test::make_pipe();
  send_descriptors(pair.ours, std::vector<int>(os::descriptors_max, pipe.theirs.get()));
  const Got all = receive(pair.theirs);
  CHECK(all.descriptors.size() == os::descriptors_max);
  CHECK_FALSE(all.message.descriptors_lost);
  send_descriptors(pair.ours, std::vector<int>(os::descriptors_max + 5, pipe.theirs.get()));
  const Got some = receive(pair.theirs);
  CHECK(some.text == "x");
  CHECK(some.message.descriptors_lost);
  CHECK(some.descriptors.size() >= os::descriptors_max);  // the alignment may leave room for one more
  CHECK(some.descriptors.size() <= os::descriptors_max + 1);
}

TEST_CASE("message socket: where this process may open no more it is told, and the bytes come") {
  CHECK(test::said_in_child([] {
          auto pair = os::socket_pair();
          send_text(pair->ours, "text", pair->ours.get());
          const int next = ::fcntl(0, F_DUPFD, 3);
          ::close(next);
          const rlimit limit{static_cast<rlim_t>(next), 1000};
          ::setrlimit(RLIMIT_NOFILE, &limit);
          const Got got = receive(pair->theirs);
          return fmt::format("{} {} {}", got.text, got.message.descriptors_lost, got.descriptors.size());
        }) == "text true 0");
}

TEST_CASE("message socket: neither a pair nor what arrives takes a standard place") {
  CHECK(test::said_in_child([] {
          const int kept = ::fcntl(1, F_DUPFD, 100);
          for (const int fd : {0, 1, 2}) ::close(fd);
          auto pair = os::socket_pair();
          send_text(pair->ours, "x", kept);
          const Got got = receive(pair->theirs);
          const bool clear = pair->ours.get() > 2 && pair->theirs.get() > 2 && got.descriptors.at(0).get() > 2 &&
                             !os::is_open(0) && !os::is_open(1) && !os::is_open(2);
          ::dup2(kept, 1);
          return fmt::format("{}", clear);
        }) == "true");
}

TEST_CASE("message socket: one end of a pair is taken over, also where the other one is gone") {
  int ends[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  auto adopted = os::adopt_socket(ends[0]);
  REQUIRE(adopted);
  CHECK(adopted->get() == ends[0]);
  CHECK(closes_on_exec(ends[0]));
  ::close(ends[1]);
  auto other = os::adopt_socket(adopted->release());
  REQUIRE(other);
  CHECK(receive(*other).message.outcome == Transfer::closed);
}

TEST_CASE("message socket: anything else is not taken over, and stays as it was") {
  const auto refused = [](int fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    const auto adopted = os::adopt_socket(fd);
    return !adopted && adopted.reason().find(std::to_string(fd)) != std::string::npos && os::is_open(fd) &&
           ::fcntl(fd, F_GETFD) == flags;
  };
  const test::Ends pipe = test::make_pipe();
  const test::Ends tcp = test::make_connection();
  const Descriptor udp(::socket(AF_INET, SOCK_DGRAM, 0));
  const Descriptor alone(::socket(AF_UNIX, SOCK_STREAM, 0));
  int datagrams[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) == 0);
  const Descriptor first(datagrams[0]);
  const Descriptor second(datagrams[1]);
  CHECK(refused(pipe.ours.get()));
  CHECK(refused(tcp.ours.get()));
  CHECK(refused(udp.get()));
  CHECK(refused(alone.get()));
  CHECK(refused(first.get()));
  CHECK_FALSE(os::adopt_socket(-1));
  CHECK_FALSE(os::adopt_socket(1'000'000));
}

TEST_CASE("message socket: kinds of sockets") {
  struct Case {
    int family;
    int type;
    SocketKind::Type kind;
    bool ipv6;
  };
  for (const Case& one : {Case{AF_INET, SOCK_STREAM, SocketKind::Type::stream, false},
                          Case{AF_INET6, SOCK_STREAM, SocketKind::Type::stream, true},
                          Case{AF_UNIX, SOCK_STREAM, SocketKind::Type::stream, false},
                          Case{AF_INET, SOCK_DGRAM, SocketKind::Type::datagram, false},
                          Case{AF_INET6, SOCK_DGRAM, SocketKind::Type::datagram, true},
                          Case{AF_UNIX, SOCK_DGRAM, SocketKind::Type::none, false},
                          Case{AF_UNIX, SOCK_SEQPACKET, SocketKind::Type::none, false},
                          Case{AF_NETLINK, SOCK_DGRAM, SocketKind::Type::none, false}}) {
    CAPTURE(one.family, one.type);
    const Descriptor socket(::socket(one.family, one.type | SOCK_CLOEXEC, 0));
    REQUIRE(socket);
    const SocketKind kind = os::socket_kind(socket.get());
    CHECK(kind.type == one.kind);
    CHECK(kind.ipv6 == one.ipv6);
  }
  auto listening = os::listen_on_loopback();
  REQUIRE(listening);
  CHECK(os::socket_kind(listening->socket.get()).type == SocketKind::Type::listening);
  const test::Ends pipe = test::make_pipe();
  CHECK(os::socket_kind(pipe.ours.get()).type == SocketKind::Type::none);
  CHECK(os::socket_kind(-1).type == SocketKind::Type::none);
}

}  // namespace
