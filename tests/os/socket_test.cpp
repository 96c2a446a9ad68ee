// Tests of os/socket: connections over the loopback interface, and every way in which they end.
#include "os/socket.hpp"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "os/child.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;
using namespace std::chrono_literals;
using namespace std::string_view_literals;
using os::AcceptOutcome;
using os::Transfer;

constexpr std::uint32_t localhost = 0x7F000001;
constexpr auto long_enough = 60s;

sockaddr_in native_address(const os::Descriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return address;
}

int option(const os::Descriptor& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  REQUIRE(::getsockopt(socket.get(), level, name, &value, &size) == 0);
  return value;
}

void check_flags(const os::Descriptor& socket) {
  CHECK((::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(socket.get(), F_GETFL) & O_NONBLOCK) != 0);
}

os::Listening listening() {
  auto made = os::listen_on_loopback();
  REQUIRE(made);
  return std::move(*made);
}

// Waits for what the kernel does in its own time.
void wait_readable(const os::Descriptor& socket) {
  pollfd entry{socket.get(), POLLIN, 0};
  REQUIRE(::poll(&entry, 1, 60'000) == 1);
}

os::Received receive_some(const os::Descriptor& socket, std::string& into) {
  std::array<std::byte, 100'000> bytes{};
  const os::Received got = os::receive(socket, bytes);
  into.append(reinterpret_cast<const char*>(bytes.data()), got.bytes);
  return got;
}

os::Received send_text(const os::Descriptor& socket, std::string_view text) {
  return os::send(socket, std::as_bytes(std::span(text)));
}

// Sends until the kernel takes no more; how many bytes it took.
std::size_t fill(const os::Descriptor& socket) {
  const std::string text(100'000, 'x');
  std::size_t bytes = 0;
  for (;;) {
    const os::Received sent = send_text(socket, text);
    if (sent.outcome != Transfer::done) break;
    bytes += sent.bytes;
  }
  return bytes;
}

// Closes with a reset in the place of an end.
void reset_connection(os::Descriptor& socket) {
  const linger at_once{1, 0};
  REQUIRE(::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  socket.reset();
}

// ---- addresses

struct Address {
  std::string_view text;
  std::uint32_t ipv4;
  std::uint16_t port;
};

TEST_CASE("socket: addresses of this host") {
  for (const Address& expected :
       {Address{"127.0.0.1:1", localhost, 1}, Address{"127.0.0.1:45678", localhost, 45'678},
        Address{"127.0.0.1:65535", localhost, 65'535}, Address{"127.0.0.2:80", 0x7F000002, 80},
        Address{"127.1.2.3:80", 0x7F010203, 80}, Address{"127.255.255.255:80", 0x7FFFFFFF, 80}}) {
    CAPTURE(expected.text);
    const auto address = os::parse_loopback_address(expected.text);
    REQUIRE(address);
    CHECK(address->ipv4 == expected.ipv4);
    CHECK(address->port == expected.port);
  }
}

TEST_CASE("socket: an address that is a part of a text is read as that part") {
  const auto address = os::parse_loopback_address(std::string_view("x127.0.0.1:801").substr(1, 12));
  REQUIRE(address);
  CHECK(address->port == 80);
}

TEST_CASE("socket: anything else is no address") {
  for (const std::string_view text :
       {""sv, ":"sv, "80"sv, "127.0.0.1"sv, "127.0.0.1:"sv, ":80"sv, "::"sv,
        // ports
        "127.0.0.1:0"sv, "127.0.0.1:00000"sv, "127.0.0.1:65536"sv, "127.0.0.1:99999"sv, "127.0.0.1:655350"sv,
        "127.0.0.1:18446744073709551696"sv, "127.0.0.1:-1"sv, "127.0.0.1:+80"sv, "127.0.0.1:0x50"sv, "127.0.0.1:http"sv,
        "127.0.0.1:8.0"sv,
        // what stands before, between and after
        " 127.0.0.1:80"sv, "127.0.0.1 :80"sv, "127.0.0.1: 80"sv, "127.0.0.1:80 "sv, "127.0.0.1:80\n"sv,
        "127.0.0.1:80:81"sv, "127.0.0.1::80"sv, "127.0.0.1:80/x"sv, "tcp://127.0.0.1:80"sv, "127.0.0.1,80"sv,
        // other hosts, and other ways to write this one
        "0.0.0.0:80"sv, "126.255.255.255:80"sv, "128.0.0.1:80"sv, "10.0.0.1:80"sv, "255.255.255.255:80"sv,
        "localhost:80"sv, "localhost.localdomain:80"sv, "[::1]:80"sv, "::1:80"sv, "::ffff:127.0.0.1:80"sv, "127.1:80"sv,
        "127.0.1:80"sv, "2130706433:80"sv, "0x7f.0.0.1:80"sv, "0177.0.0.1:80"sv, "127.0.0.01:80"sv, "127.0.0.256:80"sv,
        "127.0.0.-1:80"sv, "127.0.0.1.1:80"sv, "127.0.0.1.:80"sv, ".127.0.0.1:80"sv, "127..0.1:80"sv, "127.0.0.:80"sv,
        "127.0.0.1%lo:80"sv, "\xD9\xA1\xD9\xA2\xD9\xA7.0.0.1:80"sv,
        // NULs, which no environment variable holds
        "127.0.0.1:80\0"sv, "127.0.0.1\0:80"sv, "127.0.0.1\0x:80"sv, "\0"sv}) {
    CAPTURE(text);
    CHECK_FALSE(os::parse_loopback_address(text));
  }
  CHECK_FALSE(os::parse_loopback_address(std::string_view()));
  CHECK_FALSE(os::parse_loopback_address(std::string(1'000'000, '1')));
  CHECK_FALSE(os::parse_loopback_address(std::string(1'000'000, ':')));
  CHECK_FALSE(os::parse_loopback_address("127.0.0.1:" + std::string(1'000'000, '0') + "80"));
}

// ---- listening, accepting, connecting

TEST_CASE("socket: listening takes a free port of 127.0.0.1 and of nothing else") {
  const os::Listening first = listening();
  const os::Listening second = listening();
  CHECK(first.port != 0);
  CHECK(first.port != second.port);
  const sockaddr_in address = native_address(first.socket);
  CHECK(ntohl(address.sin_addr.s_addr) == localhost);
  CHECK(ntohs(address.sin_port) == first.port);
  check_flags(first.socket);
}

TEST_CASE("socket: every listener has a cookie of its own") {
  const os::Listening first = listening();
  const os::Listening second = listening();
  CHECK(first.cookie != 0);
  CHECK(first.cookie != second.cookie);
}

TEST_CASE("socket: nobody waits at first") {
  const os::Listening listener = listening();
  const os::Accepted accepted = os::accept_connection(listener.socket);
  CHECK(accepted.outcome == AcceptOutcome::none_waiting);
  CHECK_FALSE(accepted.socket);
}

TEST_CASE("socket: a connection has two ends that know each other") {
  const os::Listening listener = listening();
  const auto connected = os::connect_to({localhost, listener.port}, long_enough);
  REQUIRE(connected);
  wait_readable(listener.socket);
  const os::Accepted accepted = os::accept_connection(listener.socket);
  REQUIRE(accepted.outcome == AcceptOutcome::accepted);
  CHECK(accepted.peer_port == test::local_port(*connected));
  check_flags(*connected);
  check_flags(accepted.socket);
  CHECK(option(*connected, IPPROTO_TCP, TCP_NODELAY) != 0);  // a record is not kept back for the next one
  CHECK(os::accept_connection(listener.socket).outcome == AcceptOutcome::none_waiting);
}

TEST_CASE("socket: connections are accepted in the order in which they came") {
  const os::Listening listener = listening();
  std::vector<os::Descriptor> connected;
  for (int i = 0; i < 20; ++i) {
    auto one = os::connect_to({localhost, listener.port}, long_enough);
    REQUIRE(one);
    connected.push_back(std::move(*one));
  }
  for (const os::Descriptor& one : connected) {
    wait_readable(listener.socket);
    CHECK(os::accept_connection(listener.socket).peer_port == test::local_port(one));
  }
}

TEST_CASE("socket: what is no listener accepts nothing") {
  const test::Ends ends = test::make_connection();
  CHECK(os::accept_connection(ends.ours).outcome == AcceptOutcome::no_descriptors);
  CHECK(os::accept_connection(os::Descriptor()).outcome == AcceptOutcome::no_descriptors);
}

TEST_CASE("socket: without a free descriptor nobody is accepted, and nobody is lost") {
  CHECK(test::said_in_child([] {
          auto listener = os::listen_on_loopback();
          const auto connected = os::connect_to({localhost, listener->port}, long_enough);
          const int next = ::dup(1);
          ::close(next);
          rlimit before{};
          ::getrlimit(RLIMIT_NOFILE, &before);
          rlimit limit{static_cast<rlim_t>(next), before.rlim_max};
          ::setrlimit(RLIMIT_NOFILE, &limit);
          const auto outcome = os::accept_connection(listener->socket).outcome;
          const auto no_listener = os::listen_on_loopback();
          const auto no_connection = os::connect_to({localhost, listener->port}, long_enough);
          ::setrlimit(RLIMIT_NOFILE, &before);
          const auto after = os::accept_connection(listener->socket).outcome;
          return fmt::format("{} {} [{}] [{}] {}", static_cast<bool>(connected),
                             outcome == AcceptOutcome::no_descriptors, no_listener.reason(), no_connection.reason(),
                             after == AcceptOutcome::accepted);
        }) == "true true [socket: Too many open files] [socket: Too many open files] true");
}

TEST_CASE("socket: where nobody listens a connection is refused at once") {
  std::uint16_t port = 0;
  {
    const os::Listening gone = listening();
    port = gone.port;
  }
  const auto refused = os::connect_to({localhost, port}, long_enough);
  REQUIRE_FALSE(refused);
  CHECK(refused.reason() == "connect: Connection refused");
}

TEST_CASE("socket: another address of the loopback interface is another host") {
  const os::Listening listener = listening();
  const auto refused = os::connect_to({0x7F000002, listener.port}, long_enough);
  REQUIRE_FALSE(refused);
  CHECK(refused.reason() == "connect: Connection refused");
}

TEST_CASE("socket: a connection is never its own other end") {
  // A socket that connects to a free port of the range from which its own port comes meets itself there sooner or later. The
  // kernel goes through every other port of that range: one of these two is met.
  const os::Listening taken = listening();
  int free_ports = 0;
  int connected = 0;
  for (int distance = 1; free_ports < 2 && distance < 1000; ++distance) {
    const auto port = static_cast<std::uint16_t>(taken.port > 50'000 ? taken.port - distance : taken.port + distance);
    if (os::connect_to({localhost, port}, long_enough)) continue;  // somebody's
    ++free_ports;
    for (int i = 0; i < 16'000; ++i) {
      const auto met = os::connect_to({localhost, port}, long_enough);
      if (met && test::local_port(*met) != port) break;  // somebody's by now
      if (met) ++connected;
    }
  }
  CHECK(free_ports == 2);
  CHECK(connected == 0);
}

TEST_CASE("socket: a listener that takes nobody any more is not waited for without end") {
  const os::Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(localhost);
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 0) == 0);
  std::vector<os::Descriptor> connected;
  std::string reason;
  while (reason.empty() && connected.size() < 20) {
    auto one = os::connect_to({localhost, test::local_port(listener)}, 10ms);
    if (one) connected.push_back(std::move(*one));
    else reason = one.reason();
  }
  CHECK(reason == "connect: no answer");
  CHECK_FALSE(connected.empty());
}

// ---- receiving and sending

TEST_CASE("socket: bytes go both ways, in their order") {
  const test::Ends ends = test::make_connection();
  std::string text;
  for (int i = 0; i < 256; ++i) text += static_cast<char>(i);
  CHECK(send_text(ends.ours, text).bytes == text.size());
  CHECK(send_text(ends.theirs, "back").bytes == 4);
  CHECK(test::receive_exactly(ends.theirs, text.size()) == text);
  CHECK(test::receive_exactly(ends.ours, 4) == "back");
}

TEST_CASE("socket: where nothing came, nothing is waited for") {
  const test::Ends ends = test::make_connection();
  std::string text;
  CHECK(receive_some(ends.ours, text).outcome == Transfer::would_block);
}

TEST_CASE("socket: not more is received than there is room") {
  const test::Ends ends = test::make_connection();
  send_text(ends.theirs, "abcdef");
  wait_readable(ends.ours);
  std::array<std::byte, 4> room{};
  const os::Received got = os::receive(ends.ours, room);
  CHECK(got.outcome == Transfer::done);
  CHECK(got.bytes == 4);
  CHECK(test::receive_exactly(ends.ours, 2) == "ef");
}

TEST_CASE("socket: a slow receiver makes a sender wait, and nothing is lost") {
  const test::Ends ends = test::make_connection();
  const std::size_t bytes = fill(ends.theirs);
  CHECK(bytes > 0);
  CHECK(send_text(ends.theirs, "x").outcome == Transfer::would_block);
  CHECK_FALSE(os::wait_writable(ends.theirs, 0ms));
  CHECK_FALSE(os::wait_writable(ends.theirs, 5ms));
  CHECK(test::receive_exactly(ends.ours, bytes) == std::string(bytes, 'x'));
  CHECK(os::wait_writable(ends.theirs, long_enough));
  CHECK(send_text(ends.theirs, "y").outcome == Transfer::done);
  CHECK(test::receive_exactly(ends.ours, 1) == "y");
}

TEST_CASE("socket: what the other end's kernel has no room for is still on this side") {
  const test::Ends ends = test::make_connection();
  CHECK(os::is_taken_by_peer(ends.theirs));
  CHECK(send_text(ends.theirs, "a little").outcome == Transfer::done);
  CHECK(os::is_taken_by_peer(ends.theirs));
  const std::size_t bytes = fill(ends.theirs);
  CHECK_FALSE(os::is_taken_by_peer(ends.theirs));
  test::receive_exactly(ends.ours, std::string_view("a little").size() + bytes);
  CHECK(test::until([&] { return os::is_taken_by_peer(ends.theirs); }));
  CHECK_FALSE(os::is_taken_by_peer(os::Descriptor()));
}

TEST_CASE("socket: a waiting sender is woken when the other end breaks") {
  test::Ends ends = test::make_connection();
  fill(ends.theirs);
  reset_connection(ends.ours);
  CHECK(os::wait_writable(ends.theirs, long_enough));
  CHECK(send_text(ends.theirs, "x").outcome == Transfer::closed);
}

TEST_CASE("socket: an end says itself behind the last byte, and the other way stays open") {
  const test::Ends ends = test::make_connection();
  send_text(ends.theirs, "last");
  ::shutdown(ends.theirs.get(), SHUT_WR);
  CHECK(test::receive_exactly(ends.ours, 4) == "last");
  wait_readable(ends.ours);
  std::string more;
  for (int again = 0; again < 2; ++again) {
    const os::Received got = receive_some(ends.ours, more);
    CHECK(got.outcome == Transfer::closed);
    CHECK(got.error == 0);
  }
  CHECK(send_text(ends.ours, "answer").outcome == Transfer::done);
  CHECK(test::receive_exactly(ends.theirs, 6) == "answer");
  CHECK(send_text(ends.theirs, "x").outcome == Transfer::closed);  // its own end is said
}

TEST_CASE("socket: sending to a peer that has gone ends with closed, and without SIGPIPE") {
  // SIGPIPE would end this program.
  test::Ends ends = test::make_connection();
  ends.ours.reset();
  os::Received sent{};
  REQUIRE(test::until([&] {
    sent = send_text(ends.theirs, "x");
    return sent.outcome != Transfer::done;
  }));
  CHECK(sent.outcome == Transfer::closed);
  CHECK(sent.error != 0);
  CHECK(send_text(ends.theirs, "x").outcome == Transfer::closed);
}

TEST_CASE("socket: a reset is an end with its reason") {
  test::Ends ends = test::make_connection();
  reset_connection(ends.theirs);
  wait_readable(ends.ours);
  std::string text;
  const os::Received got = receive_some(ends.ours, text);
  CHECK(got.outcome == Transfer::closed);
  CHECK(got.error == ECONNRESET);
}

TEST_CASE("socket: what is no connection transfers nothing") {
  const os::Listening listener = listening();
  std::string text;
  CHECK(receive_some(listener.socket, text).outcome == Transfer::failed);
  CHECK(receive_some(os::Descriptor(), text).outcome == Transfer::failed);
  CHECK(receive_some(os::Descriptor(), text).error == EBADF);
  CHECK(send_text(os::Descriptor(), "x").outcome == Transfer::failed);
}

// ---- whose is the other end?

TEST_CASE("socket: a connection within the process is known from one with another") {
  test::Ends ends = test::make_connection();
  CHECK(os::meets_own_process(ends.ours));
  CHECK(os::meets_own_process(ends.theirs));
  CHECK_FALSE(os::meets_own_process(os::Descriptor()));
  const pid_t child = ::fork();
  if (child == 0) {
    ends.ours.reset();
    ::pause();
    ::_exit(0);
  }
  ends.theirs.reset();  // the child has it still
  CHECK_FALSE(os::meets_own_process(ends.ours));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// ---- closed beneath us

TEST_CASE("socket: one that the program closed beneath us takes nothing, and nothing is taken from it") {
  test::Ends ours = test::make_connection();
  test::Ends theirs = test::make_connection();
  REQUIRE(::dup2(theirs.ours.get(), ours.ours.get()) == ours.ours.get());
  send_text(theirs.theirs, "for the program");
  wait_readable(theirs.ours);
  std::string text;
  const os::Received got = receive_some(ours.ours, text);
  CHECK(got.outcome == Transfer::failed);
  CHECK(got.error == EBADF);
  CHECK(os::send(ours.ours, std::as_bytes(std::span("secret"))).error == EBADF);
  CHECK(test::read_now(theirs.theirs).empty());
  CHECK(test::receive_exactly(theirs.ours, 15) == "for the program");
  ::close(ours.ours.get());
}

}  // namespace
