// Tests of socket_sink.cpp: the frames a parent gets, byte for byte, and what becomes of them when it is gone.
#include "log/sink/socket_sink.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "os/socket.hpp"
#include "support/catch.hpp"
#include "support/collecting.hpp"
#include "support/descriptors.hpp"
#include "support/frames.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using sink::SocketSink;

constexpr std::uint64_t id_base = 0x18e9'f45b'a012'0000;

// What a succession was given, and the outlet that follows.
struct Heir {
  int calls = 0;
  std::string frames{};
  std::string reason{};
  Collected collected{};
  std::uint64_t undelivered = 0;
  std::string complaint{};
  std::int64_t due_ns = event::Outlet::never;
};

class HeirOutlet : public CollectingOutlet {
 public:
  explicit HeirOutlet(Heir& heir) : CollectingOutlet(heir.collected), heir_(heir) {}
  void settle() override {
    heir_.collected.add_call("settle");
    took(10);
  }
  std::int64_t due_ns() const override { return heir_.due_ns; }
  std::uint64_t undelivered() const override { return heir_.undelivered; }
  std::string take_complaint() override { return std::exchange(heir_.complaint, {}); }

 private:
  Heir& heir_;
};

const std::string hello = hello_frame("prog", 4711, "token");

std::unique_ptr<sink::EventEncoder> extension() { return sink::extension_encoder(id_base, {4711, "prog", "token"}); }

struct Child {
  explicit Child(int receive_bytes = 0, std::unique_ptr<sink::EventEncoder> encoder = sink::seed_encoder(id_base))
      : ends(make_connection(receive_bytes)), sink(std::move(ends.theirs), std::move(encoder), succession()) {}

  SocketSink::Succession succession() {
    return [this](std::span<const std::byte> frames, const std::string& reason) {
      ++heir.calls;
      heir.frames = text_of(frames);
      heir.reason = reason;
      return std::make_unique<HeirOutlet>(heir);
    };
  }
  // Settles, and compares what the parent got since.
  void expect(const std::string& frames) {
    sink.settle();
    CHECK(receive_exactly(ends.ours, frames.size()) == frames);
    CHECK(read_now(ends.ours) == "");
  }
  void close_parent() { ends.ours.reset(); }

  Heir heir{};
  Ends ends;
  SocketSink sink;
};

}  // namespace

TEST_CASE("socket sink: the golden frames") {
  Child child_process;
  child_process.sink.accept(event_of(record("burst 0")));
  child_process.expect(std::string("\x00\x00\x00\x29"
                                   "\x00\x02\x00\x00\x00\x07"
                                   "burst 0"
                                   "\x00\x00\x00\x18",
                                   21) +
                       "2026-11-21T04:16:40.727Z");
  child_process.sink.accept(event_of(running(0x396e, 0, 1, "x")));
  child_process.expect(
      std::string("\x00\x00\x00\x16"
                  "\x01\x18\xe9\xf4\x5b\xa0\x12\x39\x6e"
                  "\x00\x00\x00\x01"
                  "x"
                  "\x00\x00\x00\x00\x00\x00\x00\x01",
                  26));
  child_process.sink.accept(event_of(bar(0x396e, BarState::finished, 0, 1, "x")));
  child_process.expect(
      std::string("\x00\x00\x00\x09"
                  "\x03\x18\xe9\xf4\x5b\xa0\x12\x39\x6e",
                  13));
}

TEST_CASE("socket sink: records of every level and time") {
  Child child_process;
  std::string expected;
  for (unsigned level = 0; level <= 5; ++level) {
    child_process.sink.accept(event_of(record("m", static_cast<Level>(level))));
    expected += log_frame(level, "m");
  }
  child_process.sink.accept(event_of(record(""), own, noted_ns + 272'876'543));
  expected += log_frame(2, "", "2026-11-21T04:16:40.999Z");
  child_process.sink.accept(event_of(record("next"), own, noted_ns + 272'876'544));
  expected += log_frame(2, "next", "2026-11-21T04:16:41.000Z");
  child_process.sink.accept(event_of(record("back"), own, noted_ns));
  expected += log_frame(2, "back");
  child_process.sink.accept(event_of(record("a\n\x1b[2J\tü")));
  expected += log_frame(2, "a\n\x1b[2J\tü");  // escaping is the parent's business
  child_process.expect(expected);
}

TEST_CASE("socket sink: a parent never gets text that is not UTF-8") {
  Child child_process;
  child_process.sink.accept(event_of(record("a\xff\xc3")));
  child_process.sink.accept(event_of(running(1, 0, 5, "b\xed\xa0\x80")));
  Bar failed = bar(1, BarState::failed, 2, 5, "b\xed\xa0\x80");
  failed.message = "\xfe";
  child_process.sink.accept(event_of(failed));
  child_process.expect(log_frame(2, "a\\xff\\xc3") + create_frame(id_base + 1, "b\\xed\\xa0\\x80", 5) +
                       push_frame(id_base + 1, 2) + log_frame(4, "b\\xed\\xa0\\x80: failed at 2/5: \\xfe") +
                       finish_frame(id_base + 1));
}

TEST_CASE("socket sink: a notice says who speaks") {
  Child child_process;
  Record notice = record("3 records dropped\xff", Level::warn);
  notice.notice = true;
  child_process.sink.accept(event_of(notice, own_notice));
  child_process.expect(log_frame(3, "dlog: 3 records dropped\\xff"));
}

TEST_CASE("socket sink: a bar's life in frames, changes only") {
  Child child_process;
  SocketSink& sink = child_process.sink;
  const std::uint64_t id = id_base + 7;
  sink.accept(event_of(running(7, 0, 10, "Reading")));
  sink.accept(event_of(running(7, 0, 10, "Reading")));  // nothing changed
  sink.accept(event_of(running(7, 3, 10, "Reading")));
  sink.accept(event_of(running(7, 3, 20, "Renamed")));  // the seed has no frame for a new total or description
  sink.accept(event_of(running(7, 2, 20, "Renamed")));
  sink.accept(event_of(bar(7, BarState::finished, 20, 20, "Renamed")));
  sink.accept(event_of(running(7, 0, 5, "Again")));  // the number is free again
  child_process.expect(create_frame(id, "Reading", 10) + push_frame(id, 3) + push_frame(id, 2) + push_frame(id, 20) +
                       finish_frame(id) + create_frame(id, "Again", 5));
}

TEST_CASE("socket sink: ends that the seed cannot say become a record and an end") {
  Child child_process;
  SocketSink& sink = child_process.sink;
  Bar failed = bar(1, BarState::failed, 3, 10, "a");
  failed.message = "404";
  sink.accept(event_of(failed));
  sink.accept(event_of(bar(2, BarState::abandoned, 4, 10, "b")));
  sink.accept(event_of(bar(3, BarState::cleared, 0, 10, "c")));
  sink.accept(event_of(bar(4, BarState::finished, 10, 10, "d")));
  child_process.expect(create_frame(id_base + 1, "a", 10) + push_frame(id_base + 1, 3) +
                       log_frame(4, "a: failed at 3/10: 404") + finish_frame(id_base + 1) +
                       create_frame(id_base + 2, "b", 10) + push_frame(id_base + 2, 4) +
                       log_frame(3, "b: abandoned at 4/10") + finish_frame(id_base + 2) +
                       create_frame(id_base + 3, "c", 10) + finish_frame(id_base + 3) +
                       create_frame(id_base + 4, "d", 10) + push_frame(id_base + 4, 10) + finish_frame(id_base + 4));
}

TEST_CASE("socket sink: the largest numbers") {
  Child child_process;
  constexpr auto most = ~std::uint64_t{0};
  child_process.sink.accept(event_of(running(most, most, most, "x")));
  child_process.expect(create_frame(id_base + most, "x", most) + push_frame(id_base + most, most));
}

TEST_CASE("socket sink: frames go out in batches") {
  Child child_process;
  SocketSink& sink = child_process.sink;
  const std::string message(1000, 'm');
  std::string all;
  for (int i = 0; i < 60; ++i) {
    sink.accept(event_of(record(message)));
    all += log_frame(2, message);
  }
  REQUIRE(all.size() < SocketSink::batch_bytes);
  CHECK(read_now(child_process.ends.ours) == "");
  while (all.size() < SocketSink::batch_bytes) {
    sink.accept(event_of(record(message)));
    all += log_frame(2, message);
  }
  CHECK(receive_exactly(child_process.ends.ours, all.size()) == all);
  CHECK(sink.due_ns() == event::Outlet::never);
}

TEST_CASE("socket sink: settling, flushing and leaving send, suspending does not") {
  Child child_process;
  SocketSink& sink = child_process.sink;
  const std::string one = log_frame(2, "m");
  sink.accept(event_of(record("m")));
  sink.suspend(true);
  sink.suspend(false);
  CHECK(read_now(child_process.ends.ours) == "");
  sink.flush();
  CHECK(receive_exactly(child_process.ends.ours, one.size()) == one);
  sink.accept(event_of(record("m")));
  sink.leave(false);
  CHECK(receive_exactly(child_process.ends.ours, one.size()) == one);
  sink.accept(event_of(record("m")));
  sink.leave(true);
  CHECK(receive_exactly(child_process.ends.ours, one.size()) == one);
  CHECK(sink.undelivered() == 0);
  CHECK(sink.take_complaint() == "");
}

TEST_CASE("socket sink: what moves is counted, at the parent and at the heir") {
  Child child_process;
  SocketSink& sink = child_process.sink;
  CHECK(sink.taken() == 0);
  sink.accept(event_of(record("m")));
  sink.settle();
  CHECK(sink.taken() == log_frame(2, "m").size());
  child_process.close_parent();
  sink.accept(event_of(record("m")));
  sink.settle();
  REQUIRE(child_process.heir.calls == 1);
  const std::uint64_t before = sink.taken();
  sink.settle();
  CHECK(sink.taken() > before);
}

TEST_CASE("socket sink: what a parent says is no matter") {
  Child child_process;
  send_all(child_process.ends.ours, std::string(10'000, 'x'));
  child_process.sink.accept(event_of(record("m")));
  child_process.expect(log_frame(2, "m"));
  CHECK(child_process.heir.calls == 0);
}

TEST_CASE("socket sink: a slow parent gets everything") {
  Child child_process(4096);
  std::string all;
  for (int i = 0; i < 20; ++i) all += log_frame(2, std::string(200'000, static_cast<char>('a' + i)));
  std::string got;
  std::thread parent([&] { got = receive_exactly(child_process.ends.ours, all.size()); });
  for (int i = 0; i < 20; ++i)
    child_process.sink.accept(event_of(record(std::string(200'000, static_cast<char>('a' + i)))));
  child_process.sink.settle();
  parent.join();
  CHECK((got == all));
  CHECK(child_process.heir.calls == 0);
}

TEST_CASE("socket sink: when the parent has closed, the heir gets what was not sent and all that comes") {
  Child child_process;
  SocketSink& sink = child_process.sink;
  sink.accept(event_of(record("sent")));
  child_process.expect(log_frame(2, "sent"));
  child_process.close_parent();
  sink.settle();  // nothing to send: nobody needs to know
  CHECK(child_process.heir.calls == 0);

  sink.accept(event_of(record("one")));
  sink.accept(event_of(running(1, 2, 5, "bar")));
  sink.settle();
  Heir& heir = child_process.heir;
  CHECK(heir.calls == 1);
  CHECK(heir.frames == log_frame(2, "one") + create_frame(id_base + 1, "bar", 5) + push_frame(id_base + 1, 2));
  CHECK(heir.reason == "it closed the connection");
  CHECK(heir.collected.calls() == std::vector<std::string>{"settle"});

  sink.accept(event_of(record("two", Level::error)));
  sink.accept(event_of(bar(1, BarState::finished, 5, 5, "bar")));
  sink.settle();
  sink.flush();
  sink.suspend(true);
  sink.suspend(false);
  sink.leave(false);
  sink.leave(true);
  CHECK(heir.calls == 1);
  CHECK(heir.collected.words() ==
        std::vector<std::string>{"bar 1 of prog: running 2/5 bar", "ERR prog: two", "bar 1 of prog: finished 5/5 bar"});
  CHECK(heir.collected.calls() ==
        std::vector<std::string>{"settle", "settle", "flush", "suspend", "resume", "leave", "leave for good"});
  heir.due_ns = 17;
  heir.undelivered = 3;
  heir.complaint = "no space";
  CHECK(sink.due_ns() == 17);
  CHECK(sink.undelivered() == 3);
  CHECK(sink.take_complaint() == "no space");
}

TEST_CASE("socket sink: the heir meets the bars that live, and those whose end the parent did not take") {
  Child child_process;
  SocketSink& sink = child_process.sink;
  std::string sent;
  for (std::uint64_t id = 1; id <= 4; ++id) {
    sink.accept(event_of(running(id, id, 9, "bar")));
    sent += create_frame(id_base + id, "bar", 9) + push_frame(id_base + id, id);
  }
  sink.accept(event_of(bar(4, BarState::finished, 9, 9, "bar")));
  child_process.expect(sent + push_frame(id_base + 4, 9) + finish_frame(id_base + 4));
  child_process.close_parent();
  Bar failed = bar(2, BarState::failed, 5, 9, "bar");
  std::string reason = "404";
  failed.message = reason;
  sink.accept(event_of(failed));
  reason = "spoilt";
  {
    std::string description = "renamed";
    sink.accept(event_of(running(3, 7, 9, description)));
    description = "spoilt!";
  }
  sink.settle();
  auto words = child_process.heir.collected.words();
  std::sort(words.begin(), words.end());
  CHECK(words == std::vector<std::string>{"bar 1 of prog: running 1/9 bar", "bar 2 of prog: failed 5/9 bar (404)",
                                          "bar 3 of prog: running 7/9 renamed"});
}

TEST_CASE("socket sink: flushing and leaving find out, too") {
  for (const bool by_leave : {false, true}) {
    Child child_process;
    child_process.close_parent();
    child_process.sink.accept(event_of(record("one")));
    if (by_leave) child_process.sink.leave(true);
    else child_process.sink.flush();
    CHECK(child_process.heir.calls == 1);
    CHECK(child_process.heir.frames == log_frame(2, "one"));
  }
}

TEST_CASE("socket sink: leaving for good reaches the heir that it brings about") {
  Child child_process;
  child_process.close_parent();
  child_process.sink.accept(event_of(record("one")));
  child_process.sink.leave(true);
  const auto calls = child_process.heir.collected.calls();
  REQUIRE_FALSE(calls.empty());
  CHECK(calls.back() == "leave for good");
}

TEST_CASE("socket sink: a full batch finds out without settling") {
  Child child_process;
  child_process.close_parent();
  std::string all;
  const std::string message(1000, 'm');
  while (child_process.heir.calls == 0) {
    child_process.sink.accept(event_of(record(message)));
    all += log_frame(2, message);
    REQUIRE(all.size() < 2 * SocketSink::batch_bytes);
  }
  CHECK((child_process.heir.frames == all));
}

TEST_CASE("socket sink: a parent that dies inside a frame leaves whole frames to the heir") {
  Child child_process(4096);
  std::vector<std::string> frames;
  std::string all;
  for (int i = 0; i < 400; ++i) {
    frames.push_back(log_frame(2, std::string(20'000 + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26))));
    all += frames.back();
  }
  constexpr std::size_t read_bytes = 50'001;  // inside the third frame
  std::string got;
  std::thread parent([&] {
    got = receive_exactly(child_process.ends.ours, read_bytes);
    child_process.close_parent();  // with bytes unread: a reset
  });
  for (int i = 0; i < 400; ++i) {
    child_process.sink.accept(
        event_of(record(std::string(20'000 + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26)))));
  }
  child_process.sink.settle();
  parent.join();

  const Heir& heir = child_process.heir;
  REQUIRE(heir.calls == 1);
  CHECK((got == all.substr(0, read_bytes)));
  CHECK_FALSE(heir.reason.empty());
  // What the heir got as frames, and then as events, is one unbroken end of all that was said, from the beginning of a frame on.
  const std::size_t told = heir.collected.count();
  std::string end = heir.frames;
  for (std::size_t i = frames.size() - told; i < frames.size(); ++i) end += frames[i];
  REQUIRE(end.size() <= all.size());
  CHECK((all.substr(all.size() - end.size()) == end));
  std::size_t boundary = 0;
  for (const std::string& each : frames) {
    if (boundary >= all.size() - end.size()) break;
    boundary += each.size();
  }
  CHECK(boundary == all.size() - end.size());
  CHECK_FALSE(heir.frames.empty());
}

TEST_CASE("socket sink: a parent of ours is told who speaks, once, with the first event") {
  Child child_process(0, extension());
  child_process.expect("");
  child_process.sink.accept(event_of(record("one")));
  child_process.expect(hello + record_frame("one", {false, 2, 0, 0, noted_ns}));
  child_process.sink.accept(event_of(record("two", Level::error)));
  child_process.expect(record_frame("two", {false, 4, 0, 0, noted_ns}));
}

TEST_CASE("socket sink: what a parent of ours did not take comes with all places, for the heir to read") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  Record placed = record("m");
  placed.file = "a.cpp";
  placed.line = 1;
  placed.function = "f";
  sink.accept(event_of(placed));
  const std::string site = site_frame(1, "a.cpp", 1, "f");
  const std::string framed = record_frame("m", {false, 2, 1, 0, noted_ns});
  child_process.expect(hello + site + framed);
  child_process.close_parent();
  sink.accept(event_of(placed));
  Record other = placed;
  other.file = "b.cpp";
  sink.accept(event_of(other));
  sink.settle();
  const std::string other_site = site_frame(2, "b.cpp", 1, "f");
  CHECK(child_process.heir.frames ==
        site + other_site + framed + other_site + record_frame("m", {false, 2, 2, 0, noted_ns}));
}

TEST_CASE("socket sink: the heir meets bars with all that they are") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  std::string bar_template = "{desc} {bar} with more than fits into a small string";
  Bar one = running(2, 1, 9, "bar");
  one.parent = 1;
  one.paused = true;
  one.unit = Unit::bytes;
  one.estimate = 3;
  one.bar_template = bar_template;
  sink.accept(event_of(one));
  bar_template = "spoilt";
  child_process.close_parent();
  sink.settle();
  const auto told = child_process.heir.collected.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].bar == 2);
  CHECK(told[0].parent == 1);
  CHECK(told[0].paused);
  CHECK(told[0].unit == Unit::bytes);
  CHECK(told[0].estimate == 3);
  CHECK(told[0].bar_template == "{desc} {bar} with more than fits into a small string");
}

TEST_CASE("socket sink: abandoning leaves the connection to the process that owns it") {
  Ends ends = make_connection();
  const os::Descriptor owners(::dup(ends.theirs.get()));  // as the parent of a fork has it
  SocketSink sink(std::move(ends.theirs), sink::seed_encoder(id_base), {});
  sink.accept(event_of(record("buffered before the fork")));
  sink.abandon();
  send_all(owners, "still open");
  CHECK(receive_exactly(ends.ours, 10) == "still open");
}
