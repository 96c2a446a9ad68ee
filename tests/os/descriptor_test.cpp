// Tests of os/descriptor: closed once, by its one owner, and never in the place of stdin, stdout or stderr.
#include "os/descriptor.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>

#include "os/child.hpp"
#include "os/output.hpp"
#include "os/poller.hpp"
#include "os/socket.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;
using os::Descriptor;

Descriptor opened() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

bool closes_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

// What `body` says in a child whose descriptors 0 to 2 are closed.
template <class Body>
std::string said_without_standard(Body body) {
  return test::said_in_child([&] {
    const int kept = ::fcntl(1, F_DUPFD, 100);
    for (const int fd : {0, 1, 2}) ::close(fd);
    const std::string text = body();
    const bool still_closed = !os::is_open(0) && !os::is_open(1) && !os::is_open(2);
    ::dup2(kept, 1);
    return text + (still_closed ? "" : ", and one is in a standard place");
  });
}

TEST_CASE("descriptor: nothing is owned at first") {
  Descriptor none;
  CHECK_FALSE(none);
  CHECK(none.get() < 0);
  none.reset();
  CHECK_FALSE(Descriptor(-1));
}

TEST_CASE("descriptor: it is closed when its owner goes") {
  int fd = -1;
  {
    const Descriptor owner = opened();
    REQUIRE(owner);
    fd = owner.get();
    CHECK(os::is_open(fd));
  }
  CHECK_FALSE(os::is_open(fd));
}

TEST_CASE("descriptor: reset closes at once, and once") {
  Descriptor owner = opened();
  const int fd = owner.get();
  owner.reset();
  CHECK_FALSE(owner);
  CHECK_FALSE(os::is_open(fd));
  const Descriptor other = opened();
  REQUIRE(other.get() == fd);  // the number is free again
  owner.reset();
  CHECK(os::is_open(fd));
}

TEST_CASE("descriptor: moving hands it over") {
  Descriptor first = opened();
  const int fd = first.get();
  Descriptor second = std::move(first);
  CHECK(second.get() == fd);
  CHECK_FALSE(first);  // NOLINT(bugprone-use-after-move): this is what is tested
  CHECK(os::is_open(fd));

  Descriptor third = opened();
  const int replaced = third.get();
  third = std::move(second);
  CHECK(third.get() == fd);
  CHECK_FALSE(os::is_open(replaced));
  CHECK(os::is_open(fd));
}

TEST_CASE("descriptor: moved to itself it stays open") {
  Descriptor owner = opened();
  const int fd = owner.get();
  Descriptor& same = owner;
  owner = std::move(same);
  CHECK(owner.get() == fd);
  CHECK(os::is_open(fd));
}

TEST_CASE("descriptor: one that is clear of 0 to 2 keeps its number") {
  const Descriptor owner = opened();
  REQUIRE(owner.get() > 2);
  CHECK(os::clear_of_standard(owner.get()) == owner.get());
  CHECK(os::is_open(owner.get()));
  CHECK(os::clear_of_standard(-1) == -1);
}

TEST_CASE("descriptor: one in a standard place is moved, with its flag, and leaves the place free") {
  CHECK(said_without_standard([] {
          std::string text;
          for (int place = 0; place < 3; ++place) {
            const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
            const int moved = os::clear_of_standard(fd);
            struct stat before {};
            struct stat after {};
            ::stat("/dev/null", &before);
            ::fstat(moved, &after);
            text += fmt::format("{} {} {} {};", fd, moved > 2, closes_on_exec(moved), before.st_rdev == after.st_rdev);
          }
          return text;
        }) == "0 true true true;0 true true true;0 true true true;");
}

TEST_CASE("descriptor: where there is no other number, none is better than a standard one") {
  CHECK(said_without_standard([] {
          const int next = ::fcntl(100, F_DUPFD, 3);
          ::close(next);
          rlimit limit{static_cast<rlim_t>(next), 1000};
          ::setrlimit(RLIMIT_NOFILE, &limit);
          const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
          return fmt::format("{} {}", fd, os::clear_of_standard(fd));
        }) == "0 -1");
}

TEST_CASE("descriptor: a spare one is there to be given up") {
  Descriptor spare = os::spare_descriptor();
  REQUIRE(spare);
  CHECK(closes_on_exec(spare.get()));
  const int fd = spare.get();
  spare.reset();
  CHECK_FALSE(os::is_open(fd));
}

TEST_CASE("descriptor: nothing that this room opens takes a standard place") {
  CHECK(said_without_standard([] {
          const Descriptor spare = os::spare_descriptor();
          auto poller = os::Poller::create();
          auto listening = os::listen_on_loopback();
          auto connected = os::connect_to({0x7F000001, listening->port}, std::chrono::seconds(10));
          const os::Accepted accepted = os::accept_connection(listening->socket);
          auto file = os::open_for_appending("/dev/null");
          return fmt::format("{} {} {} {} {} {}", static_cast<bool>(spare), static_cast<bool>(poller),
                             static_cast<bool>(listening), static_cast<bool>(connected),
                             accepted.outcome == os::AcceptOutcome::accepted, static_cast<bool>(file));
        }) == "true true true true true true");
}

// As a program that closes all it finds, and then opens something of its own.
TEST_CASE("descriptor: a number that the program gave to another file is left alone") {
  test::Ends first = test::make_pipe();
  test::Ends second = test::make_pipe();
  const int fd = first.theirs.get();
  CHECK(first.theirs.is_ours());
  REQUIRE(::dup2(second.theirs.get(), fd) == fd);
  CHECK_FALSE(first.theirs.is_ours());
  first.theirs.reset();
  CHECK(os::is_open(fd));
  ::close(fd);
}

TEST_CASE("descriptor: one that was closed beneath its owner is no longer the owner's") {
  Descriptor owner = opened();
  ::close(owner.get());
  CHECK_FALSE(owner.is_ours());
  Descriptor moved = std::move(owner);
  CHECK_FALSE(moved.is_ours());
  CHECK_FALSE(Descriptor().is_ours());
}

TEST_CASE("descriptor: what is given away is no longer closed") {
  int fd = -1;
  {
    Descriptor owner = opened();
    fd = owner.release();
    CHECK(fd > 2);
    CHECK_FALSE(owner);
    CHECK(owner.release() == -1);
  }
  CHECK(os::is_open(fd));
  os::close_descriptor(fd);
}

TEST_CASE("descriptor: a duplicate is another number of the same file, with its flag") {
  const Descriptor owner(::open("/dev/null", O_RDONLY));
  const Descriptor copy(os::duplicate(owner.get()));
  REQUIRE(copy);
  CHECK(copy.get() != owner.get());
  CHECK(os::file_behind(copy.get()) == os::file_behind(owner.get()));
  CHECK(closes_on_exec(copy.get()));
  CHECK_FALSE(closes_on_exec(owner.get()));
}

TEST_CASE("descriptor: of none there is no duplicate") {
  CHECK(os::duplicate(-1) < 0);
  Descriptor closed = opened();
  const int fd = closed.get();
  closed.reset();
  CHECK(os::duplicate(fd) < 0);
}

TEST_CASE("descriptor: a duplicate does not take a standard place") {
  CHECK(said_without_standard([] { return fmt::format("{}", os::duplicate(100) > 2); }) == "true");
}

}  // namespace
