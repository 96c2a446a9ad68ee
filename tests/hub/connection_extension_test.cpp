// Tests of connection.cpp: version 2 of the wire, and what a hostile child may make of it.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "hub/peer.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/events.hpp"
#include "support/frames.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::Connection;

constexpr std::uint32_t own_pid = 4711;  // of own_notice
const std::string hello = hello_frame("worker", 815);

RecordFields at(std::int64_t time_ns) {
  RecordFields fields;
  fields.time_ns = time_ns;
  return fields;
}
const RecordFields noted = at(noted_ns);
const RecordFields noted_notice{true, 3, 0, 0, noted_ns};

BarFields reading(std::uint64_t value, unsigned state = 0) {
  BarFields fields;
  fields.state = state;
  fields.time_ns = noted_ns;
  fields.value = value;
  fields.total = 10;
  fields.description = "Reading";
  return fields;
}

std::string notice(std::string_view text) { return fmt::format("WRN dlog (notice): worker[815]: {}", text); }

}  // namespace

TEST_CASE(
    "connection: records beyond so many a second are dropped, and told where the next is taken, asked for or at the "
    "end") {
  Peer peer;
  peer.connection.limit_records(2);
  CHECK(peer.say(hello + record_frame("a", noted) + log_frame(2, "b") + log_frame(2, "c") + record_frame("d", noted)) ==
        Words{"INF worker: a", "INF worker: b"});
  CHECK(peer.connection.owes_word());
  CHECK(peer.connection.records() == 4);
  peer.now_ns += 1'000'000'000;
  CHECK(peer.say(log_frame(2, "e")) == Words{notice("2 records dropped: more than 2 a second"), "INF worker: e"});
  CHECK(peer.say(log_frame(2, "f") + log_frame(2, "g") + flush_frame(1, 7)) == Words{"INF worker: f"});
  CHECK(peer.say(log_frame(2, "h")).empty());
  CHECK(peer.end() == Words{notice("2 records dropped: more than 2 a second")});
}

TEST_CASE("connection: whoever asks, what was dropped is told once a second") {
  Peer peer;
  peer.connection.limit_records(2);
  std::string said = hello + record_frame("a", noted) + record_frame("b", noted);
  for (std::uint64_t i = 0; i < 3000; ++i) said += record_frame("over", noted) + flush_frame(i + 1, i + 3);
  CHECK(peer.say(said) == Words{"INF worker: a", "INF worker: b", notice("1 records dropped: more than 2 a second")});
  const wire::FlushedFrame answer = peer.connection.take_flush();
  CHECK(answer.number == 3000);
  CHECK(answer.records == 3002);
  CHECK(peer.connection.dropped() == 3000);
  peer.now_ns += 1'000'000'000;
  CHECK(peer.say(flush_frame(3001, 3002)) == Words{notice("2999 records dropped: more than 2 a second")});
  CHECK(peer.say(record_frame("c", noted) + record_frame("d", noted) + record_frame("e", noted) +
                 flush_frame(3002, 3005)) == Words{"INF worker: c", "INF worker: d"});
  CHECK(peer.end() == Words{notice("1 records dropped: more than 2 a second")});
}

TEST_CASE("connection: a bar's start and its end are lines, too: beyond the limit it leaves without one") {
  Peer peer;
  peer.connection.limit_records(4);
  const auto state = [](std::uint64_t id, unsigned number) { return bar_frame(id, reading(1, number)); };
  CHECK(peer.say(hello + state(1, 0) + create_frame(2, "b", 5) + state(3, 0)).size() == 3);
  CHECK(peer.say(push_frame(2, 4) + state(1, 0)).size() == 2);                    // no lines of their own
  CHECK(peer.say(state(9, 2)) == Words{"bar 9 of worker: failed 1/10 Reading"});  // one that was never there
  // The second's lines are used up.
  CHECK(peer.say(state(1, 2) + finish_frame(2)) ==
        Words{"bar 1 of worker: cleared 1/10 Reading", "bar 2 of worker: cleared 4/5 b"});
  CHECK(peer.say(state(3, 5)) == Words{"bar 3 of worker: cleared 1/10 Reading"});  // so it was said
  CHECK(peer.say(state(8, 1) + state(7, 0) + create_frame(6, "c", 5) + push_frame(6, 1) + finish_frame(6)).empty());
  CHECK(peer.connection.kept().bars == 0);
  CHECK(peer.say(record_frame("a", noted)).empty());
  CHECK(peer.connection.records() == 1);
  CHECK(peer.connection.dropped() == 6);
  peer.now_ns += 1'000'000'000;
  CHECK(peer.say(state(7, 0)) ==
        Words{notice("6 records dropped: more than 4 a second"), "bar 7 of worker: created running 1/10 Reading"});
}

TEST_CASE("connection: a hello says whose records and bars they are") {
  Peer peer;
  CHECK(peer.say(record_frame("early", noted)) == Words{"INF child: early"});
  CHECK(peer.told.front().pid == 0);
  CHECK(peer.say(hello).empty());
  CHECK(peer.say(record_frame("m", noted) + log_frame(3, "seed") + create_frame(1, "b", 5)) ==
        Words{"INF worker: m", "WRN worker: seed", "bar 1 of worker: created running 0/5 b"});
  for (const Told& told : peer.told) {
    CHECK(told.pid == 815);
    CHECK(told.port == 40'001);
    CHECK(told.source_id == 7);
  }
}

TEST_CASE("connection: a hello of a later version is one") {
  Peer peer;
  peer.say(hello_frame("worker", 815, "token", 3) + record_frame("m", noted));
  CHECK(words_of(peer.told) == Words{"INF worker: m"});
}

TEST_CASE("connection: a second hello is ignored, told once") {
  Peer peer;
  CHECK(peer.say(hello + hello_frame("other", 9) + hello_frame("third", 10) + record_frame("m", noted)) ==
        Words{notice("a second hello; ignored, and any further"), "INF worker: m"});
  CHECK(peer.told.back().pid == 815);
}

TEST_CASE("connection: names that would mislead are not shown so") {
  const auto shown = [](std::string_view name) {
    Peer peer;
    peer.say(hello_frame(name, 815) + record_frame("m", noted));
    return peer.told.empty() ? "nothing" : peer.told.front().name;
  };
  CHECK(shown("worker 3") == "worker 3");
  CHECK(shown("") == "child");
  CHECK(shown("dlog") == "child");
  CHECK(shown("\u200bdlog\u2060") == "child");  // nor what looks like it
  CHECK(shown("prog[4711]: paid") == "prog_4711_: paid");
  CHECK(shown(std::string("a\0b\n\x1b\x7f", 6)) == "a_b___");
  CHECK(shown("\xff\xc3(") == "\xff\xc3(");
  CHECK(shown(std::string(65, 'n')) == std::string(64, 'n'));
  std::string wide = "a";
  while (wide.size() < 100) wide += "\u20ac";
  CHECK(shown(wide) == wide.substr(0, 64));
  CHECK(shown("a" + wide) == "a" + wide.substr(0, 61));
}

TEST_CASE("connection: a child that claims the number of this process, or none, stays a child") {
  for (const std::uint32_t pid : {own_pid, 0U}) {
    Peer peer;
    peer.say(hello_frame("prog", pid) + record_frame("m", noted) + record_frame("forged", noted_notice));
    CHECK(words_of(peer.told) == Words{"INF child: m", "WRN child: forged"});
    for (const Told& told : peer.told) {
      CHECK(told.pid == 0);
      CHECK(told.port == 40'001);
      CHECK_FALSE(told.notice);
    }
    CHECK(peer.say(hello) == Words{"WRN dlog (notice): child[40001]: a second hello; ignored, and any further"});
  }
}

TEST_CASE("connection: one that claims the number of this process is believed where it speaks from within it") {
  for (const bool here : {true, false}) {
    Peer peer;
    peer.connection.know_whence([](const void* context) { return *static_cast<const bool*>(context); }, &here);
    peer.say(hello_frame("prog", own_pid) + record_frame("m", noted) + record_frame("told", noted_notice));
    if (here) CHECK(words_of(peer.told) == Words{"INF prog: m", "WRN dlog (notice): told"});
    else CHECK(words_of(peer.told) == Words{"INF child: m", "WRN child: told"});
    CHECK(peer.told.front().pid == (here ? own_pid : 0));
  }
}

TEST_CASE("connection: what a child's dlog has to say is its own dlog's") {
  Peer peer;
  peer.say(hello + record_frame("3 records dropped", noted_notice) + record_frame("m", noted));
  CHECK(words_of(peer.told) == Words{"WRN dlog (notice): 3 records dropped", "INF worker: m"});
  CHECK(peer.told.front().pid == 815);
  CHECK(peer.told.front().source_id == 7);
  CHECK(peer.told.front().port == 40'001);
  Peer unknown;
  CHECK(unknown.say(record_frame("who?", noted_notice)) == Words{"WRN child: who?"});
}

TEST_CASE("connection: a record with all that version 2 brings") {
  Peer peer;
  peer.say(hello + site_frame(3, "main.cpp", 42, "int main()") + record_frame("a\xff\n", {false, 1, 3, 99, noted_ns}));
  REQUIRE(peer.told.size() == 1);
  const Told& told = peer.told.front();
  CHECK(words_of(told) == "DBG worker: a\xff\n");
  CHECK(told.thread == 99);
  CHECK(told.time_ns == noted_ns);
  CHECK(told.file == "main.cpp");
  CHECK(told.line == 42);
  CHECK(told.function == "int main()");
  CHECK_FALSE(told.notice);
}

TEST_CASE("connection: a record without a place, of one that nobody defined, and of one defined anew") {
  Peer peer;
  peer.say(hello + site_frame(1, "a.cpp", 1, "f") + record_frame("0", {false, 2, 0, 1, noted_ns}) +
           record_frame("2", {false, 2, 2, 1, noted_ns}) + record_frame("most", {false, 2, 0xFFFF'FFFF, 1, noted_ns}) +
           site_frame(1, "b.cpp", 2, "g") + record_frame("1", {false, 2, 1, 1, noted_ns}));
  REQUIRE(peer.told.size() == 4);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(peer.told[i].file.empty());
    CHECK(peer.told[i].line == 0);
  }
  CHECK(peer.told[3].file == "b.cpp");
  CHECK(peer.told[3].line == 2);
}

TEST_CASE("connection: too many places are told once; records come without") {
  Peer peer;
  const std::string over = site_frame(hub::sites_per_connection_max + 1, "a.cpp", 1, "f");
  const Words words = peer.say(hello + over + over + site_frame(0, "a.cpp", 1, "f") +
                               record_frame("m", {false, 2, hub::sites_per_connection_max + 1, 1, noted_ns}));
  REQUIRE(words.size() == 2);
  CHECK(words[0].starts_with(notice("more places in the source than 16384, or more than 4194304 bytes of them, or ")));
  CHECK(peer.told[1].file.empty());
  CHECK_FALSE(peer.connection.finished());
}

TEST_CASE("connection: a record's level above 5, and one that is too long") {
  Peer peer;
  CHECK(peer.say(hello + record_frame("a", {false, 6, 0, 0, noted_ns}) +
                 record_frame("b", {true, 255, 0, 0, noted_ns})) == Words{"L6 worker: a", "L255 dlog (notice): b"});
  peer.say(record_frame(std::string(2'000'000, 'x'), noted), 65'536);
  REQUIRE(peer.told.size() == 1);
  CHECK(peer.told[0].message.ends_with("[cut: longer than 1 MiB]"));
}

TEST_CASE("connection: times of version 2 decide within the same bounds") {
  constexpr std::int64_t window = Connection::order_window_ns;
  const auto place_of = [](const std::string& bytes) {
    Peer peer;
    peer.say(bytes);
    REQUIRE(peer.order_ns.size() == 1);
    return peer.order_ns.front() - peer.now_ns;
  };
  const std::int64_t now_ns = Peer{}.now_ns;
  const std::int64_t first = std::numeric_limits<std::int64_t>::min();
  const std::int64_t last = std::numeric_limits<std::int64_t>::max();
  for (const bool bars : {false, true}) {
    const auto said = [&](std::int64_t time_ns) {
      BarFields bar = reading(1);
      bar.time_ns = time_ns;
      return bars ? bar_frame(1, bar) : record_frame("m", at(time_ns));
    };
    CHECK(place_of(said(first)) == -window);
    CHECK(place_of(said(0)) == -window);
    CHECK(place_of(said(now_ns - 1'234'567)) == -1'234'567);
    CHECK(place_of(said(now_ns)) == 0);
    CHECK(place_of(said(now_ns + 1)) == 0);
    CHECK(place_of(said(last)) == 0);
    Peer peer;
    peer.say(said(last));
    CHECK(peer.told.front().time_ns == last);  // shown as it was said
  }
}

TEST_CASE("connection: a bar's whole state") {
  Peer peer;
  BarFields fields;
  fields.parent = 8;
  fields.paused = true;
  fields.unit = 2;
  fields.estimate = 3;
  fields.time_ns = noted_ns;
  fields.value = 5;
  fields.total = 10;
  fields.description = "Reading";
  fields.message = "part 3";
  fields.bar_template = "{desc} {bar}";
  CHECK(peer.say(hello + bar_frame(9, fields)) == Words{"bar 9 of worker: created running 5/10 Reading (part 3)"});
  const Told told = peer.told.front();
  CHECK(told.parent == 8);
  CHECK(told.paused);
  CHECK(told.unit == Unit::bytes_iec);
  CHECK(told.estimate == 3);
  CHECK(told.time_ns == noted_ns);
  CHECK(told.bar_template == "{desc} {bar}");
  // A change of the value alone keeps the rest.
  CHECK(peer.say(push_frame(9, 6)) == Words{"bar 9 of worker: running 6/10 Reading (part 3)"});
  CHECK(peer.told.front().parent == 8);
  CHECK(peer.told.front().paused);
  CHECK(peer.told.front().unit == Unit::bytes_iec);
  CHECK(peer.told.front().estimate == 3);
  CHECK(peer.told.front().bar_template == "{desc} {bar}");
  // A whole state replaces all of it.
  CHECK(peer.say(bar_frame(9, reading(7))) == Words{"bar 9 of worker: running 7/10 Reading"});
  CHECK(peer.told.front().parent == 0);
  CHECK_FALSE(peer.told.front().paused);
  CHECK(peer.told.front().unit == Unit::items);
  CHECK(peer.told.front().estimate == 0);
  CHECK(peer.told.front().bar_template.empty());
}

TEST_CASE("connection: the ends of bars") {
  Peer peer;
  std::string all = hello;
  for (std::uint64_t id = 1; id <= 7; ++id) all += bar_frame(id, reading(1));
  peer.say(all);
  BarFields failed = reading(3, 2);
  failed.message = "404";
  CHECK(peer.say(bar_frame(1, reading(10, 1)) + bar_frame(2, failed) + bar_frame(3, reading(3, 3)) +
                 bar_frame(4, reading(3, 4)) + bar_frame(5, reading(3, 5)) + bar_frame(6, reading(3, 6)) +
                 bar_frame(7, reading(3, 255))) ==
        Words{"bar 1 of worker: finished 10/10 Reading", "bar 2 of worker: failed 3/10 Reading (404)",
              "bar 3 of worker: abandoned 3/10 Reading", "bar 4 of worker: orphaned 3/10 Reading",
              "bar 5 of worker: cleared 3/10 Reading", "bar 6 of worker: abandoned 3/10 Reading",
              "bar 7 of worker: abandoned 3/10 Reading"});
  CHECK(peer.end().empty());
}

TEST_CASE("connection: a bar that was never there may end, but need not be cleared") {
  Peer peer;
  CHECK(peer.say(hello + bar_frame(1, reading(3, 5)) + bar_frame(2, reading(3, 1))) ==
        Words{"bar 2 of worker: finished 3/10 Reading"});
  CHECK(peer.end().empty());
}

TEST_CASE("connection: bars of both versions are the same bars") {
  Peer peer;
  CHECK(peer.say(create_frame(1, "a", 5) + bar_frame(1, reading(2)) + finish_frame(1) + bar_frame(2, reading(2)) +
                 create_frame(2, "b", 7) + push_frame(2, 3)) ==
        Words{"bar 1 of child: created running 0/5 a", "bar 1 of child: running 2/10 Reading",
              "bar 1 of child: finished 2/10 Reading", "bar 2 of child: created running 2/10 Reading",
              "bar 2 of child: running 0/7 b", "bar 2 of child: running 3/7 b"});
  CHECK(peer.end() == Words{"bar 2 of child: orphaned 3/7 b"});
}

TEST_CASE("connection: a bar's texts are cut between two characters, a long template is none") {
  std::string text = "a";
  while (text.size() < 10'000) text += "\u20ac";
  BarFields fields = reading(1, 7);
  fields.unit = 4;
  fields.state = 0;
  fields.description = text;
  fields.message = text;
  const std::string bar_template(1025, 't');
  fields.bar_template = bar_template;
  Peer peer;
  peer.say(bar_frame(1, fields));
  CHECK(peer.told.front().description == text.substr(0, 1024));
  CHECK(peer.told.front().message == text.substr(0, 4096));
  CHECK(peer.told.front().bar_template.empty());
  CHECK(peer.told.front().unit == Unit::items);
  fields.bar_template = std::string_view(bar_template).substr(0, 1024);
  peer.say(bar_frame(1, fields));
  CHECK(peer.told.front().bar_template == fields.bar_template);
}

TEST_CASE("connection: open bars of version 2 have the same bound") {
  Peer peer;
  std::string all = hello;
  for (std::uint64_t id = 0; id < hub::bars_per_connection_max; ++id) all += bar_frame(id, reading(1));
  CHECK(peer.say(all).size() == hub::bars_per_connection_max);
  CHECK(peer.say(bar_frame(9999, reading(1)) + bar_frame(9998, reading(1)) + bar_frame(5, reading(2))) ==
        Words{notice("more than 4096 open bars, or 16384 with those of others; further ones are not shown"),
              "bar 5 of worker: running 2/10 Reading"});
}

TEST_CASE("connection: bars of version 2 that are open at the end are orphaned in their last state") {
  Peer peer;
  BarFields fields = reading(4);
  fields.unit = 1;
  fields.message = "part 3";
  peer.say(hello + bar_frame(1, fields));
  CHECK(peer.end() == Words{"bar 1 of worker: orphaned 4/10 Reading (part 3)"});
  CHECK(peer.told.front().unit == Unit::bytes);
  CHECK(peer.told.front().pid == 815);
}

TEST_CASE("connection: a frame of version 2 that ends too early closes the connection, named by its name") {
  const std::string wholes[] = {hello, site_frame(1, "a.cpp", 1, "f"), record_frame("m", noted),
                                bar_frame(1, reading(1))};
  for (const std::string& whole : wholes) {
    const std::string payload = whole.substr(4);
    for (std::size_t cut = 1; cut < payload.size(); ++cut) {
      Peer peer;
      INFO("type " << int{payload[0]} << " cut at " << cut);
      const Words words = peer.say(hello + frame(payload.substr(0, cut)));
      REQUIRE(words.size() == 1);
      CHECK(words[0].starts_with(notice(fmt::format("malformed frame of {} bytes: ", cut))));
      CHECK(peer.connection.finished());
    }
  }
}

TEST_CASE("connection: bytes after the last field of version 2 are ignored") {
  const auto with_more = [](const std::string& whole) { return frame(whole.substr(4) + "trailing"); };
  Peer peer;
  peer.say(with_more(hello) + with_more(site_frame(1, "a.cpp", 1, "f")) +
           with_more(record_frame("m", {false, 2, 1, 1, noted_ns})) + with_more(bar_frame(1, reading(1))));
  CHECK(words_of(peer.told) == Words{"INF worker: m", "bar 1 of worker: created running 1/10 Reading"});
  CHECK(peer.told.front().file == "a.cpp");
}

TEST_CASE("connection: version 2 in pieces of any size makes the same events") {
  std::string stream = hello;
  for (unsigned i = 0; i < 20; ++i) {
    stream += site_frame(i % 5, fmt::format("{}.cpp", i), i, "f") +
              record_frame(fmt::format("message {}", i), {i % 7 == 0, i % 8, i % 6, i, noted_ns + i}) +
              bar_frame(i, reading(i)) + push_frame(i, i + 1) + bar_frame(i, reading(i, i % 9));
  }
  Peer whole;
  whole.say(stream);
  const auto expected = words_of(whole.told);
  REQUIRE(expected.size() > 50);
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 64U, 1000U}) {
    Peer peer;
    CHECK(peer.say(stream, piece) == expected);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      REQUIRE(peer.told[i].file == whole.told[i].file);
      REQUIRE(peer.told[i].thread == whole.told[i].thread);
      REQUIRE(peer.told[i].time_ns == whole.told[i].time_ns);
    }
  }
}

TEST_CASE("connection: a flush is asked for when all before it has been handed out, and answered with what came") {
  Peer peer;
  peer.say(hello + record_frame("one", noted) + flush_frame(7, 1) + record_frame("two", noted));
  CHECK(words_of(peer.told) == Words{"INF worker: one", "INF worker: two"});
  REQUIRE(peer.connection.asked().flush);
  CHECK(*peer.connection.asked().flush == 7);
  const wire::FlushedFrame answer = peer.connection.take_flush();
  CHECK(answer.number == 7);
  CHECK(answer.records == 2);
  CHECK(answer.lost == 0);
  CHECK_FALSE(peer.connection.asked().any());
}

TEST_CASE("connection: not before") {
  Peer peer;
  const std::string all = hello + record_frame("one", noted) + flush_frame(7, 1);
  const auto room = peer.connection.room(all.size());
  std::transform(all.begin(), all.end(), room.begin(), [](char c) { return static_cast<std::byte>(c); });
  peer.connection.received(all.size(), peer.now_ns, peer.now_ns);
  Connection::Arrival arrival;
  REQUIRE(peer.connection.next(arrival));
  CHECK_FALSE(peer.connection.asked().any());
  CHECK_FALSE(peer.connection.next(arrival));
  CHECK(peer.connection.asked().any());
}

TEST_CASE("connection: a child that counts otherwise is told of, once") {
  Peer peer;
  CHECK(peer.say(hello + record_frame("one", noted) + flush_frame(1, 3) + flush_frame(2, 3)) ==
        Words{"INF worker: one", notice("3 records were sent, and 1 came")});
}

TEST_CASE("connection: who asks for news is told the level, or the end") {
  Peer peer;
  peer.say(hello + watch_frame() + record_frame("one", noted));
  REQUIRE(peer.connection.asked().news);
  wire::Bytes answer;
  peer.connection.answer_news(answer, false, Level::debug, 0);
  CHECK(text_of(answer) == news_frame(1, 1));
  CHECK_FALSE(peer.connection.asked().news);
  answer.clear();
  peer.connection.answer_news(answer, true, Level::off, 2);
  CHECK(text_of(answer) == news_frame(6, 1, true, 2));
}

TEST_CASE("connection: what a parent says is nothing that a child may") {
  Peer peer;
  CHECK(peer.say(hello + flushed_frame(1, 1) + news_frame(1, 1)) ==
        Words{notice("frame of unknown type 0x20 (0 bytes); skipped, and any further")});
}

TEST_CASE("connection: of one that must prove that it may speak nothing is heard before") {
  const auto proves = [](const void*, std::string_view token) { return token == "token"; };
  Peer good;
  good.connection.demand_proof(proves, nullptr);
  CHECK(good.say("").empty());
  CHECK(good.connection.knocks());
  CHECK(good.say(hello + record_frame("m", noted), 1) == Words{"INF worker: m"});
  CHECK_FALSE(good.connection.knocks());
  CHECK_FALSE(good.connection.turned_away());

  for (const std::string& first :
       {record_frame("m", noted), log_frame(2, "m"), hello_frame("worker", 815, "wrong"), frame(""), frame("\x7f"),
        std::string("\x7f\xff\xff\xff"), u32(5'000) + std::string(5'000, '\x10')}) {
    Peer bad;
    bad.connection.demand_proof(proves, nullptr);
    CHECK(bad.say(first + hello + record_frame("m", noted)).empty());
    CHECK(bad.connection.turned_away());
    CHECK(bad.connection.finished());
  }
  Peer silent;
  silent.connection.demand_proof(proves, nullptr);
  silent.say(hello.substr(0, hello.size() - 1));
  CHECK(silent.connection.knocks());
  CHECK(silent.end().empty());
  CHECK(silent.connection.turned_away());
}
