// Tests of socket_owner_linux.cpp: the kernel's word on connections of this process, and on others'.
#include "os/socket_owner.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "os/socket.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using os::LoopbackAddress;

struct Met {
  os::Listening listening;
  os::Descriptor client;
  os::Accepted accepted;
  LoopbackAddress here() const { return {0x7F000001, listening.port}; }
  LoopbackAddress peer() const { return {0x7F000001, accepted.peer_port}; }
};

Met meet() {
  auto listening = os::listen_on_loopback();
  REQUIRE(listening);
  auto client = os::connect_to({0x7F000001, listening->port}, std::chrono::seconds{60});
  REQUIRE(client);
  os::Accepted accepted;
  REQUIRE(until([&] {
    accepted = os::accept_connection(listening->socket);
    return accepted.outcome == os::AcceptOutcome::accepted;
  }));
  return {std::move(*listening), std::move(*client), std::move(accepted)};
}

}  // namespace

TEST_CASE("socket owner: a peer that is there belongs to its user") {
  const os::SocketOwners owners;
  REQUIRE(owners.known());
  const Met met = meet();
  const auto owner = owners.of_peer(met.here(), met.peer());
  REQUIRE(owner);
  CHECK(owner->user == os::own_user());
  CHECK(owner->cookie != met.listening.cookie);
}

TEST_CASE("socket owner: that nobody is there is known, and is another thing than not to know") {
  os::SocketOwners owners;
  Met met = meet();
  CHECK_FALSE(owners.is_nobodys_peer(met.here(), met.peer()));
  CHECK_FALSE(owners.has_no_listener(met.here()));
  met.client.reset();
  CHECK(owners.is_nobodys_peer(met.here(), met.peer()));
  met.accepted.socket.reset();
  met.listening.socket.reset();
  CHECK(owners.has_no_listener(met.here()));
  owners.abandon();
  CHECK_FALSE(owners.is_nobodys_peer(met.here(), met.peer()));
  CHECK_FALSE(owners.has_no_listener(met.here()));
}

TEST_CASE("socket owner: a peer of another user is that user's") {
  if (::geteuid() != 0) return;  // only root can be somebody else
  const os::SocketOwners owners;
  auto listening = os::listen_on_loopback();
  REQUIRE(listening);
  constexpr std::uint32_t somebody = 54'321;
  const Ends go_on = make_pipe();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::setuid(somebody) != 0) ::_exit(1);
    auto socket = os::connect_to({0x7F000001, listening->port}, std::chrono::seconds{60});
    pollfd told{go_on.ours.get(), POLLIN, 0};
    ::poll(&told, 1, -1);
    ::_exit(socket ? 0 : 2);
  }
  os::Accepted accepted;
  REQUIRE(until([&] {
    accepted = os::accept_connection(listening->socket);
    return accepted.outcome == os::AcceptOutcome::accepted;
  }));
  const auto owner = owners.of_peer({0x7F000001, listening->port}, {0x7F000001, accepted.peer_port});
  REQUIRE(::write(go_on.theirs.get(), "x", 1) == 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  REQUIRE(owner);
  CHECK(owner->user == somebody);
}

// The kernel would say that it is root's.
TEST_CASE("socket owner: a peer that has closed belongs to nobody") {
  const os::SocketOwners owners;
  Met met = meet();
  met.client.reset();
  CHECK_FALSE(owners.of_peer(met.here(), met.peer()));
}

TEST_CASE("socket owner: one that will send no more is still its user's") {
  const os::SocketOwners owners;
  const Met met = meet();
  REQUIRE(::shutdown(met.client.get(), SHUT_WR) == 0);
  CHECK(owners.of_peer(met.here(), met.peer()));
}

TEST_CASE("socket owner: a listener says who it is, by a number that is its own") {
  const os::SocketOwners owners;
  auto listening = os::listen_on_loopback();
  REQUIRE(listening);
  const LoopbackAddress address{0x7F000001, listening->port};
  const auto owner = owners.of_listener(address);
  REQUIRE(owner);
  CHECK(owner->user == os::own_user());
  CHECK(owner->cookie == listening->cookie);
  CHECK(owner->cookie != 0);
  listening->socket.reset();
  CHECK_FALSE(owners.of_listener(address));
}

// The kernel falls back to the listener on a port where it finds no connection from it.
TEST_CASE("socket owner: a listener is nobody's peer, and a peer no listener") {
  const os::SocketOwners owners;
  const Met met = meet();
  auto other = os::listen_on_loopback();
  REQUIRE(other);
  CHECK_FALSE(owners.of_peer(met.here(), {0x7F000001, other->port}));
  CHECK_FALSE(owners.of_listener(met.peer()));
}

TEST_CASE("socket owner: without the service nothing is known") {
  os::SocketOwners owners;
  owners.abandon();
  CHECK_FALSE(owners.known());
  const Met met = meet();
  CHECK_FALSE(owners.of_peer(met.here(), met.peer()));
}

TEST_CASE("socket owner: whether the peer has taken the connection and read all that came") {
  auto listening = os::listen_on_loopback();
  REQUIRE(listening);
  auto client = os::connect_to({0x7F000001, listening->port}, std::chrono::seconds{60});
  REQUIRE(client);
  CHECK_FALSE(os::is_read_by_peer(*client));  // nobody has taken it
  os::Accepted accepted;
  REQUIRE(until([&] {
    accepted = os::accept_connection(listening->socket);
    return accepted.outcome == os::AcceptOutcome::accepted;
  }));
  CHECK(os::is_read_by_peer(*client));
  send_all(*client, "four");
  CHECK_FALSE(os::is_read_by_peer(*client));
  CHECK(receive_exactly(accepted.socket, 4) == "four");
  CHECK(os::is_read_by_peer(*client));
  accepted.socket.reset();
  CHECK_FALSE(os::is_read_by_peer(*client));
}
