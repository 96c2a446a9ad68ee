// Tests of stream_sink.cpp: when it writes, what it counts as lost, and what it complains of.
#include "log/sink/stream_sink.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "log/render/lines.hpp"
#include "log/render/screen.hpp"
#include "os/clock.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/events.hpp"
#include "support/fork.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using sink::StreamSink;

// A renderer that says what it is asked for.
struct Script {
  std::int64_t due_ns = render::Renderer::never;
  std::string says{};
  std::string asked{};
  render::Size size{};
  bool live = false;
  bool behind = true;
};

class ScriptedRenderer : public render::Renderer {
 public:
  explicit ScriptedRenderer(Script& script) : script_(script) {}
  void accept(const Event&, std::int64_t) override { script_.asked += "accept "; }
  std::int64_t due_ns() const override { return script_.due_ns; }
  void draw(std::string& out, std::int64_t, render::Size size) override {
    script_.asked += "draw ";
    script_.size = size;
    out += script_.says;
  }
  bool draws_frames() const override { return true; }  // and so the size is asked for
  bool live() const override { return script_.live; }
  void stay_behind(bool on) override { script_.behind = on; }
  void leave(bool for_good) override { script_.asked += for_good ? "leave-for-good " : "leave "; }
  void suspend(bool on) override { script_.asked += on ? "suspend " : "resume "; }

 private:
  Script& script_;
};

// A sink on a terminal of its own, whose renderer always has something to draw.
struct OnTerminal {
  OnTerminal() { script.due_ns = 0; }
  Ends terminal = make_terminal(33, 7);
  Script script{};
  StreamSink sink{std::make_unique<ScriptedRenderer>(script), terminal.theirs.get(), {}, "it"};
};

std::unique_ptr<render::Renderer> plain_lines() {
  return std::make_unique<render::Lines>(render::LineFormat::plain, render::BarLines::plain, render::LineWords{});
}

const std::string head = "2026-11-21 04:16:40.727 INF prog[4711]: ";

// A stream that shows where one write() ends and the next begins.
class Packets {
 public:
  Packets() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
    ours_ = os::Descriptor(ends[0]);
    theirs_ = os::Descriptor(ends[1]);
  }
  int theirs() const { return theirs_.get(); }
  // Waits for one.
  std::string next() const {
    std::string piece(std::size_t{1} << 20, '\0');
    const ssize_t got = ::read(ours_.get(), piece.data(), piece.size());
    piece.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return piece;
  }

 private:
  os::Descriptor ours_{};
  os::Descriptor theirs_{};
};

// Nothing listens at the other end of a pipe: an error, not a signal.
struct SigpipeIgnored {
  SigpipeIgnored() { before = ::signal(SIGPIPE, SIG_IGN); }
  ~SigpipeIgnored() { ::signal(SIGPIPE, before); }
  void (*before)(int);
};

}  // namespace

TEST_CASE("stream sink: records are held until it settles or is flushed") {
  const Ends pipe = make_pipe();
  StreamSink sink(plain_lines(), pipe.theirs.get(), {}, "it");
  sink.accept(event_of(record("one")));
  sink.accept(event_of(record("two")));
  CHECK(read_now(pipe.ours) == "");
  sink.settle();
  CHECK(read_now(pipe.ours) == head + "one\n" + head + "two\n");
  sink.settle();
  sink.flush();
  CHECK(read_now(pipe.ours) == "");
  sink.accept(event_of(record("three")));
  sink.flush();
  CHECK(read_now(pipe.ours) == head + "three\n");
  CHECK(sink.undelivered() == 0);
  CHECK(sink.take_complaint() == "");
}

TEST_CASE("stream sink: the bytes that were taken are counted, refused ones are not") {
  const Ends pipe = make_pipe();
  StreamSink sink(plain_lines(), pipe.theirs.get(), {}, "it");
  CHECK(sink.taken() == 0);
  sink.accept(event_of(record("one")));
  sink.flush();
  CHECK(sink.taken() == (head + "one\n").size());
  const os::Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  StreamSink refusing(plain_lines(), full.get(), {}, "it");
  refusing.accept(event_of(record("one")));
  refusing.flush();
  CHECK(refusing.taken() == 0);
}

TEST_CASE("stream sink: a large write arrives whole and in order") {
  const TemporaryFile file;
  const os::Descriptor fd(::open(file.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  StreamSink sink(plain_lines(), fd.get(), {}, "it");
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i) text += std::to_string(i) + ' ';
  sink.accept(event_of(record(text)));
  sink.accept(event_of(record("after")));
  sink.leave(true);
  CHECK((file.content() == head + text + "\n" + head + "after\n"));
  CHECK(sink.taken() == file.content().size());
}

TEST_CASE("stream sink: settling writes what is due, flushing what there is") {
  const Ends pipe = make_pipe();
  Script script;
  StreamSink sink(std::make_unique<ScriptedRenderer>(script), pipe.theirs.get(), {}, "it");
  script.asked.clear();
  script.says = "x";

  sink.settle();
  sink.flush();
  CHECK(script.asked == "");  // never due: not even asked
  CHECK(sink.due_ns() == event::Outlet::never);

  script.due_ns = os::monotonic_ns() + std::int64_t{86'400} * 1'000'000'000;
  CHECK(sink.due_ns() == script.due_ns);
  sink.settle();
  CHECK(script.asked == "");
  sink.flush();
  CHECK(script.asked == "draw ");

  script.due_ns = 0;
  sink.settle();
  CHECK(script.asked == "draw draw ");
  CHECK(read_now(pipe.ours) == "xx");
}

TEST_CASE("stream sink: leaving and suspending reach the renderer, and are written at once") {
  const Ends pipe = make_pipe();
  Script script;
  StreamSink sink(std::make_unique<ScriptedRenderer>(script), pipe.theirs.get(), {}, "it");
  script = {0, "x", {}, {}, false, true};
  sink.suspend(true);
  sink.suspend(false);
  sink.leave(false);
  sink.leave(true);
  CHECK(script.asked == "suspend draw resume draw leave draw leave-for-good draw ");
  CHECK(read_now(pipe.ours) == "xxxx");
}

TEST_CASE(
    "stream sink: live rows are the renderer's; a terminal that is not this session's is in nobody's background") {
  OnTerminal on;
  on.sink.settle();
  CHECK_FALSE(on.script.behind);
  CHECK_FALSE(on.sink.live());
  on.script.live = true;
  CHECK(on.sink.live());
}

TEST_CASE("stream sink: the size is the terminal's at each write") {
  OnTerminal on;
  on.sink.settle();
  CHECK(on.script.size == render::Size{33, 7});
  set_size(on.terminal.theirs, 120, 40);
  on.sink.settle();
  CHECK(on.script.size == render::Size{120, 40});
  set_size(on.terminal.theirs, 0, 0);  // a terminal that does not say
  on.sink.settle();
  CHECK(on.script.size == render::Size{80, 24});

  const Ends pipe = make_pipe();
  StreamSink plain(std::make_unique<ScriptedRenderer>(on.script), pipe.theirs.get(), {}, "it");
  plain.settle();
  CHECK(on.script.size == render::Size{80, 24});
}

TEST_CASE("stream sink: the first line is worded for the size the terminal has") {
  const Ends terminal = make_terminal(30, 7);
  StreamSink sink(std::make_unique<render::Screen>(render::LineWords{false, false, nullptr}), terminal.theirs.get(), {},
                  "it");
  sink.accept(event_of(bar(1, BarState::finished, 10, 10, "Reading")));
  sink.flush();
  // No room for a picture.
  CHECK(read_now(terminal.ours).starts_with("Reading 100% 10/10 finished\r"));
}

TEST_CASE("stream sink: pieces of a large write end where lines end") {
  // A socket that keeps packets apart shows each write().
  const Packets packets;
  for (const bool leaving : {false, true}) {
    StreamSink sink(plain_lines(), packets.theirs(), {}, "it");
    std::string all;
    for (int i = 0; all.size() < 150'000; ++i) {
      const std::string text = std::string(static_cast<std::size_t>(i % 97), 'x') + std::to_string(i);
      sink.accept(event_of(record(text)));
      all += head + text + '\n';
    }
    std::string got;
    int torn = 0;
    std::thread reader([&] {
      while (got.size() < all.size()) {
        const std::string piece = packets.next();
        if (!piece.ends_with('\n')) ++torn;
        got += piece;
      }
    });
    if (leaving) sink.leave(true);
    else sink.flush();
    reader.join();
    CHECK((got == all));
    CHECK(torn == 0);
  }
}

TEST_CASE("stream sink: a frame is one write") {
  const Packets packets;
  StreamSink sink(std::make_unique<render::Screen>(render::LineWords{false, false, nullptr}), packets.theirs(), {},
                  "it");
  for (int i = 0; i < 20; ++i) sink.accept(event_of(record("one line of many")));
  sink.flush();
  const std::string piece = packets.next();
  CHECK(lines_of(piece).size() == 20);
  sink.accept(event_of(bar(1, BarState::finished, 10, 10, "Reading")));
  sink.accept(event_of(record("after")));
  sink.flush();
  CHECK(lines_of(packets.next()).size() == 2);
}

TEST_CASE("stream sink: a burst is written before it settles") {
  const TemporaryFile file;
  StreamSink sink(plain_lines(), ::open(file.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC), {}, "it");
  const std::string text(1000, 'x');
  for (int i = 0; i < 50; ++i) sink.accept(event_of(record(text)));
  CHECK(file.content().empty());
  for (int i = 0; i < 450; ++i) sink.accept(event_of(record(text)));
  CHECK(file.content().size() > 300'000);
  sink.flush();
  CHECK(lines_of(file.content()) == std::vector<std::string>(500, head + text));
}

TEST_CASE("stream sink: what cannot be written is counted, and told once for each run of failures") {
  const TemporaryFile file;
  const os::Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const os::Descriptor good(::open(file.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  const os::Descriptor target(::dup(full.get()));
  REQUIRE((full && good && target));
  StreamSink sink(plain_lines(), target.get(), {}, "the file");

  Record notice = record("of dlog", Level::warn);
  notice.notice = true;
  sink.accept(event_of(record("own 1")));
  sink.accept(event_of(record("own 2")));
  sink.accept(event_of(record("a child's"), child));
  sink.accept(event_of(notice, own_notice));
  sink.accept(event_of(bar(1, BarState::finished, 1, 1, "a bar")));
  sink.settle();
  CHECK(sink.undelivered() == 2);
  CHECK(sink.take_complaint() == "the file: No space left on device; 4 records not written, more may follow");
  CHECK(sink.take_complaint() == "");

  sink.accept(event_of(record("own 3")));
  sink.flush();
  CHECK(sink.undelivered() == 3);
  CHECK(sink.take_complaint() == "");

  ::dup2(good.get(), target.get());
  sink.accept(event_of(record("written")));
  sink.settle();
  CHECK(sink.undelivered() == 3);
  CHECK(sink.take_complaint() == "");
  CHECK(file.content() == head + "written\n");

  ::dup2(full.get(), target.get());
  sink.accept(event_of(record("own 4")));
  sink.settle();
  CHECK(sink.undelivered() == 4);
  CHECK(sink.take_complaint() == "the file: No space left on device; 1 records not written, more may follow");
  ::dup2(good.get(), target.get());
  sink.accept(event_of(record("written again")));
  sink.settle();
  CHECK(file.content() == head + "written\n" + head + "written again\n");  // what failed does not come late
}

TEST_CASE("stream sink: a burst that fails counts every record once") {
  const os::Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  StreamSink sink(plain_lines(), full.get(), {}, "it");
  const std::string text(1000, 'x');
  for (int i = 0; i < 1000; ++i) sink.accept(event_of(record(text)));
  sink.flush();
  CHECK(sink.undelivered() == 1000);
}

TEST_CASE("stream sink: after a line that was cut short by an error the next one begins anew") {
  const TemporaryFile file;
  const Ended ended = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t no_limit = limit.rlim_cur;
    limit.rlim_cur = head.size() + 7;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const os::Descriptor fd(::open(file.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    StreamSink sink(plain_lines(), fd.get(), {}, "it");
    sink.accept(event_of(record("cut here")));
    CHECK(sink.waiting() == 1);
    sink.flush();
    CHECK(sink.waiting() == 0);
    CHECK(sink.undelivered() == 1);
    sink.accept(event_of(record("nothing of it")));
    sink.flush();
    CHECK(sink.undelivered() == 2);
    limit.rlim_cur = no_limit;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (const char* text : {"whole", "again"}) {
      sink.accept(event_of(record(text)));
      sink.flush();
    }
  });
  CHECK(ended.code == 0);
  CHECK(file.content() == head + "cut her\n" + head + "whole\n" + head + "again\n");
}

TEST_CASE("stream sink: a reader that goes away is a failure like another") {
  const SigpipeIgnored no_sigpipe;
  Ends pipe = make_pipe();
  StreamSink sink(plain_lines(), pipe.theirs.get(), {}, "console");
  pipe.ours.reset();
  sink.accept(event_of(record("one")));
  sink.settle();
  CHECK(sink.undelivered() == 1);
  CHECK(sink.take_complaint() == "console: Broken pipe; 1 records not written, more may follow");
}

TEST_CASE("stream sink: a descriptor is closed only where it is owned") {
  const Ends borrowed = make_pipe();
  { const StreamSink sink(plain_lines(), borrowed.theirs.get(), {}, "it"); }
  CHECK(os::is_open(borrowed.theirs.get()));

  Ends given = make_pipe();
  const int fd = given.theirs.get();
  {
    StreamSink sink(plain_lines(), fd, std::move(given.theirs), "it");
    sink.accept(event_of(record("one")));
    sink.flush();
    CHECK(os::is_open(fd));
  }
  CHECK_FALSE(os::is_open(fd));
  CHECK(read_now(given.ours) == head + "one\n");
}

TEST_CASE("stream sink: one frame of a screen is one write") {
  const Ends terminal = make_terminal(80, 24);
  StreamSink sink(std::make_unique<render::Screen>(render::LineWords{false, false, nullptr}), terminal.theirs.get(), {},
                  "it");
  sink.accept(event_of(running(1, 5, 10, "Reading")));
  sink.accept(event_of(record("one")));
  sink.flush();
  CHECK(read_now(terminal.ours) == "04:16:40.727 INF prog[4711]: one\r\n");
  sink.accept(event_of(bar(1, BarState::finished, 10, 10, "Reading")));
  sink.leave(true);
  CHECK(read_now(terminal.ours)
            .starts_with("Reading [########################################] 100% 10/10 finished in "));
}

TEST_CASE("stream sink: no frames for what a program puts in the place of its terminal") {
  const TemporaryFile file;
  const os::Descriptor in_place(::open(file.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  OnTerminal on;
  on.sink.settle();
  CHECK_FALSE(on.script.behind);
  REQUIRE(::dup2(in_place.get(), on.terminal.theirs.get()) >= 0);
  on.sink.settle();
  CHECK(on.script.behind);
}
