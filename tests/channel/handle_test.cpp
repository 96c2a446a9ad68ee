// Tests of channel/handle: one owner of a descriptor, and whoever counts it is told once the last copy is closed.
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "channel/link.hpp"
#include "channel/sockets.hpp"
#include "dlog/channel.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using dlog::os::is_open;

Handle made(HandleKind kind = HandleKind::socket) { return Handle(kind, dlog::test::no_socket().release()); }

// Says whether the descriptor was closed by the time that the token went.
struct Token {
  std::shared_ptr<void> make(int fd) {
    return std::shared_ptr<void>(nullptr, [this, fd](void*) {
      ++gone;
      was_open = is_open(fd);
    });
  }
  int gone = 0;
  bool was_open = false;
};

TEST_CASE("handle: an empty one is nothing") {
  Handle handle;
  CHECK_FALSE(handle);
  CHECK(handle.fd() == -1);
  CHECK(handle.kind() == HandleKind::none);
  handle.close();
  CHECK(handle.release() == -1);
  CHECK_FALSE(handle.duplicate());
}

TEST_CASE("handle: without a descriptor it has no kind") {
  const Handle handle(HandleKind::socket, -1);
  CHECK_FALSE(handle);
  CHECK(handle.kind() == HandleKind::none);
}

TEST_CASE("handle: it closes its descriptor when it goes") {
  int fd = -1;
  {
    const Handle handle = made(HandleKind::datagram);
    CHECK(handle);
    CHECK(handle.kind() == HandleKind::datagram);
    fd = handle.fd();
    CHECK(is_open(fd));
  }
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("handle: closed early it is empty, and nothing is closed twice") {
  Handle handle = made();
  const int fd = handle.fd();
  handle.close();
  CHECK_FALSE(is_open(fd));
  CHECK_FALSE(handle);
  CHECK(handle.kind() == HandleKind::none);
  const dlog::os::Descriptor other = dlog::test::no_socket();
  REQUIRE(other.get() == fd);  // the number is free again
  handle.close();
  CHECK(is_open(fd));
}

TEST_CASE("handle: given away it stays open") {
  int fd = -1;
  {
    Handle handle = made();
    fd = handle.release();
    CHECK(fd >= 0);
    CHECK_FALSE(handle);
    CHECK(handle.kind() == HandleKind::none);
  }
  CHECK(is_open(fd));
  dlog::os::close_descriptor(fd);
}

TEST_CASE("handle: moving hands it over") {
  Handle first = made(HandleKind::server);
  const int fd = first.fd();
  Handle second = std::move(first);
  CHECK_FALSE(first);  // NOLINT(bugprone-use-after-move): this is what is tested
  CHECK(first.kind() == HandleKind::none);
  CHECK(second.fd() == fd);
  CHECK(second.kind() == HandleKind::server);
  Handle third = made();
  const int replaced = third.fd();
  third = std::move(second);
  CHECK(third.fd() == fd);
  CHECK(third.kind() == HandleKind::server);
  CHECK_FALSE(is_open(replaced));
  Handle& same = third;
  third = std::move(same);
  CHECK(third.fd() == fd);
  CHECK(is_open(fd));
}

TEST_CASE("handle: a duplicate is another descriptor of the same kind, closed for itself and by exec") {
  Handle handle = made(HandleKind::datagram);
  Handle copy = handle.duplicate();
  REQUIRE(copy);
  CHECK(copy.kind() == HandleKind::datagram);
  CHECK(copy.fd() != handle.fd());
  CHECK(dlog::os::file_behind(copy.fd()) == dlog::os::file_behind(handle.fd()));
  CHECK(dlog::test::closes_on_exec(copy.fd()));
  const int fd = copy.fd();
  handle.close();
  CHECK(is_open(fd));
}

TEST_CASE("handle: whoever holds it is told when it is closed, given away or destroyed, after that") {
  for (int way = 0; way < 3; ++way) {
    CAPTURE(way);
    Token token;
    int given = -1;
    {
      Handle handle = made();
      HandleAccess::hold(handle, token.make(handle.fd()));
      CHECK(token.gone == 0);
      if (way == 0) handle.close();
      if (way == 1) given = handle.release();
      if (way < 2) CHECK(token.gone == 1);
    }
    CHECK(token.gone == 1);
    CHECK(token.was_open == (way == 1));
    if (given >= 0) dlog::os::close_descriptor(given);
  }
}

TEST_CASE("handle: the last copy counts, whichever it is") {
  for (const bool first_goes_last : {true, false}) {
    Token token;
    Handle handle = made();
    HandleAccess::hold(handle, token.make(handle.fd()));
    Handle copy = handle.duplicate();
    Handle third = copy.duplicate();
    third.close();
    CHECK(token.gone == 0);
    Handle& early = first_goes_last ? copy : handle;
    Handle& late = first_goes_last ? handle : copy;
    early.close();
    CHECK(token.gone == 0);
    late.close();
    CHECK(token.gone == 1);
  }
}

TEST_CASE("handle: moving does not let go, what is moved onto does") {
  Token first;
  Token second;
  Handle a = made();
  HandleAccess::hold(a, first.make(a.fd()));
  Handle b = made();
  HandleAccess::hold(b, second.make(b.fd()));
  b = std::move(a);
  CHECK(first.gone == 0);
  CHECK(second.gone == 1);
  Handle c(std::move(b));
  CHECK(first.gone == 0);
  c.close();
  CHECK(first.gone == 1);
}

}  // namespace
