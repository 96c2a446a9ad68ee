// Tests of os/output where the reader does not read: what is taken at once is said, and nobody waits.
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

#include "os/child.hpp"
#include "os/output.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;
using std::chrono::milliseconds;

// More than any pipe or socket holds.
const std::string& much() {
  static const std::string text(8'000'000, 'x');
  return text;
}

test::Ends make_sockets(int type) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {os::Descriptor(ends[0]), os::Descriptor(ends[1])};
}

int flags_of(const os::Descriptor& descriptor) { return ::fcntl(descriptor.get(), F_GETFL); }

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Writes all of it, while what comes is read.
std::string written_through(os::Output& output, const test::Ends& ends, std::string_view bytes) {
  std::string read;
  while (!bytes.empty()) {
    const os::Written written = output.write(bytes);
    REQUIRE(written.error == 0);
    bytes.remove_prefix(written.bytes);
    read += test::read_now(ends.ours);
  }
  return read + test::read_now(ends.ours);
}

TEST_CASE("output: a reader that does not read is not waited for, and the flags stay") {
  const auto make = GENERATE(
      +[] { return test::make_pipe(); }, +[] { return make_sockets(SOCK_STREAM); });
  const test::Ends ends = make();
  const int flags = flags_of(ends.theirs);
  os::Output output(ends.theirs.get());
  const os::Written written = output.write(much());
  CHECK(written.error == 0);
  CHECK(written.bytes > 0);
  CHECK(written.bytes < much().size());
  CHECK_FALSE(output.wait(milliseconds(1)));
  CHECK(output.write("more").bytes == 0);
  CHECK(flags_of(ends.theirs) == flags);
  CHECK(test::read_now(ends.ours).size() == written.bytes);
  CHECK(output.wait(milliseconds(60'000)));
  CHECK(output.write("more").bytes == 4);
  CHECK(test::read_now(ends.ours) == "more");
}

TEST_CASE("output: nor is a terminal whose reader does not read, or that was stopped") {
  const test::Ends terminal = test::make_terminal(80, 24);
  const int flags = flags_of(terminal.theirs);
  os::Output output(terminal.theirs.get());
  const os::Written written = output.write(much());
  CHECK(written.error == 0);
  CHECK(written.bytes < much().size());
  test::read_now(terminal.ours);

  REQUIRE(::tcflow(terminal.theirs.get(), TCOOFF) == 0);
  CHECK(output.write("text").bytes == 0);
  REQUIRE(::tcflow(terminal.theirs.get(), TCOON) == 0);
  CHECK(written_through(output, terminal, "text") == "text");
  CHECK(flags_of(terminal.theirs) == flags);
}

TEST_CASE("output: nothing is kept open but while bytes wait") {
  test::Ends pipe = test::make_pipe();
  os::Output output(pipe.theirs.get());
  const std::size_t before = open_descriptors();
  CHECK(output.write("text").bytes == 4);
  CHECK(open_descriptors() == before);
  output.write(much());
  CHECK(open_descriptors() == before + 1);
  SECTION("they are taken") {
    test::read_now(pipe.ours);
    output.write("text");
  }
  SECTION("a forked child lets go") { output.abandon(); }
  SECTION("the program lets go, and the reader sees the end") {
    const os::Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ::dup2(nowhere.get(), pipe.theirs.get());
    CHECK(output.write("text").bytes == 4);
    test::read_now(pipe.ours);
    char byte = 0;
    CHECK(::read(pipe.ours.get(), &byte, 1) == 0);
    CHECK(open_descriptors() == before + 1);  // with `nowhere`
    return;
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("output: where it is told to it stays open, and still finds what the program puts behind the number") {
  const test::Ends pipe = test::make_pipe();
  os::Output output(pipe.theirs.get());
  const std::size_t before = open_descriptors();
  output.stay_open(true);
  CHECK(output.write("one").bytes == 3);
  CHECK(open_descriptors() == before + 1);
  CHECK(output.write("two").bytes == 3);
  CHECK(open_descriptors() == before + 1);
  const test::Ends other = test::make_pipe();
  const os::Descriptor first(::dup(pipe.theirs.get()));
  ::dup2(other.theirs.get(), pipe.theirs.get());
  CHECK(output.write("three").bytes == 5);
  CHECK(test::read_now(pipe.ours) == "onetwo");
  CHECK(test::read_now(other.ours) == "three");
  output.stay_open(false);
  CHECK(output.write("four").bytes == 4);
  CHECK(open_descriptors() == before + 3);  // `other` and `first`
}

TEST_CASE("output: what the program puts behind the number is written to from then on") {
  const test::Ends first = test::make_pipe();
  const test::Ends second = test::make_pipe();
  const test::Ends third = make_sockets(SOCK_STREAM);
  const test::TemporaryFile file;
  const os::Descriptor on_disk(::open(file.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  const os::Descriptor target(::dup(first.theirs.get()));
  os::Output output(target.get());
  CHECK(output.write("1").bytes == 1);
  const std::size_t taken = output.write(much()).bytes;
  CHECK(taken < much().size());
  ::dup2(second.theirs.get(), target.get());
  CHECK(output.write("2").bytes == 1);
  ::dup2(third.theirs.get(), target.get());
  CHECK(output.write("3").bytes == 1);
  ::dup2(on_disk.get(), target.get());
  CHECK(output.write("4").bytes == 1);
  ::dup2(first.theirs.get(), target.get());
  CHECK(output.write("5").bytes == 0);
  CHECK(test::read_now(first.ours).size() == 1 + taken);
  CHECK(output.write("5").bytes == 1);
  CHECK(test::read_now(first.ours) == "5");
  CHECK(test::read_now(second.ours) == "2");
  CHECK(test::read_now(third.ours) == "3");
  CHECK(file.content() == "4");
}

TEST_CASE("output: a file is written to where its offset stands, to the last byte") {
  const test::TemporaryFile file;
  const os::Descriptor fd(::open(file.path().c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::write(fd.get(), "head ", 5) == 5);
  os::Output output(fd.get());
  CHECK(output.write(much()).bytes == much().size());
  REQUIRE(::write(fd.get(), " tail", 5) == 5);
  CHECK((file.content() == "head " + much() + " tail"));
}

TEST_CASE("output: what it owns goes with it") {
  test::Ends pipe = test::make_pipe();
  const int fd = pipe.theirs.get();
  {
    os::Output output(fd, std::move(pipe.theirs));
    CHECK(output.write("text").bytes == 4);
  }
  CHECK_FALSE(os::is_open(fd));
}

TEST_CASE("output: the other end of a pseudo terminal is written to as it is") {
  const test::Ends terminal = test::make_terminal(80, 24);
  os::Output output(terminal.ours.get());
  CHECK(output.write("typed\n").bytes == 6);
  std::array<char, 16> read{};
  CHECK(::read(terminal.theirs.get(), read.data(), read.size()) == 6);
}

TEST_CASE("output: last words are said where somebody listens, and hold nobody where none does") {
  const test::Ends pipe = test::make_pipe();
  CHECK(os::write_last_words(pipe.theirs.get(), "farewell\n", milliseconds(60'000)));
  CHECK(test::read_now(pipe.ours) == "farewell\n");
  // In processes of their own, whose threads end with them.
  CHECK(test::said_in_child([] {
          const test::Ends full = test::make_pipe();
          os::Output(full.theirs.get()).write(much());
          const test::Ends sockets = make_sockets(SOCK_STREAM);
          os::Output(sockets.theirs.get()).write(much());
          const test::Ends stopped = test::make_terminal(80, 24);
          ::tcflow(stopped.theirs.get(), TCOOFF);
          return fmt::format("{} {} {}", os::write_last_words(full.theirs.get(), "farewell", milliseconds(20)),
                             os::write_last_words(sockets.theirs.get(), "farewell", milliseconds(20)),
                             os::write_last_words(stopped.theirs.get(), "farewell", milliseconds(20)));
        }) == "false false false");
  CHECK(test::said_in_child([] {
          test::Ends gone = test::make_pipe();
          gone.ours.reset();
          return fmt::format("{}", os::write_last_words(gone.theirs.get(), "farewell", milliseconds(60'000)));
        }) == "true");
}

TEST_CASE("output: failures have their reasons") {
  CHECK(os::Output(-1).write("text").error == EBADF);
  const os::Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  CHECK(os::Output(full.get()).write("text").error == ENOSPC);
  CHECK(test::said_in_child([] {
          ::signal(SIGPIPE, SIG_IGN);
          test::Ends pipe = test::make_pipe();
          os::Output waits(pipe.theirs.get());
          waits.write(much());
          pipe.ours.reset();
          test::Ends terminal = test::make_terminal(80, 24);
          terminal.ours.reset();
          return fmt::format("{} {} {}", waits.write("text").error == EPIPE,
                             os::Output(pipe.theirs.get()).write("text").error == EPIPE,
                             os::Output(terminal.theirs.get()).write("text").error == EIO);
        }) == "true true true");
}

TEST_CASE("output: a pipe that was inherited without waiting is left as it is") {
  const test::Ends pipe = test::make_pipe();
  REQUIRE(::fcntl(pipe.theirs.get(), F_SETFL, flags_of(pipe.theirs) | O_NONBLOCK) == 0);
  os::Output output(pipe.theirs.get());
  CHECK(output.write(much()).bytes < much().size());
  CHECK((flags_of(pipe.theirs) & O_NONBLOCK) != 0);
}

}  // namespace
