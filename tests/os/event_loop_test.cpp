// Tests of os/event_loop: what makes it ready, that it is told once, and that another loop can watch it.
#include "os/event_loop.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "os/child.hpp"
#include "os/clock.hpp"
#include "os/message_socket.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;
using os::Descriptor;
using os::EventLoop;

EventLoop made() {
  auto loop = EventLoop::create();
  REQUIRE(loop);
  return std::move(*loop);
}

// What one wait() says, in letters.
std::string words(const EventLoop::Ready& ready) {
  std::string out;
  if (ready.readable) out += 'r';
  if (ready.writable) out += 'w';
  if (ready.process_ended) out += 'p';
  if (ready.timer) out += 't';
  if (ready.broken) out += 'b';
  return out;
}
std::string now(EventLoop& loop) { return words(loop.wait(false)); }

// As a loop of somebody else's sees it.
bool is_readable(const EventLoop& loop) {
  pollfd entry{loop.fd(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

void send_text(const Descriptor& socket, std::string_view text) {
  REQUIRE(os::send_message(socket, {&text, 1}, -1).outcome == os::Transfer::done);
}

TEST_CASE("event loop: with nothing to see it is not ready, and does not sleep unless it should") {
  EventLoop loop = made();
  CHECK(now(loop).empty());
  CHECK_FALSE(is_readable(loop));
}

TEST_CASE("event loop: a ring makes it ready once, however often it was rung") {
  EventLoop loop = made();
  loop.ring();
  loop.ring();
  CHECK(is_readable(loop));
  CHECK(words(loop.wait(true)).empty());
  CHECK_FALSE(is_readable(loop));
  loop.ring();
  CHECK(is_readable(loop));
}

TEST_CASE("event loop: a ring from another thread ends the sleep") {
  EventLoop loop = made();
  std::thread other([&] { loop.ring(); });
  CHECK(words(loop.wait(true)).empty());
  other.join();
}

TEST_CASE("event loop: a socket with something to read, until that is read") {
  EventLoop loop = made();
  auto pair = os::socket_pair();
  REQUIRE(loop.watch_socket(pair->ours));
  CHECK(now(loop).empty());
  send_text(pair->theirs, "x");
  CHECK(is_readable(loop));
  CHECK(words(loop.wait(true)) == "r");
  CHECK(now(loop) == "r");
  std::string bytes(10, '\0');
  std::vector<Descriptor> none;
  CHECK(os::receive_message(pair->ours, bytes, none).bytes == 1);
  CHECK(now(loop).empty());
  CHECK_FALSE(is_readable(loop));
}

TEST_CASE("event loop: room in the socket is told only where it is wanted") {
  EventLoop loop = made();
  auto pair = os::socket_pair();
  REQUIRE(loop.watch_socket(pair->ours));
  CHECK(now(loop).empty());
  loop.wants(pair->ours, true, true);
  CHECK(now(loop) == "w");
  send_text(pair->theirs, "x");
  CHECK(now(loop) == "rw");
  loop.wants(pair->ours, false, true);
  CHECK(now(loop) == "w");
  loop.wants(pair->ours, false, false);
  CHECK(now(loop).empty());
  loop.wants(pair->ours, true, false);
  CHECK(now(loop) == "r");
}

TEST_CASE("event loop: a full socket is not writable until somebody reads from it") {
  EventLoop loop = made();
  auto pair = os::socket_pair();
  REQUIRE(loop.watch_socket(pair->ours));
  const std::string much(1 << 16, 'x');
  const std::string_view piece = much;
  while (os::send_message(pair->ours, {&piece, 1}, -1).outcome == os::Transfer::done) {
  }
  loop.wants(pair->ours, true, true);
  CHECK(now(loop).empty());
  std::string bytes(1 << 16, '\0');
  std::vector<Descriptor> none;
  while (os::receive_message(pair->theirs, bytes, none).outcome == os::Transfer::done) {
  }
  CHECK(words(loop.wait(true)) == "w");
}

TEST_CASE("event loop: a peer that is gone is told as readable, also while nothing is wanted") {
  EventLoop loop = made();
  auto pair = os::socket_pair();
  REQUIRE(loop.watch_socket(pair->ours));
  loop.wants(pair->ours, false, false);
  pair->theirs.reset();
  CHECK(words(loop.wait(true)) == "r");
}

TEST_CASE("event loop: what is forgotten is not told") {
  EventLoop loop = made();
  auto pair = os::socket_pair();
  REQUIRE(loop.watch_socket(pair->ours));
  send_text(pair->theirs, "x");
  loop.forget(pair->ours);
  CHECK(now(loop).empty());
  CHECK_FALSE(is_readable(loop));
  loop.forget(pair->ours);
}

TEST_CASE("event loop: nothing is watched that is no descriptor of ours") {
  EventLoop loop = made();
  CHECK_FALSE(loop.watch_socket(Descriptor()));
  CHECK_FALSE(loop.watch_process(Descriptor()));
}

TEST_CASE("event loop: a time that has come is told once, and not before") {
  EventLoop loop = made();
  const std::int64_t by = os::monotonic_ns() + 20'000'000;
  loop.wake_at(by);
  CHECK(words(loop.wait(true)) == "t");
  CHECK(os::monotonic_ns() >= by);
  CHECK(now(loop).empty());
  CHECK_FALSE(is_readable(loop));
}

TEST_CASE("event loop: a time that is past comes at once, and none is never") {
  EventLoop loop = made();
  loop.wake_at(1);
  CHECK(words(loop.wait(true)) == "t");
  loop.wake_at(1);
  loop.wake_at(0);
  CHECK(now(loop).empty());
}

TEST_CASE("event loop: a later time takes the place of an earlier one") {
  EventLoop loop = made();
  loop.wake_at(1);
  loop.wake_at(os::monotonic_ns() + std::int64_t{3600} * 1'000'000'000);
  CHECK(now(loop).empty());
  CHECK_FALSE(is_readable(loop));
}

TEST_CASE("event loop: a time beyond all clocks is no time that comes") {
  EventLoop loop = made();
  loop.wake_at(INT64_MAX);
  CHECK(now(loop).empty());
}

TEST_CASE("event loop: a child that has ended") {
  CHECK(test::said_in_child([]() -> std::string {
          EventLoop loop = std::move(*EventLoop::create());
          test::Ends pipe = test::make_pipe();
          const pid_t pid = ::fork();
          if (pid == 0) {
            ::close(pipe.theirs.get());
            pollfd entry{pipe.ours.get(), POLLIN, 0};
            ::poll(&entry, 1, -1);  // until the parent lets go
            ::_exit(0);
          }
          Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
          std::string said = loop.watch_process(process) ? "" : "not watched ";
          said += "[" + words(loop.wait(false)) + "]";
          pipe.theirs.reset();
          said += words(loop.wait(true));
          loop.forget(process);
          said += "[" + words(loop.wait(false)) + "]";
          ::waitpid(pid, nullptr, 0);
          return said;
        }) == "[]p[]");
}

TEST_CASE("event loop: whatever it is, it is something") {
  EventLoop loop = made();
  CHECK_FALSE(loop.wait(false).any());
  loop.ring();
  const EventLoop::Ready rung = loop.wait(false);
  CHECK(rung.rung);
  CHECK(rung.any());
  CHECK(words(rung).empty());
  loop.wake_at(1);
  CHECK(loop.wait(true).any());
  auto pair = os::socket_pair();
  REQUIRE(loop.watch_socket(pair->ours));
  loop.wants(pair->ours, false, true);
  CHECK(loop.wait(false).any());
  loop.wants(pair->ours, true, false);
  CHECK_FALSE(loop.wait(false).any());
  send_text(pair->theirs, "x");
  CHECK(loop.wait(false).any());
  EventLoop::Ready ended;
  ended.process_ended = true;
  CHECK(ended.any());
}

TEST_CASE("event loop: all at once") {
  EventLoop loop = made();
  auto pair = os::socket_pair();
  REQUIRE(loop.watch_socket(pair->ours));
  loop.wants(pair->ours, true, true);
  send_text(pair->theirs, "x");
  loop.wake_at(1);
  loop.ring();
  CHECK(words(loop.wait(true)) == "rwt");
}

TEST_CASE("event loop: closed it is never ready, says so, and does no harm") {
  EventLoop loop = made();
  auto pair = os::socket_pair();
  REQUIRE(loop.watch_socket(pair->ours));
  loop.close();
  CHECK(loop.fd() == -1);
  loop.ring();
  loop.wake_at(1);
  loop.wants(pair->ours, true, true);
  loop.forget(pair->ours);
  CHECK(now(loop) == "b");
  CHECK(words(loop.wait(true)) == "b");
}

TEST_CASE("event loop: closed beneath us it says so in the place of sleeping") {
  EventLoop loop = made();
  ::close(loop.fd());
  CHECK(words(loop.wait(true)) == "b");
}

}  // namespace
