// Tests of os/poller: what ends a sleep, what does not, and that nothing ends it twice.
#include "os/poller.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "os/clock.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;

constexpr std::int64_t ms = 1'000'000;
using Keys = std::vector<std::uint64_t>;

os::Poller made() {
  auto poller = os::Poller::create();
  REQUIRE(poller);
  return std::move(*poller);
}

// The keys that are ready, sorted.
Keys wait(os::Poller& poller, std::int64_t timeout_ns, std::size_t room = 16) {
  Keys keys(room);
  poller.sleep(timeout_ns);
  keys.resize(poller.ready(keys));
  std::sort(keys.begin(), keys.end());
  return keys;
}

void put(const os::Descriptor& pipe, std::string_view text = "x") {
  REQUIRE(::write(pipe.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

TEST_CASE("poller: with nothing to see, the time ends the sleep, and not before") {
  os::Poller poller = made();
  CHECK(wait(poller, 0).empty());
  for (const std::int64_t timeout_ns : {std::int64_t{1}, 1 * ms - 1, 1 * ms, 3 * ms - 1}) {
    const std::int64_t before_ns = os::monotonic_ns();
    CHECK(wait(poller, timeout_ns).empty());
    CHECK(os::monotonic_ns() - before_ns >= timeout_ns);
  }
}

TEST_CASE("poller: a sleep of no time does not sleep") {
  os::Poller poller = made();
  for (int i = 0; i < 1000; ++i) REQUIRE(wait(poller, 0).empty());
}

TEST_CASE("poller: another thread ends a sleep for ever") {
  os::Poller poller = made();
  for (int round = 0; round < 200; ++round) {
    std::thread waker([&] { poller.wake(); });
    CHECK(wait(poller, os::Poller::for_ever).empty());
    waker.join();
    CHECK(wait(poller, 0).empty());
  }
}

TEST_CASE("poller: a sleep that only a call ends goes on though something is readable") {
  os::Poller poller = made();
  const test::Ends pipe = test::make_pipe();
  REQUIRE(poller.watch(pipe.ours, 1));
  put(pipe.theirs);
  const std::int64_t before_ns = os::monotonic_ns();
  poller.sleep_unless_woken(2 * ms);
  CHECK(os::monotonic_ns() - before_ns >= 2 * ms);
  poller.wake();
  poller.sleep_unless_woken(os::Poller::for_ever);
  CHECK(wait(poller, os::Poller::for_ever) == Keys{1});
}

TEST_CASE("poller: a call before the sleep counts") {
  os::Poller poller = made();
  poller.wake();
  CHECK(wait(poller, os::Poller::for_ever).empty());
}

TEST_CASE("poller: many calls end one sleep, not the next") {
  os::Poller poller = made();
  for (int i = 0; i < 1000; ++i) poller.wake();
  CHECK(wait(poller, os::Poller::for_ever).empty());
  const std::int64_t before_ns = os::monotonic_ns();
  CHECK(wait(poller, 2 * ms).empty());
  CHECK(os::monotonic_ns() - before_ns >= 2 * ms);
}

TEST_CASE("poller: a call leaves errno alone, as a signal handler must") {
  os::Poller poller = made();
  errno = EDOM;
  poller.wake();
  CHECK(errno == EDOM);
  poller.abandon();
  errno = EDOM;
  poller.wake();  // fails by now
  CHECK(errno == EDOM);
}

TEST_CASE("poller: the longest time there is ends with a call like any other") {
  os::Poller poller = made();
  poller.wake();
  CHECK(wait(poller, std::numeric_limits<std::int64_t>::max()).empty());
  poller.wake();
  CHECK(wait(poller, std::numeric_limits<std::int64_t>::min()).empty());
}

TEST_CASE("poller: a descriptor is ready for as long as it can be read") {
  os::Poller poller = made();
  const test::Ends pipe = test::make_pipe();
  REQUIRE(poller.watch(pipe.ours, 7));
  CHECK(wait(poller, 0).empty());
  put(pipe.theirs);
  CHECK(wait(poller, os::Poller::for_ever) == Keys{7});
  CHECK(wait(poller, os::Poller::for_ever) == Keys{7});
  CHECK(test::read_now(pipe.ours) == "x");
  CHECK(wait(poller, 0).empty());
}

TEST_CASE("poller: data ends a sleep that has begun") {
  os::Poller poller = made();
  const test::Ends pipe = test::make_pipe();
  REQUIRE(poller.watch(pipe.ours, 7));
  std::thread writer([&] { static_cast<void>(::write(pipe.theirs.get(), "x", 1)); });
  CHECK(wait(poller, os::Poller::for_ever) == Keys{7});
  writer.join();
}

TEST_CASE("poller: keys of any value come back, each with its own descriptor") {
  os::Poller poller = made();
  const std::array<std::uint64_t, 4> values{1, 2, std::uint64_t{1} << 40, ~std::uint64_t{0}};
  std::array<test::Ends, 4> pipes{};
  for (std::size_t i = 0; i < pipes.size(); ++i) {
    pipes[i] = test::make_pipe();
    REQUIRE(poller.watch(pipes[i].ours, values[i]));
  }
  put(pipes[3].theirs);
  CHECK(wait(poller, os::Poller::for_ever) == Keys{values[3]});
  put(pipes[1].theirs);
  CHECK(wait(poller, os::Poller::for_ever) == Keys{values[1], values[3]});
  put(pipes[0].theirs);
  put(pipes[2].theirs);
  CHECK(wait(poller, os::Poller::for_ever) == Keys(values.begin(), values.end()));
}

TEST_CASE("poller: a call and data come together") {
  os::Poller poller = made();
  const test::Ends pipe = test::make_pipe();
  REQUIRE(poller.watch(pipe.ours, 7));
  put(pipe.theirs);
  poller.wake();
  CHECK(wait(poller, os::Poller::for_ever) == Keys{7});
  CHECK(test::read_now(pipe.ours) == "x");
  CHECK(wait(poller, 0).empty());  // the call is not left for later
}

TEST_CASE("poller: with little room every descriptor gets its turn") {
  os::Poller poller = made();
  std::array<test::Ends, 5> pipes{};
  Keys seen;
  for (std::size_t i = 0; i < pipes.size(); ++i) {
    pipes[i] = test::make_pipe();
    REQUIRE(poller.watch(pipes[i].ours, i + 1));
    put(pipes[i].theirs);
  }
  for (int turn = 0; turn < 10; ++turn) {
    const Keys some = wait(poller, 0, 2);
    CHECK(some.size() <= 2);
    seen.insert(seen.end(), some.begin(), some.end());
  }
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  CHECK(seen == Keys{1, 2, 3, 4, 5});
}

TEST_CASE("poller: a sleep takes no turn away") {
  os::Poller poller = made();
  std::array<test::Ends, 4> pipes{};
  for (std::size_t i = 0; i < pipes.size(); ++i) {
    pipes[i] = test::make_pipe();
    REQUIRE(poller.watch(pipes[i].ours, i));
    put(pipes[i].theirs);
  }
  std::array<int, 4> turns{};
  for (int turn = 0; turn < 20; ++turn) {
    for (const std::uint64_t key : wait(poller, os::Poller::for_ever, 2)) ++turns[key];
  }
  CHECK(turns == std::array<int, 4>{10, 10, 10, 10});
}

TEST_CASE("poller: where there is no room for keys none are lost") {
  os::Poller poller = made();
  const test::Ends pipe = test::make_pipe();
  REQUIRE(poller.watch(pipe.ours, 7));
  put(pipe.theirs);
  poller.sleep(os::Poller::for_ever);
  CHECK(poller.ready({}) == 0);
  CHECK(wait(poller, 0) == Keys{7});
}

TEST_CASE("poller: the other end's close makes ready") {
  os::Poller poller = made();
  test::Ends pipe = test::make_pipe();
  test::Ends connection = test::make_connection();
  REQUIRE(poller.watch(pipe.ours, 1));
  REQUIRE(poller.watch(connection.ours, 2));
  CHECK(wait(poller, 0).empty());
  pipe.theirs.reset();
  CHECK(wait(poller, os::Poller::for_ever) == Keys{1});
  poller.forget(pipe.ours);
  connection.theirs.reset();
  CHECK(wait(poller, os::Poller::for_ever) == Keys{2});
}

TEST_CASE("poller: what is forgotten ends no sleep") {
  os::Poller poller = made();
  const test::Ends pipe = test::make_pipe();
  REQUIRE(poller.watch(pipe.ours, 7));
  put(pipe.theirs);
  poller.forget(pipe.ours);
  CHECK(wait(poller, 0).empty());
  poller.forget(pipe.ours);  // twice does no harm
  REQUIRE(poller.watch(pipe.ours, 8));
  CHECK(wait(poller, os::Poller::for_ever) == Keys{8});
}

TEST_CASE("poller: a closed descriptor is forgotten by itself") {
  os::Poller poller = made();
  test::Ends pipe = test::make_pipe();
  REQUIRE(poller.watch(pipe.ours, 7));
  put(pipe.theirs);
  pipe.ours.reset();
  CHECK(wait(poller, 0).empty());
}

TEST_CASE("poller: what cannot be watched is refused") {
  os::Poller poller = made();
  const test::Ends pipe = test::make_pipe();
  CHECK_FALSE(poller.watch(os::Descriptor(), 7));
  CHECK(poller.watch(pipe.ours, 7));
  CHECK_FALSE(poller.watch(pipe.ours, 8));
  const test::TemporaryFile file;
  CHECK_FALSE(poller.watch(os::Descriptor(::open(file.path().c_str(), 0)), 9));  // files are always ready
}

TEST_CASE("poller: it may be moved") {
  os::Poller first = made();
  const test::Ends pipe = test::make_pipe();
  REQUIRE(first.watch(pipe.ours, 7));
  os::Poller second = std::move(first);
  put(pipe.theirs);
  second.wake();
  CHECK(wait(second, os::Poller::for_ever) == Keys{7});
}

TEST_CASE("poller: abandoned in a forked child, it goes on in the parent") {
  os::Poller poller = made();
  const test::Ends pipe = test::make_pipe();
  REQUIRE(poller.watch(pipe.ours, 7));
  const pid_t child = ::fork();
  if (child == 0) {
    poller.abandon();
    poller.wake();  // nobody's any more
    ::_exit(0);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(wait(poller, 0).empty());
  put(pipe.theirs);
  CHECK(wait(poller, os::Poller::for_ever) == Keys{7});
  CHECK(test::read_now(pipe.ours) == "x");
  poller.wake();
  CHECK(wait(poller, os::Poller::for_ever).empty());
}

// What a poller works with; closed as a program does that closes all it finds.
std::vector<int> open_numbers() {
  std::vector<int> numbers;
  for (int fd = 0; fd < 256; ++fd)
    if (os::is_open(fd)) numbers.push_back(fd);
  return numbers;
}

struct Beneath {
  std::vector<int> before = open_numbers();
  os::Poller poller = made();
  std::vector<int> numbers() const {
    std::vector<int> all = open_numbers();
    std::erase_if(all, [this](int fd) { return std::find(before.begin(), before.end(), fd) != before.end(); });
    return all;
  }
};

TEST_CASE("poller: to close any of what it works with is seen") {
  REQUIRE(made().is_whole());
  const std::size_t all = Beneath().numbers().size();
  CHECK(all == 3);
  for (std::size_t which = 0; which < all; ++which) {
    Beneath beneath;
    CHECK(beneath.poller.is_whole());
    ::close(beneath.numbers()[which]);
    CHECK_FALSE(beneath.poller.is_whole());
    beneath.poller.sleep(os::Poller::for_ever);  // not for ever
  }
}

TEST_CASE("poller: to close what it works with ends a sleep") {
  Beneath beneath;
  std::thread sleeper([&] { beneath.poller.sleep(os::Poller::for_ever); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // whether it sleeps by then or not
  for (const int fd : beneath.numbers()) ::close(fd);
  sleeper.join();
  CHECK_FALSE(beneath.poller.is_whole());
}

TEST_CASE("poller: nothing is written to what stands behind its numbers now, and nothing taken from it") {
  Beneath beneath;
  std::vector<test::Ends> own;
  for (const int fd : beneath.numbers()) {
    own.push_back(test::make_connection());
    REQUIRE(::dup2(own.back().ours.get(), fd) == fd);
    test::send_all(own.back().theirs, "x");
  }
  CHECK_FALSE(beneath.poller.wake());
  beneath.poller.sleep(1 * ms);
  for (const test::Ends& ends : own) {
    CHECK(test::receive_exactly(ends.ours, 1) == "x");
    CHECK(test::read_now(ends.theirs).empty());
  }
  for (const int fd : beneath.numbers()) ::close(fd);
}

}  // namespace
