// Tests of os/output: written to the last byte, or the number of bytes taken and the reason why no more were.
#include "os/output.hpp"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include "os/child.hpp"
#include "os/descriptor.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;

struct Pipe {
  os::Descriptor read_end;
  os::Descriptor write_end;
};
Pipe blocking_pipe() {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  return {os::Descriptor(ends[0]), os::Descriptor(ends[1])};
}

int flags_of(const os::Descriptor& descriptor) { return ::fcntl(descriptor.get(), F_GETFL); }
void make_nonblocking(const os::Descriptor& descriptor) {
  REQUIRE(::fcntl(descriptor.get(), F_SETFL, flags_of(descriptor) | O_NONBLOCK) == 0);
}

// More than any pipe holds, and no two pieces of it alike.
std::string long_text() {
  std::string text;
  for (int i = 0; text.size() < 1'000'000; ++i) text += fmt::format("{} ", i);
  return text;
}

std::string read_to_end(int fd, std::size_t piece) {
  std::string out;
  std::string bytes(piece, '\0');
  for (ssize_t got = 1; got != 0;) {
    got = ::read(fd, bytes.data(), bytes.size());
    if (got > 0) out.append(bytes, 0, static_cast<std::size_t>(got));
  }
  return out;
}

// Blocks SIGPIPE in this thread, as the log thread does, and takes back one that came.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec at_once{};
    ::sigtimedwait(&pipe_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

TEST_CASE("output: what a signal handler says is one line, also into a pipe without a reader") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  os::say_in_handler(ends[1], "INF", "a text");
  char got[64];
  const ssize_t bytes = ::read(ends[0], got, sizeof got);
  CHECK(std::string(got, bytes < 0 ? 0 : static_cast<std::size_t>(bytes)) == "INF a text\n");
  ::close(ends[0]);
  os::say_in_handler(ends[1], "INF", "to nobody");
  ::close(ends[1]);
  os::say_in_handler(ends[1], "INF", "nowhere");
}

TEST_CASE("output: a short text is written as it is, with its NULs") {
  const test::Ends pipe = test::make_pipe();
  const std::string text("a line\n\0\xFF and more", 17);
  const os::Written written = os::write_all(pipe.theirs.get(), text);
  CHECK(written.bytes == text.size());
  CHECK(written.error == 0);
  CHECK(test::read_now(pipe.ours) == text);
}

TEST_CASE("output: nothing is written without asking") {
  const os::Written written = os::write_all(-1, "");
  CHECK(written.bytes == 0);
  CHECK(written.error == 0);
}

TEST_CASE("output: a descriptor that does not block is waited for, and still does not block") {
  const Pipe pipe = blocking_pipe();
  make_nonblocking(pipe.write_end);
  const std::string text = long_text();
  std::string read;
  std::thread reader([&] { read = read_to_end(pipe.read_end.get(), 997); });
  const int flags_before = flags_of(pipe.write_end);
  const os::Written written = os::write_all(pipe.write_end.get(), text);
  CHECK(flags_of(pipe.write_end) == flags_before);
  const_cast<os::Descriptor&>(pipe.write_end).reset();
  reader.join();
  CHECK(written.bytes == text.size());
  CHECK(written.error == 0);
  const bool same = read == text;
  CHECK(same);
}

TEST_CASE("output: signals in the middle of a write lose nothing") {
  struct sigaction quiet {};
  struct sigaction before {};
  quiet.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &quiet, &before);  // without SA_RESTART: write() ends early, or with EINTR
  Pipe pipe = blocking_pipe();
  const std::string filling(static_cast<std::size_t>(::fcntl(pipe.write_end.get(), F_GETPIPE_SZ)), '.');
  REQUIRE(os::write_all(pipe.write_end.get(), filling).error == 0);  // the pipe is full: the next write takes nothing
  const std::string text = long_text();
  const pthread_t writer = ::pthread_self();
  std::string read;
  std::thread reader([&] {
    for (int i = 0; i < 20; ++i) {
      ::usleep(1000);
      ::pthread_kill(writer, SIGUSR1);
    }
    std::string piece(5000, '\0');
    while (read.size() < filling.size() + text.size()) {
      ::pthread_kill(writer, SIGUSR1);
      const ssize_t got = ::read(pipe.read_end.get(), piece.data(), piece.size());
      if (got > 0) read.append(piece, 0, static_cast<std::size_t>(got));
      if (got == 0) break;
    }
  });
  const os::Written written = os::write_all(pipe.write_end.get(), text);
  pipe.write_end.reset();
  reader.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  CHECK(written.bytes == text.size());
  CHECK(written.error == 0);
  const bool same = read == filling + text;
  CHECK(same);
}

TEST_CASE("output: who takes nothing is not waited for for ever") {
  const Pipe pipe = blocking_pipe();
  make_nonblocking(pipe.write_end);
  const os::Written written = os::write_all(pipe.write_end.get(), long_text());
  CHECK(written.bytes == static_cast<std::size_t>(::fcntl(pipe.write_end.get(), F_GETPIPE_SZ)));
  CHECK(written.error == EAGAIN);
}

TEST_CASE("output: a full disk is an error, not an end") {
  const os::Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full);
  const os::Written written = os::write_all(full.get(), "text");
  CHECK(written.bytes == 0);
  CHECK(written.error == ENOSPC);
}

TEST_CASE("output: where a file takes a part, the part is counted") {
  const test::TemporaryFile file;
  CHECK(test::said_in_child([&] {
          ::signal(SIGXFSZ, SIG_IGN);
          const rlimit limit{1000, 1000};
          ::setrlimit(RLIMIT_FSIZE, &limit);
          const os::Descriptor out(::open(file.path().c_str(), O_WRONLY));
          const os::Written written = os::write_all(out.get(), std::string(1500, 'x'));
          return fmt::format("{} {}", written.bytes, written.error == EFBIG);
        }) == "1000 true");
  CHECK(file.content() == std::string(1000, 'x'));
}

TEST_CASE("output: a reader that has gone is an error, and no signal where it is blocked") {
  Pipe pipe = blocking_pipe();
  pipe.read_end.reset();
  const WithoutSigpipe guard;
  const os::Written written = os::write_all(pipe.write_end.get(), "text");
  CHECK(written.bytes == 0);
  CHECK(written.error == EPIPE);
}

TEST_CASE("output: a reader that goes while it is waited for ends the wait") {
  Pipe pipe = blocking_pipe();
  make_nonblocking(pipe.write_end);
  const int room = ::fcntl(pipe.write_end.get(), F_GETPIPE_SZ);
  std::thread reader([&] {
    char byte = 0;
    static_cast<void>(::read(pipe.read_end.get(), &byte, 1));  // the writer is at work
    pipe.read_end.reset();
  });
  const WithoutSigpipe guard;
  const os::Written written = os::write_all(pipe.write_end.get(), long_text());
  reader.join();
  CHECK(written.error == EPIPE);
  CHECK(written.bytes > 0);
  CHECK(written.bytes <= static_cast<std::size_t>(room));
}

TEST_CASE("output: a descriptor that is none is an error") {
  CHECK(os::write_all(-1, "text").error == EBADF);
  const os::Descriptor reading(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(os::write_all(reading.get(), "text").error == EBADF);
}

TEST_CASE("output: an error number has the system's words") {
  CHECK(os::error_text(ENOSPC) == std::strerror(ENOSPC));
  CHECK(os::error_text(EPIPE) != os::error_text(ENOSPC));
  CHECK_FALSE(os::error_text(123'456).empty());
}

TEST_CASE("output: a file is appended to, also by two at once") {
  const test::TemporaryFile file;
  {
    auto first = os::open_for_appending(file.path());
    auto second = os::open_for_appending(file.path());
    REQUIRE(first);
    REQUIRE(second);
    os::write_all(first->get(), "1");
    os::write_all(second->get(), "2");
    os::write_all(first->get(), "3");
    CHECK((::fcntl(first->get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
  auto again = os::open_for_appending(file.path());
  REQUIRE(again);
  os::write_all(again->get(), "4");
  CHECK(file.content() == "1234");
}

TEST_CASE("output: a file that is not there is made, as the mask says") {
  const test::TemporaryFile file;
  const std::string path = file.path() + ".new";
  CHECK(test::said_in_child([&] {
          ::umask(027);
          auto made = os::open_for_appending(path);
          struct stat is {};
          ::stat(path.c_str(), &is);
          return fmt::format("{} {:o}", static_cast<bool>(made), is.st_mode & 0777U);
        }) == "true 640");
  CHECK(::unlink(path.c_str()) == 0);
}

TEST_CASE("output: a pipe without a reader is not waited for") {
  const test::TemporaryFile file;
  const std::string path = file.path() + ".pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const auto none = os::open_for_appending(path);
  REQUIRE_FALSE(none);
  CHECK(none.reason() == "nobody reads it");
  const os::Descriptor reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  CHECK(os::open_for_appending(path));
  CHECK(::unlink(path.c_str()) == 0);
}

TEST_CASE("output: a file that cannot be opened has its reason") {
  const auto folder = os::open_for_appending("/tmp");
  REQUIRE_FALSE(folder);
  CHECK(folder.reason() == os::error_text(EISDIR));
  const auto nowhere = os::open_for_appending("/no such folder/at all/file");
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.reason() == os::error_text(ENOENT));
  const auto nothing = os::open_for_appending("");
  REQUIRE_FALSE(nothing);
  CHECK(nothing.reason() == os::error_text(ENOENT));
}

TEST_CASE("output: a file that the program closed beneath us is opened again, and what took its number is left alone") {
  const test::TemporaryFile file;
  const test::TemporaryFile other;
  auto opened = os::open_for_appending(file.path());
  REQUIRE(opened);
  const int fd = opened->get();
  os::Output output(fd, std::move(*opened), file.path());
  CHECK(output.write("one ").bytes == 4);
  CHECK_FALSE(output.was_opened_again());
  auto theirs = os::open_for_appending(other.path());
  REQUIRE(theirs);
  REQUIRE(::dup2(theirs->get(), fd) == fd);
  CHECK(output.write("two").bytes == 3);
  CHECK(output.was_opened_again());
  CHECK_FALSE(output.was_opened_again());
  CHECK(file.content() == "one two");
  CHECK(other.content().empty());
  ::close(fd);
}

TEST_CASE("output: one that is not to be had again is an error") {
  const test::TemporaryFile other;
  test::Ends pipe = test::make_pipe();
  const int fd = pipe.theirs.get();
  os::Output output(fd, std::move(pipe.theirs));
  auto theirs = os::open_for_appending(other.path());
  REQUIRE(theirs);
  REQUIRE(::dup2(theirs->get(), fd) == fd);
  CHECK(output.write("text").error == EBADF);
  CHECK(other.content().empty());
  ::close(fd);
}

TEST_CASE("output: a relative path is one of the current folder") {
  CHECK(os::absolute_path("").empty());
  CHECK(os::absolute_path("/a/b") == "/a/b");
  CHECK(os::absolute_path("b") == std::filesystem::current_path().string() + "/b");
}

}  // namespace
