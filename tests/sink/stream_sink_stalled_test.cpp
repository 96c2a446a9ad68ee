// Tests of stream_sink.cpp where the descriptor takes nothing: nobody is held, nothing is torn, and what waits has a bound.
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "log/render/lines.hpp"
#include "log/render/screen.hpp"
#include "log/sink/stream_sink.hpp"
#include "os/clock.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/events.hpp"
#include "support/terminal.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using sink::StreamSink;

const std::string head = "2026-11-21 04:16:40.727 INF prog[4711]: ";

std::unique_ptr<render::Renderer> plain_lines() {
  return std::make_unique<render::Lines>(render::LineFormat::plain, render::BarLines::plain, render::LineWords{});
}
std::unique_ptr<render::Renderer> screen() {
  return std::make_unique<render::Screen>(render::LineWords{false, false, nullptr});
}

// A pipe that is full.
struct FullPipe {
  FullPipe() {
    const os::Descriptor again(
        ::open(("/proc/self/fd/" + std::to_string(ends.theirs.get())).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    const std::string piece(4096, '.');
    while (::write(again.get(), piece.data(), piece.size()) > 0) filled += piece.size();
  }
  Ends ends = make_pipe();
  std::size_t filled = 0;
};

// As the log thread does it: until nothing is owed any more. What comes is read.
std::string settle_all(StreamSink& sink, const os::Descriptor& from) {
  std::string read;
  while (sink.owes()) {
    read += read_now(from);
    sink.settle();
  }
  return read + read_now(from);
}

}  // namespace

TEST_CASE("stalled stream sink: what is not taken is kept, and written when it is, in order") {
  const FullPipe pipe;
  StreamSink sink(plain_lines(), pipe.ends.theirs.get(), {}, "it");
  sink.accept(event_of(record("one")));
  sink.settle();
  CHECK_FALSE(sink.owes());  // nobody asked
  sink.accept(event_of(record("two")));
  sink.flush();
  CHECK(sink.owes());
  sink.accept(event_of(record("three")));
  for (int i = 0; i < 5; ++i) sink.settle();
  CHECK(sink.owes());
  CHECK(sink.taken() == 0);
  CHECK(sink.due_ns() != event::Outlet::never);
  CHECK(read_now(pipe.ends.ours).size() == pipe.filled);
  CHECK(settle_all(sink, pipe.ends.ours) == head + "one\n" + head + "two\n" + head + "three\n");
  CHECK_FALSE(sink.owes());
  CHECK(sink.due_ns() == event::Outlet::never);
  CHECK(sink.undelivered() == 0);
}

TEST_CASE("stalled stream sink: what is asked for is owed until its last byte, however much comes after it") {
  const FullPipe pipe;
  StreamSink sink(plain_lines(), pipe.ends.theirs.get(), {}, "it");
  const std::string text(400'000, 'x');
  sink.accept(event_of(record(text)));
  sink.flush();
  CHECK(sink.owes());
  std::string read = read_now(pipe.ends.ours).substr(pipe.filled);
  while (sink.owes()) {
    sink.accept(event_of(record("later")));
    sink.settle();
    read += read_now(pipe.ends.ours);
  }
  CHECK(read.starts_with(head + text + "\n"));
  sink.flush();
  read += settle_all(sink, pipe.ends.ours);
  CHECK(read.ends_with(head + "later\n"));
}

TEST_CASE("stalled stream sink: tries are spread in time, the next is told") {
  const FullPipe pipe;
  StreamSink sink(plain_lines(), pipe.ends.theirs.get(), {}, "it");
  sink.accept(event_of(record("one")));
  sink.flush();
  std::int64_t longest_ns = 0;
  for (int tries = 0; tries < 8; ++tries) {
    const std::int64_t due_ns = sink.due_ns();
    sink.settle();
    if (os::monotonic_ns() < due_ns) CHECK(sink.due_ns() == due_ns);  // too early: not tried
    while (os::monotonic_ns() < due_ns) std::this_thread::yield();
    sink.settle();
    longest_ns = std::max(longest_ns, sink.due_ns() - due_ns);
  }
  CHECK(longest_ns >= 30'000'000);
}

TEST_CASE("stalled stream sink: it is full at its bound, and not where it takes what comes") {
  const FullPipe pipe;
  StreamSink sink(plain_lines(), pipe.ends.theirs.get(), {}, "it");
  const std::string text(1000, 'x');
  std::size_t accepted = 0;
  while (!sink.full() && accepted < 10'000'000) {
    sink.accept(event_of(record(text)));
    accepted += text.size();
  }
  CHECK(accepted > StreamSink::kept_bytes_max / 2);
  CHECK(accepted < StreamSink::kept_bytes_max * 2);
  read_now(pipe.ends.ours);
  sink.flush();
  settle_all(sink, pipe.ends.ours);
  CHECK_FALSE(sink.full());

  const TemporaryFile file;
  StreamSink taking(plain_lines(), ::open(file.path().c_str(), O_WRONLY | O_CLOEXEC), {}, "it");
  for (int i = 0; i < 5000; ++i) taking.accept(event_of(record(text)));
  CHECK_FALSE(taking.full());
}

TEST_CASE("stalled stream sink: bars that end count for its bound") {
  const FullPipe pipe;
  StreamSink sink(screen(), pipe.ends.theirs.get(), {}, "it");
  sink.accept(event_of(record("one")));
  sink.flush();
  int ended = 0;
  while (!sink.full() && ended < 100'000)
    sink.accept(event_of(bar(1, BarState::finished, 1, 1, std::string(64, 'b')))), ++ended;
  CHECK(ended < 100'000);
}

TEST_CASE("stalled stream sink: what was kept and cannot be written counts as lost, with what it was drawn with") {
  FullPipe pipe;
  StreamSink sink(plain_lines(), pipe.ends.theirs.get(), {}, "the pipe");
  sink.accept(event_of(record("one")));
  sink.accept(event_of(record("two")));
  sink.accept(event_of(record("a child's"), child));
  sink.flush();
  CHECK(sink.undelivered() == 0);
  const os::Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ::dup2(full.get(), pipe.ends.theirs.get());
  while (sink.owes()) sink.settle();
  CHECK(sink.undelivered() == 2);
  CHECK(sink.take_complaint() == "the pipe: No space left on device; 3 records not written, more may follow");
  sink.accept(event_of(record("three")));
  sink.flush();
  CHECK(sink.undelivered() == 3);
}

TEST_CASE("stalled stream sink: the program may lead it elsewhere") {
  FullPipe pipe;
  const TemporaryFile file;
  const os::Descriptor good(::open(file.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  StreamSink sink(plain_lines(), pipe.ends.theirs.get(), {}, "it");
  sink.accept(event_of(record("one")));
  sink.flush();
  ::dup2(good.get(), pipe.ends.theirs.get());
  while (sink.owes()) sink.settle();
  CHECK(file.content() == head + "one\n");
}

TEST_CASE(
    "stalled stream sink: a terminal that was stopped shows the newest state when it goes on, and no frame is torn") {
  const Ends ends = make_terminal(60, 12);
  Terminal shown(60, 12);
  StreamSink sink(screen(), ends.theirs.get(), {}, "it");
  const auto start_ns = os::monotonic_ns();
  sink.accept(event_of(running(1, 1, 100, "Reading")));
  while (os::monotonic_ns() < start_ns + 2 * render::Screen::Look{}.age_ns) sink.settle();
  shown.write(read_now(ends.ours));
  REQUIRE(shown.screen().size() == 2);

  REQUIRE(::tcflow(ends.theirs.get(), TCOOFF) == 0);
  for (std::uint64_t value = 2; value <= 40; ++value) {
    sink.accept(event_of(running(1, value, 100, "Reading")));
    sink.accept(event_of(record("record " + std::to_string(value))));
    sink.flush();
  }
  CHECK(sink.owes());
  CHECK(read_now(ends.ours).empty());
  REQUIRE(::tcflow(ends.theirs.get(), TCOON) == 0);
  shown.write(settle_all(sink, ends.ours));
  const Rows rows = shown.text();
  REQUIRE(rows.size() == 41);
  for (int i = 0; i < 39; ++i) CHECK(rows[static_cast<std::size_t>(i)].ends_with("record " + std::to_string(i + 2)));
  CHECK(rows[40].find("40%") != std::string::npos);
  CHECK(shown.settled());
}
