// Tests of socket_sink.cpp: the frames a parent gets, byte for byte, and what becomes of them when it is gone.
#include "log/sink/socket_sink.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
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
  std::string frames{};  // that were not sent
  std::string unconfirmed{};
  std::uint64_t unconfirmed_records = 0;
  std::uint64_t forgotten_records = 0;
  bool had_last_word = false;
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

const std::string hello = hello_frame("prog", 4711, "token") + watch_frame();

std::unique_ptr<sink::EventEncoder> extension() { return sink::extension_encoder(id_base, {4711, "prog", "token"}); }

struct Child {
  explicit Child(int receive_bytes = 0, std::unique_ptr<sink::EventEncoder> encoder = sink::seed_encoder(id_base))
      : ends(make_connection(receive_bytes)),
        sink(std::move(ends.theirs), std::move(encoder), succession(), [this](std::optional<Level> level) {
          if (level) levels.push_back(*level);
          else ++levels_ended;
        }) {}

  SocketSink::Succession succession() {
    return [this](const sink::Estate& estate) {
      ++heir.calls;
      heir.frames = text_of(estate.unsent);
      heir.unconfirmed = text_of(estate.unconfirmed);
      heir.unconfirmed_records = estate.unconfirmed_records;
      heir.forgotten_records = estate.forgotten_records;
      heir.had_last_word = estate.had_last_word;
      heir.reason = estate.reason;
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

  // The parent answers, and the child hears it.
  void answer(const std::string& frames) {
    send_all(ends.ours, frames);
    REQUIRE(until([&] {
      std::byte seen[1];
      return ::recv(sink.input(), seen, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    }));
    sink.settle();
  }
  // Settles until it is seen that the parent is gone.
  void settle_until_gone() {
    REQUIRE(until([&] {
      sink.settle();
      return sink.input() < 0;
    }));
  }

  Heir heir{};
  std::vector<Level> levels{};
  int levels_ended = 0;
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
  CHECK(until([&] {
    child_process.sink.settle();
    return child_process.sink.unsent() == 0;
  }));
  parent.join();
  CHECK((got == all));
  CHECK(child_process.heir.calls == 0);
}

TEST_CASE("socket sink: when the parent has closed, the heir gets what was not sent and all that comes") {
  Child child_process;
  SocketSink& sink = child_process.sink;
  sink.accept(event_of(record("sent")));
  child_process.expect(log_frame(2, "sent"));
  sink.accept(event_of(record("one")));
  sink.accept(event_of(running(1, 2, 5, "bar")));
  child_process.close_parent();
  child_process.settle_until_gone();
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
  child_process.close_parent();
  child_process.settle_until_gone();
  auto words = child_process.heir.collected.words();
  std::sort(words.begin(), words.end());
  CHECK(words == std::vector<std::string>{"bar 1 of prog: running 1/9 bar", "bar 2 of prog: failed 5/9 bar (404)",
                                          "bar 3 of prog: running 7/9 renamed"});
}

TEST_CASE("socket sink: flushing and leaving find out, too") {
  for (const bool by_leave : {false, true}) {
    Child child_process;
    child_process.sink.accept(event_of(record("one")));
    child_process.close_parent();
    if (by_leave) child_process.sink.leave(true);
    else child_process.sink.flush();
    CHECK(child_process.heir.calls == 1);
    CHECK(child_process.heir.frames == log_frame(2, "one"));
  }
}

TEST_CASE("socket sink: leaving for good reaches the heir that it brings about") {
  Child child_process;
  child_process.sink.accept(event_of(record("one")));
  child_process.close_parent();
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
  child_process.settle_until_gone();
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

TEST_CASE("socket sink: a parent of ours is told who speaks, once and at once") {
  Child child_process(0, extension());
  child_process.expect(hello);
  child_process.sink.accept(event_of(record("one")));
  child_process.expect(record_frame("one", {false, 2, 0, 0, noted_ns}));
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
  sink.accept(event_of(placed));
  Record other = placed;
  other.file = "b.cpp";
  sink.accept(event_of(other));
  child_process.close_parent();
  child_process.settle_until_gone();
  const std::string other_site = site_frame(2, "b.cpp", 1, "f");
  CHECK(child_process.heir.frames ==
        site + other_site + framed + other_site + record_frame("m", {false, 2, 2, 0, noted_ns}));
  CHECK(child_process.heir.unconfirmed == site + other_site + hello + site + framed);
  CHECK(child_process.heir.unconfirmed_records == 1);
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
  sink.accept(event_of(record("m")));
  child_process.close_parent();
  child_process.settle_until_gone();
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

TEST_CASE("socket sink: flushing asks a parent of ours, and is owed until it answers") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  sink.accept(event_of(record("m")));
  sink.flush();
  child_process.expect(hello + record_frame("m", {false, 2, 0, 0, noted_ns}) + flush_frame(1, 1));
  CHECK(sink.owes());
  child_process.answer(flushed_frame(1, 1));
  CHECK_FALSE(sink.owes());
  CHECK(sink.undelivered() == 0);

  // Only the latest answer is one to the latest question.
  sink.flush();
  sink.flush();
  child_process.expect(flush_frame(2, 1) + flush_frame(3, 1));
  child_process.answer(flushed_frame(2, 1));
  CHECK(sink.owes());
  child_process.answer(flushed_frame(3, 1, 1));
  CHECK_FALSE(sink.owes());
  CHECK(sink.undelivered() == 1);
}

TEST_CASE("socket sink: what a parent has not heard of when it answers is not delivered") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  for (int i = 0; i < 10; ++i) sink.accept(event_of(record("m")));
  sink.flush();
  sink.accept(event_of(record("after the question")));
  child_process.answer(flushed_frame(1, 10));
  CHECK(sink.undelivered() == 0);
  CHECK(sink.take_complaint() == "");
  sink.flush();
  child_process.answer(flushed_frame(2, 8, 2));
  CHECK_FALSE(sink.owes());
  CHECK(sink.undelivered() == 5);  // three are missing, and two of the others were lost
  CHECK(sink.take_complaint() == "the parent says that 8 of 11 records came; the others are counted as lost");
  sink.flush();
  child_process.answer(flushed_frame(3, 0));
  CHECK(sink.undelivered() == 11);
  CHECK(sink.take_complaint() == "");  // told once
}

TEST_CASE("socket sink: a parent cannot have lost more than it was sent") {
  constexpr auto most = ~std::uint64_t{0};
  for (const bool at_its_end : {false, true}) {
    Child child_process(0, extension());
    SocketSink& sink = child_process.sink;
    Record notice = record("not the program's", Level::warn);
    notice.notice = true;
    sink.accept(event_of(notice, own_notice));
    for (int i = 0; i < 10; ++i) sink.accept(event_of(record("m")));
    sink.flush();
    child_process.answer(at_its_end ? news_frame(0, most, true, most) : flushed_frame(1, most, most));
    CHECK(sink.undelivered() == 10);
    child_process.close_parent();
    child_process.settle_until_gone();
    CHECK(sink.undelivered() == 10);
  }
}

TEST_CASE("socket sink: a parent that says its level without end is asked once at a time") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  child_process.expect(hello);
  std::string news;
  for (int i = 0; i < 500; ++i) news += news_frame(1, 0);
  child_process.answer(news);
  REQUIRE(until([&] {
    sink.settle();
    return child_process.levels.size() == 500;
  }));
  // As often as it was heard at the most, and it is heard in large pieces.
  const std::string asked = read_now(child_process.ends.ours);
  CHECK(asked.size() <= 10 * watch_frame().size());
  CHECK(asked.starts_with(watch_frame()));
}

TEST_CASE("socket sink: a parent that is asked in the middle of a batch is asked again") {
  Child child_process(4096, extension());
  SocketSink& sink = child_process.sink;
  const std::string message(10'000, 'm');
  while (sink.due_ns() == event::Outlet::never) {
    sink.accept(event_of(record(message)));
    sink.settle();
  }
  // Its question is long with the parent, the batch that holds it is not.
  child_process.answer(news_frame(1, 0));
  CHECK(child_process.levels == std::vector{Level::debug});
  std::string stream;
  REQUIRE(until([&] {
    sink.settle();
    stream += read_now(child_process.ends.ours);
    return sink.due_ns() == event::Outlet::never;
  }));
  stream += read_now(child_process.ends.ours);
  CHECK(stream.starts_with(hello));
  CHECK(stream.ends_with(watch_frame()));
}

TEST_CASE("socket sink: a bar that stands still goes on at the heir at once") {
  for (const bool in_order : {false, true}) {
    Child child_process(0, extension());
    SocketSink& sink = child_process.sink;
    sink.accept(event_of(running(1, 4, 10, "Idle")));
    sink.flush();
    child_process.answer(flushed_frame(1, 0));
    if (in_order) child_process.answer(news_frame(0, 0, true));
    child_process.close_parent();
    child_process.settle_until_gone();
    CHECK(child_process.heir.calls == 1);
    CHECK(child_process.heir.collected.words() == std::vector<std::string>{"bar 1 of prog: running 4/10 Idle"});
  }
}

TEST_CASE(
    "socket sink: a parent of the seed's is asked nothing, but at the first flush and the end it is seen to have read "
    "all") {
  Child child_process;
  SocketSink& sink = child_process.sink;
  sink.flush();
  CHECK_FALSE(sink.owes());  // nothing was said
  sink.accept(event_of(record("first")));
  sink.flush();
  CHECK(sink.owes());
  CHECK(receive_exactly(child_process.ends.ours, log_frame(2, "first").size()) == log_frame(2, "first"));
  CHECK(until([&] {
    sink.settle();
    return !sink.owes();
  }));
  sink.accept(event_of(record("m")));
  sink.flush();
  CHECK_FALSE(sink.owes());
  sink.leave(true);
  CHECK(sink.owes());
  CHECK(sink.due_ns() != event::Outlet::never);
  CHECK(receive_exactly(child_process.ends.ours, log_frame(2, "m").size()) == log_frame(2, "m"));
  CHECK(until([&] {
    sink.settle();
    return !sink.owes();
  }));
  CHECK(read_now(child_process.ends.ours) == "");
}

TEST_CASE("socket sink: at the end nobody waits long for a parent that does not read or answer") {
  for (const bool answers : {false, true}) {
    Child child_process(0, answers ? extension() : sink::seed_encoder(id_base));
    SocketSink& sink = child_process.sink;
    sink.accept(event_of(record("m")));
    sink.leave(true);
    CHECK(sink.owes());
    CHECK(until([&] {
      sink.settle();
      return !sink.owes();
    }));
    CHECK(sink.due_ns() == event::Outlet::never);
  }
}

TEST_CASE("socket sink: what was not confirmed comes to the heir, what was does not") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  sink.accept(event_of(record("confirmed")));
  sink.accept(event_of(bar(1, BarState::finished, 5, 5, "confirmed")));
  sink.flush();
  child_process.answer(flushed_frame(1, 1));
  sink.accept(event_of(record("maybe")));
  sink.accept(event_of(bar(2, BarState::finished, 5, 5, "maybe")));
  sink.settle();
  sink.accept(event_of(record("unsent")));
  child_process.close_parent();
  child_process.settle_until_gone();
  const Heir& heir = child_process.heir;
  REQUIRE(heir.calls == 1);
  CHECK(heir.unconfirmed.find("confirmed") == std::string::npos);
  CHECK(heir.unconfirmed.starts_with(record_frame("maybe", {false, 2, 0, 0, noted_ns})));
  CHECK(heir.unconfirmed_records == 1);
  CHECK(heir.forgotten_records == 0);
  CHECK_FALSE(heir.had_last_word);
  CHECK(heir.frames == record_frame("unsent", {false, 2, 0, 0, noted_ns}));
  CHECK(heir.collected.words() == std::vector<std::string>{"bar 2 of prog: finished 5/5 maybe"});
  CHECK(sink.undelivered() == 0);
}

TEST_CASE("socket sink: a parent of ours is asked by the way, and nobody waits for that") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  const std::string message(SocketSink::ask_bytes * 2 / 3, 'm');
  const std::string frame = record_frame(message, {false, 2, 0, 0, noted_ns});
  sink.accept(event_of(record(message)));
  child_process.expect(hello + frame);
  sink.accept(event_of(record(message)));
  child_process.expect(frame + flush_frame(1, 2));
  CHECK_FALSE(sink.owes());
  CHECK(sink.due_ns() == event::Outlet::never);
  std::this_thread::sleep_for(std::chrono::nanoseconds(SocketSink::ask_every_ns));
  sink.accept(event_of(record(message)));
  child_process.expect(frame);  // one question at a time
  child_process.answer(flushed_frame(1, 2));
  sink.accept(event_of(record(message)));
  child_process.expect(frame + flush_frame(2, 4));

  // A flush waits for its own answer.
  sink.flush();
  child_process.expect(flush_frame(3, 4));
  child_process.answer(flushed_frame(2, 3));
  CHECK(sink.owes());
  child_process.answer(flushed_frame(3, 3));
  CHECK_FALSE(sink.owes());
  CHECK(sink.undelivered() == 1);
}

TEST_CASE("socket sink: a parent is not asked by the way before its kernel has all") {
  Child child_process(4096, extension());
  SocketSink& sink = child_process.sink;
  child_process.expect(hello);
  const std::string message(SocketSink::ask_bytes * 4, 'm');
  sink.accept(event_of(record(message)));
  REQUIRE(until([&] {
    sink.settle();
    return sink.due_ns() == event::Outlet::never;  // our kernel has all
  }));
  sink.settle();
  const std::string frame = record_frame(message, {false, 2, 0, 0, noted_ns});
  CHECK(receive_exactly(child_process.ends.ours, frame.size()) == frame);
  CHECK(read_now(child_process.ends.ours) == "");
  child_process.expect(flush_frame(1, 1));
}

TEST_CASE("socket sink: a parent that said how far it came and ended leaves nothing to say") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  sink.accept(event_of(record("m")));
  sink.settle();
  child_process.answer(news_frame(0, 1, true));
  child_process.close_parent();
  child_process.settle_until_gone();
  CHECK(child_process.heir.calls == 0);
  sink.flush();
  sink.leave(true);
  CHECK(child_process.heir.calls == 0);
  CHECK_FALSE(sink.owes());
  sink.accept(event_of(record("later")));
  CHECK(child_process.heir.calls == 1);
  CHECK(child_process.heir.had_last_word);
  CHECK(child_process.heir.unconfirmed.empty());
  CHECK(child_process.heir.collected.words() == std::vector<std::string>{"INF prog: later"});
}

TEST_CASE("socket sink: a parent's last word is heard, though it is gone before the next batch") {
  Child child_process(4096, extension());
  SocketSink& sink = child_process.sink;
  child_process.expect(hello);
  const std::string message(10'000, 'm');
  std::atomic<std::uint64_t> accepted{0};
  // A parent that does not read, and ends while its child waits for room: what it did not read makes of its end a reset.
  std::thread parent([&] {
    for (std::uint64_t seen = 0, now = 0; seen == 0 || now != seen;) {
      seen = now;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      now = accepted;
    }
    send_all(child_process.ends.ours, news_frame(0, 1, true));
    child_process.close_parent();
  });
  while (sink.due_ns() == event::Outlet::never && child_process.heir.calls == 0) {
    sink.accept(event_of(record(message)));
    sink.settle();
    ++accepted;
  }
  parent.join();
  child_process.settle_until_gone();
  sink.accept(event_of(record("later")));
  REQUIRE(child_process.heir.calls == 1);
  // The first record was heard: all but that are left.
  const std::uint64_t unsent =
      child_process.heir.frames.size() / record_frame(message, {false, 2, 0, 0, noted_ns}).size();
  CHECK(child_process.heir.unconfirmed_records + child_process.heir.forgotten_records + unsent == accepted - 1);
}

TEST_CASE("socket sink: what a parent says of its level confirms nothing: it may not have written what it heard") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  sink.accept(event_of(record("m")));
  sink.settle();
  child_process.answer(news_frame(1, 1));
  child_process.close_parent();
  child_process.settle_until_gone();
  REQUIRE(child_process.heir.calls == 1);
  CHECK(child_process.heir.unconfirmed_records == 1);
}

TEST_CASE("socket sink: of much that was not confirmed the latest is kept, the rest counted as lost from view") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  const std::string message(1000, 'm');
  constexpr std::uint64_t records = 2'000;
  std::thread parent([&] {
    // All of it is read, and nothing shown.
    std::string head = receive_exactly(child_process.ends.ours, hello.size());
    receive_exactly(child_process.ends.ours, records * record_frame(message, {false, 2, 0, 0, noted_ns}).size());
  });
  for (std::uint64_t i = 0; i < records; ++i) sink.accept(event_of(record(message)));
  REQUIRE(until([&] {
    sink.settle();
    return sink.unsent() == 0;
  }));
  parent.join();
  child_process.close_parent();
  child_process.settle_until_gone();
  const Heir& heir = child_process.heir;
  REQUIRE(heir.calls == 1);
  CHECK(heir.unconfirmed.size() >= sink::Unconfirmed::bytes_max - message.size() - 100);
  CHECK(heir.unconfirmed.size() <= 2 * sink::Unconfirmed::bytes_max);
  CHECK(heir.unconfirmed_records + heir.forgotten_records == records);
  CHECK(sink.undelivered() == heir.forgotten_records);
}

TEST_CASE("socket sink: a parent that changes its level is heard, and asked again") {
  Child child_process(0, extension());
  child_process.expect(hello);
  child_process.answer(news_frame(1, 0));
  CHECK(child_process.levels == std::vector{Level::debug});
  child_process.expect(watch_frame());
  child_process.answer(news_frame(200, 0));
  CHECK(child_process.levels == std::vector{Level::debug, Level::off});
  CHECK(child_process.levels_ended == 0);
  child_process.close_parent();
  child_process.settle_until_gone();
  CHECK(child_process.levels_ended == 1);
}

TEST_CASE("socket sink: answers that nobody asked for, and none of a parent's") {
  Child child_process(0, extension());
  SocketSink& sink = child_process.sink;
  sink.accept(event_of(record("m")));
  sink.flush();
  child_process.answer(flushed_frame(7, 1) + log_frame(2, "a parent logs") + frame("\x7f???"));
  CHECK(sink.owes());
  child_process.answer(flushed_frame(1, 999));  // more than were sent
  CHECK_FALSE(sink.owes());
  send_all(child_process.ends.ours, "\xff\xff\xff\xff");
  sink.accept(event_of(record("next")));
  child_process.settle_until_gone();
  CHECK(child_process.heir.calls == 1);
  CHECK(child_process.heir.reason == "it answers in no known words");
  CHECK(child_process.heir.frames == record_frame("next", {false, 2, 0, 0, noted_ns}));
}

TEST_CASE("socket sink: a parent that takes nothing holds nobody; what waits is bounded by whoever asks") {
  Child child_process(4096);
  SocketSink& sink = child_process.sink;
  const std::string message(10'000, 'm');
  std::uint64_t accepted = 0;
  for (; !sink.full(); ++accepted) {
    sink.accept(event_of(record(message)));
    sink.settle();
    REQUIRE(accepted < 10'000);
  }
  CHECK(sink.unsent() != 0);
  CHECK(sink.due_ns() != event::Outlet::never);
  sink.flush();
  CHECK(sink.owes());
  const std::size_t all = accepted * log_frame(2, message).size();
  std::thread parent([&] { receive_exactly(child_process.ends.ours, all); });
  REQUIRE(until([&] {
    sink.settle();
    return !sink.owes();
  }));
  parent.join();
  CHECK(sink.unsent() == 0);
  CHECK_FALSE(sink.full());
  CHECK(sink.due_ns() == event::Outlet::never);
}

// A child that logs faster than its parent reads: at no time is its batch sent to the end.
TEST_CASE("socket sink: of a batch that never ends, what is sent is let go, asked for and confirmed") {
  Child child_process(4096, extension());
  const std::string message(500, 'm');
  std::uint64_t logged = 0;
  const auto log_until_full = [&] {
    while (!child_process.sink.full()) {
      child_process.sink.accept(event_of(record(message)));
      ++logged;
      if (logged % 100 == 0) child_process.sink.settle();
    }
  };
  log_until_full();
  child_process.sink.flush();
  const std::uint64_t asked = logged;
  REQUIRE(child_process.sink.owes());

  // The parent reads some, and the child logs as much again, over and over.
  std::string read;
  const std::string question = flush_frame(1, asked);
  for (int turn = 0; read.find(question) == std::string::npos; ++turn) {
    REQUIRE(turn < 10'000);
    const std::string more = read_now(child_process.ends.ours);
    if (more.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    read += more;
    child_process.sink.settle();
    log_until_full();
  }
  REQUIRE(child_process.sink.owes());
  child_process.answer(flushed_frame(1, asked));
  CHECK_FALSE(child_process.sink.owes());  // though what came later is not sent

  // How far it was heard holds though the batch is not at its end; what it had in hand is not told as lost.
  child_process.close_parent();
  child_process.settle_until_gone();
  CHECK(child_process.heir.forgotten_records + child_process.heir.unconfirmed_records <= logged - asked);
  CHECK(child_process.sink.undelivered() <= logged - asked);
}

TEST_CASE("socket sink: a parent that is gone before anything was said leaves nothing to do") {
  for (const bool asks : {false, true}) {
    Child child_process(0, extension());
    if (asks) child_process.sink.flush();
    child_process.close_parent();
    child_process.settle_until_gone();
    CHECK(child_process.sink.due_ns() == event::Outlet::never);
    CHECK_FALSE(child_process.sink.owes());
    CHECK(child_process.heir.calls == 0);
    child_process.sink.accept(event_of(record("one")));
    CHECK(child_process.heir.calls == 1);
    CHECK(child_process.heir.frames == "");
  }
}

TEST_CASE("socket sink: a parent that answers nothing and reads nothing is not looked at without end") {
  Child child_process(4096);
  while (!child_process.sink.full()) {
    child_process.sink.accept(event_of(record(std::string(10'000, 'm'))));
    child_process.sink.settle();
  }
  child_process.sink.flush();
  for (int i = 0; i < 3; ++i) {
    child_process.sink.settle();
    CHECK(child_process.sink.due_ns() > 0);  // when the rest is tried again
    CHECK(child_process.sink.owes());
  }
}

TEST_CASE("socket sink: what waits is this process's own records, whatever else was sent with them") {
  Child child_process(4096);
  Record notice = record("said by dlog", Level::warn);
  notice.notice = true;
  const std::string long_text(20'000, 'm');
  std::uint64_t accepted = 0;
  for (int i = 0; i < 50; ++i) child_process.sink.accept(event_of(notice, own_notice));
  while (!child_process.sink.full()) {
    child_process.sink.accept(event_of(record(long_text)));
    ++accepted;
    child_process.sink.settle();
  }
  CHECK(child_process.sink.waiting() == child_process.sink.unsent());
  // All that the kernel took: it comes in pieces.
  std::size_t taken = 0;
  for (int quiet = 0; quiet < 300; ++quiet) {
    const std::size_t more = read_now(child_process.ends.ours).size();
    if (more != 0) quiet = 0;
    taken += more;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  const std::size_t notice_bytes = 50 * log_frame(3, "dlog: said by dlog").size();
  REQUIRE(taken > notice_bytes);
  CHECK(child_process.sink.waiting() == accepted - (taken - notice_bytes) / log_frame(2, long_text).size());
}
