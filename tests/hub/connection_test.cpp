// Tests of connection.cpp: what a child may send, row by row of docs/wire.md, and what becomes of it.
#include "log/hub/connection.hpp"

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
#include "support/events.hpp"
#include "support/frames.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::Connection;
constexpr std::int64_t ms = 1'000'000;

std::string notice(std::string_view text) { return fmt::format("WRN dlog (notice): child[40001]: {}", text); }

}  // namespace

TEST_CASE("connection: what is given up while a record of it is at hand leaves that one whole") {
  Peer peer;
  const std::string message(500'000, 'x');  // so much that its memory goes back to the system at once
  const std::string all = log_frame(2, message) + log_frame(2, "unheard");
  const auto room = peer.connection.room(all.size());
  std::transform(all.begin(), all.end(), room.begin(), [](char c) { return static_cast<std::byte>(c); });
  peer.connection.received(all.size(), peer.now_ns, peer.now_ns);
  Connection::Arrival arrival;
  REQUIRE(peer.connection.next(arrival));
  peer.connection.give_up("it takes no answers");
  CHECK(arrival.event.record->message == message);
  REQUIRE(peer.connection.next(arrival));
  CHECK(arrival.event.record->message.starts_with("child[40001]: it takes no answers; "));
  CHECK_FALSE(peer.connection.next(arrival));
  CHECK(peer.connection.finished());
}

TEST_CASE("connection: a record with all it brings") {
  Peer peer;
  CHECK(peer.say(log_frame(3, "hello")) == Words{"WRN child: hello"});
  const Told& told = peer.told.front();
  CHECK(told.source_id == 7);
  CHECK(told.port == 40'001);
  CHECK(told.pid == 0);
  CHECK(told.time_ns == noted_ms);
  CHECK(told.wire_level == 3);
  CHECK_FALSE(told.notice);
  CHECK(told.time_text == "");
  CHECK(peer.say(log_frame(2, "") + log_frame(0, std::string("a\0\n\x1b", 4))) ==
        Words{"INF child: ", std::string("TRC child: a\0\n\x1b", 15)});
}

TEST_CASE("connection: any timestamp text keeps the record") {
  struct Row {
    std::string_view text;
    std::string shown;
  };
  const Row rows[] = {{"yesterday", "yesterday"},
                      {"", "(none)"},
                      {"2026-11-21T04:16:40.727", "2026-11-21T04:16:40.727"},
                      {"2026-13-21T04:16:40.727Z", "2026-13-21T04:16:40.727Z"},
                      {"9999-11-21T04:16:40.727Z", "9999-11-21T04:16:40.727Z"},
                      {"\x1b[2J\xff", "\x1b[2J\xff"}};
  for (const Row& row : rows) {
    Peer peer;
    CHECK(peer.say(log_frame(2, "m", row.text)) == Words{"INF child: m [time: " + row.shown + "]"});
    CHECK(peer.told.front().time_ns == peer.now_ns);
  }
  Peer peer;
  peer.say(log_frame(2, "m", std::string(5000, 't')));
  CHECK(peer.told.front().time_text == std::string(256, 't'));

  for (const char* other :
       {"2026-11-21T04:16:40.727000Z", "2026-11-21 04:16:40.727Z", "2026-11-21T05:16:40.727+01:00"}) {
    CHECK(peer.say(log_frame(2, "m", other)) == Words{"INF child: m"});
    CHECK(peer.told.front().time_ns == noted_ms);
  }
}

TEST_CASE("connection: a level above 5 keeps the record, marked") {
  Peer peer;
  CHECK(peer.say(log_frame(6, "a") + log_frame(9, "b") + log_frame(255, "c")) ==
        Words{"L6 child: a", "L9 child: b", "L255 child: c"});
  for (const Told& told : peer.told) CHECK(told.level == Level::fatal);
}

TEST_CASE("connection: text that is not UTF-8 is handed on as it came") {
  Peer peer;
  CHECK(peer.say(log_frame(2, "\xff\xc3(") + create_frame(1, "\xed\xa0\x80", 3)) ==
        Words{"INF child: \xff\xc3(", "bar 1 of child: created running 0/3 \xed\xa0\x80"});
}

TEST_CASE("connection: an unknown frame is skipped, and told once") {
  Peer peer;
  const std::string unknown = frame(
      "\x16"
      "abc");
  CHECK(peer.say(unknown + log_frame(2, "m") + frame("\xff") + unknown) ==
        Words{notice("frame of unknown type 0x16 (4 bytes); skipped, and any further"), "INF child: m"});
  CHECK(peer.say(unknown + log_frame(2, "n")) == Words{"INF child: n"});
  CHECK_FALSE(peer.connection.finished());
}

TEST_CASE("connection: bytes after the last field are ignored") {
  Peer peer;
  const auto with_more = [](const std::string& whole) { return frame(whole.substr(4) + "trailing"); };
  CHECK(peer.say(with_more(log_frame(2, "m")) + with_more(create_frame(1, "b", 5)) + with_more(push_frame(1, 3)) +
                 with_more(finish_frame(1))) == Words{"INF child: m", "bar 1 of child: created running 0/5 b",
                                                      "bar 1 of child: running 3/5 b",
                                                      "bar 1 of child: finished 3/5 b"});
}

TEST_CASE("connection: a payload that ends too early closes the connection, in one notice that names the peer") {
  const std::string whole_payloads[] = {log_frame(2, "message").substr(4), create_frame(1, "b", 5).substr(4),
                                        push_frame(1, 3).substr(4), finish_frame(1).substr(4)};
  for (const std::string& payload : whole_payloads) {
    for (std::size_t cut = 0; cut < payload.size(); ++cut) {
      Peer peer;
      INFO("type " << int{payload[0]} << " cut at " << cut);
      const Words words = peer.say(log_frame(2, "before") + frame(payload.substr(0, cut)) + log_frame(2, "after"));
      REQUIRE(words.size() == 2);
      CHECK(words[0] == "INF child: before");
      CHECK(words[1].starts_with(notice(fmt::format("malformed frame of {} bytes: ", cut))));
      CHECK(words[1].ends_with("; connection closed"));
      CHECK(peer.connection.finished());
    }
  }
}

TEST_CASE("connection: an inner length past the payload closes the connection") {
  Peer peer;
  const std::string lying = frame(std::string("\x00\x02", 2) + u32(0xFFFF'FFFF) + "abc");
  CHECK(peer.say(lying) ==
        Words{notice("malformed frame of 9 bytes: a text is longer than its payload; connection closed")});
  CHECK(peer.connection.finished());
}

TEST_CASE("connection: a frame over the limit closes the connection at its header") {
  Peer peer;
  CHECK(peer.say(u32(10'000'001)) ==
        Words{notice("frame of 10000001 bytes is over the limit of 10000000; connection closed")});
  CHECK(peer.connection.finished());
  Peer other;
  CHECK(other.say(u32(0xFFFF'FFFF)).size() == 1);
  CHECK(other.connection.finished());
}

TEST_CASE("connection: a frame at the limit is taken, its message cut visibly") {
  Peer peer;
  const std::size_t message_bytes = 10'000'000 - 2 - 4 - 4 - noted_text.size();
  const std::string largest = log_frame(2, std::string(message_bytes, 'x'));
  REQUIRE(largest.size() == 4 + 10'000'000);
  peer.say(largest + log_frame(2, "next"), 65'536);
  // `say` keeps what all pieces told.
  REQUIRE(peer.told.size() == 2);
  CHECK(peer.told[0].message.size() < (std::size_t{1} << 20) + 100);
  CHECK(peer.told[0].message.starts_with(std::string(1 << 20, 'x')));
  CHECK(peer.told[0].message.ends_with("[cut: longer than 1 MiB]"));
  CHECK(peer.told[1].message == "next");
}

TEST_CASE("connection: changes of a bar that is not open are told once") {
  Peer peer;
  CHECK(peer.say(push_frame(1, 3)) == Words{notice("a change of a bar that is not open; ignored, and any further")});
  CHECK(peer.say(finish_frame(1) + push_frame(2, 1) + log_frame(2, "m")) == Words{"INF child: m"});
  Peer other;
  CHECK(other.say(finish_frame(9) + push_frame(9, 1)) ==
        Words{notice("the end of a bar that is not open; ignored, and any further")});
  CHECK_FALSE(other.connection.finished());
}

TEST_CASE("connection: the life of a bar") {
  Peer peer;
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  CHECK(peer.say(create_frame(most, "Reading", most)) ==
        Words{fmt::format("bar {} of child: created running 0/{} Reading", most, most)});
  CHECK(peer.say(push_frame(most, most) + push_frame(most, 3)) ==
        Words{fmt::format("bar {} of child: running {}/{} Reading", most, most, most),
              fmt::format("bar {} of child: running 3/{} Reading", most, most)});
  CHECK(peer.told.front().time_ns == peer.now_ns);
  CHECK(peer.say(finish_frame(most)) == Words{fmt::format("bar {} of child: finished 3/{} Reading", most, most)});
  CHECK(peer.say(create_frame(most, "Again", 0)) ==
        Words{fmt::format("bar {} of child: created running 0/0 Again", most)});
}

TEST_CASE("connection: a bar that is created again goes on under its new words") {
  Peer peer;
  CHECK(peer.say(create_frame(1, "a", 5) + push_frame(1, 4) + create_frame(1, "b", 7) + finish_frame(1)) ==
        Words{"bar 1 of child: created running 0/5 a", "bar 1 of child: running 4/5 a", "bar 1 of child: running 0/7 b",
              "bar 1 of child: finished 0/7 b"});
}

TEST_CASE("connection: a long description is cut between two characters") {
  Peer peer;
  std::string description;
  for (int i = 0; i < 1000; ++i) description += "漢";  // 3 bytes each
  peer.say(create_frame(1, description, 5));
  CHECK(peer.told.front().description == description.substr(0, 1023));
}

TEST_CASE("connection: too many open bars are told once, and room that is made is used") {
  Peer peer;
  std::string creates;
  for (std::uint64_t id = 0; id < hub::bars_per_connection_max; ++id) creates += create_frame(id, "b", 1);
  CHECK(peer.say(creates).size() == hub::bars_per_connection_max);
  CHECK(peer.say(create_frame(9999, "x", 1) + create_frame(9998, "x", 1)) ==
        Words{notice("more than 4096 open bars, or 16384 with those of others; further ones are not shown")});
  CHECK(peer.say(create_frame(5, "again", 2)) == Words{"bar 5 of child: running 0/2 again"});
  CHECK(peer.say(finish_frame(5) + create_frame(9999, "x", 1)) ==
        Words{"bar 5 of child: finished 0/2 again", "bar 9999 of child: created running 0/1 x"});
}

TEST_CASE("connection: bars that are open at the end are orphaned, after all that was said") {
  Peer peer;
  CHECK(peer.say(create_frame(1, "a", 5) + create_frame(2, "b", 5) + finish_frame(2) + push_frame(1, 3)).size() == 4);
  const Words words = peer.say(log_frame(2, "last"));
  CHECK(words == Words{"INF child: last"});
  CHECK_FALSE(peer.connection.finished());
  CHECK(peer.end() == Words{"bar 1 of child: orphaned 3/5 a"});
  CHECK(peer.connection.finished());
  CHECK(peer.end().empty());
}

TEST_CASE("connection: orphans leave in the order of their creation") {
  Peer peer;
  std::string creates;
  Words expected;
  for (const std::uint64_t id : {50U, 7U, 1'000'000U, 3U, 8U, 900U, 1U, 2U}) {
    creates += create_frame(id, "b", 5);
    expected.push_back(fmt::format("bar {} of child: orphaned 0/5 b", id));
  }
  peer.say(creates);
  CHECK(peer.end() == expected);
}

TEST_CASE("connection: what is there when the end comes is still told") {
  Peer peer;
  const std::string bytes = log_frame(2, "one") + create_frame(1, "a", 5) + log_frame(2, "two");
  const auto room = peer.connection.room(bytes.size());
  std::transform(bytes.begin(), bytes.end(), room.begin(), [](char c) { return static_cast<std::byte>(c); });
  peer.connection.received(bytes.size(), peer.now_ns, peer.now_ns);
  CHECK(peer.end() == Words{"INF child: one", "bar 1 of child: created running 0/5 a", "INF child: two",
                            "bar 1 of child: orphaned 0/5 a"});
  CHECK(peer.connection.finished());
}

TEST_CASE("connection: an end inside a frame says how much was lost") {
  const std::string whole = log_frame(2, "message");
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    Peer peer;
    CHECK(peer.say(create_frame(1, "a", 5) + whole.substr(0, cut)).size() == 1);
    CHECK(peer.end() == Words{notice(fmt::format("connection ended inside a frame; {} bytes dropped", cut)),
                              "bar 1 of child: orphaned 0/5 a"});
    CHECK(peer.connection.finished());
  }
}

TEST_CASE("connection: a broken stream orphans its bars") {
  Peer peer;
  const Words words = peer.say(create_frame(1, "a", 5) + frame("") + create_frame(2, "b", 5));
  REQUIRE(words.size() == 3);
  CHECK(words[1] == notice("malformed frame of 0 bytes: payload is empty; connection closed"));
  CHECK(words[2] == "bar 1 of child: orphaned 0/5 a");
  CHECK(peer.connection.finished());
}

TEST_CASE("connection: silence, and an end without a word") {
  Peer peer;
  CHECK(peer.say("").empty());
  CHECK_FALSE(peer.connection.finished());
  peer.connection.rest();
  CHECK(peer.end().empty());
  CHECK(peer.connection.finished());
}

TEST_CASE("connection: pieces of any size make the same events") {
  std::string stream;
  for (unsigned i = 0; i < 20; ++i) {
    stream += log_frame(i % 8, fmt::format("message {}\n\x1b", i)) + create_frame(i, fmt::format("bar {}", i), i) +
              push_frame(i, i) + push_frame(99, 1) + frame("\x55more") + (i % 2 == 0 ? finish_frame(i) : std::string());
  }
  Peer whole;
  const Words expected = whole.say(stream);
  REQUIRE(expected.size() == 20 * 3 + 10 + 2);
  for (const std::size_t piece : {1U, 2U, 3U, 5U, 7U, 11U, 64U, 1000U}) {
    Peer peer;
    CHECK(peer.say(stream, piece) == expected);
  }
}

TEST_CASE("connection: a half frame for ever is kept, also over a rest") {
  Peer peer;
  const std::string whole = log_frame(2, std::string(3000, 'm'));
  Words words;
  for (const char c : whole) {
    words = peer.say(std::string(1, c));
    peer.connection.rest();
  }
  CHECK(words == Words{"INF child: " + std::string(3000, 'm')});
}

TEST_CASE("connection: a child's time decides its place only within 5 ms before it can have come") {
  struct Row {
    const char* what;
    std::string_view time;
    std::int64_t after_ns;  // of its place, after the beginning of the window
  };
  constexpr std::int64_t window = Connection::order_window_ns;
  CHECK(window == 5 * ms);
  const Row rows[] = {{"1970", "1970-01-01T00:00:00.000Z", 0},
                      {"2099", "2099-01-01T00:00:00.000Z", window},
                      {"as it arrives", "2026-11-21T04:16:40.729Z", window},
                      {"a little ago", "2026-11-21T04:16:40.726Z", window - 3 * ms},
                      {"just too long ago", "2026-11-21T04:16:40.723Z", 0},
                      {"not a time", "noon", window}};
  for (const Row& row : rows) {
    Peer peer;  // it is 04:16:40.729
    peer.say(log_frame(2, "m", row.time));
    INFO(row.what);
    REQUIRE(peer.order_ns.size() == 1);
    CHECK(peer.order_ns[0] == peer.now_ns - window + row.after_ns);
  }
  Peer late;
  late.not_looked_ns = 40 * ms;
  late.say(log_frame(2, "m", "2026-11-21T04:16:40.700Z") + log_frame(2, "m", "2026-11-21T04:16:40.500Z"));
  CHECK(late.order_ns == std::vector{late.now_ns - 29 * ms, late.now_ns - 29 * ms});
  Peer older;
  older.not_looked_ns = 40 * ms;
  older.say(log_frame(2, "m", "2026-11-21T04:16:40.500Z"));
  CHECK(older.order_ns == std::vector{older.now_ns - 45 * ms});
  Peer set_back;
  set_back.not_looked_ns = -100 * ms;
  set_back.say(log_frame(2, "m"));
  CHECK(set_back.order_ns.front() <= set_back.now_ns);

  Peer peer;
  peer.say(log_frame(2, "m", "2099-01-01T00:00:00.000Z"));
  CHECK(peer.told.front().time_ns > peer.now_ns);  // shown as it was said
}

TEST_CASE("connection: what has no time stands as early as it can have come") {
  Peer peer;
  peer.not_looked_ns = 40 * ms;
  peer.say(create_frame(1, "bar", 10) + push_frame(1, 5) + log_frame(2, "m", "2026-11-21T04:16:40.719Z") +
           finish_frame(1) + create_frame(2, "bar", 10) + log_frame(2, "m", "noon"));
  const std::int64_t earliest = peer.now_ns - 40 * ms;
  const std::int64_t after_record = peer.now_ns - 10 * ms;
  CHECK(peer.order_ns == std::vector{earliest, earliest, after_record, after_record, after_record, after_record});
  CHECK(peer.told[0].time_ns == peer.now_ns);  // but is shown as of now
  peer.now_ns += 100 * ms;
  peer.end();
  CHECK(peer.order_ns == std::vector{peer.now_ns - 40 * ms});
}

TEST_CASE("connection: its events never go back among the others") {
  Peer peer;
  std::vector<std::int64_t> all;
  const auto keep = [&] { all.insert(all.end(), peer.order_ns.begin(), peer.order_ns.end()); };
  peer.say(log_frame(2, "a", "2026-11-21T04:16:40.728Z") + log_frame(2, "b", "2026-11-21T04:16:40.726Z") +
           create_frame(1, "c", 1) + log_frame(2, "d", "1970-01-01T00:00:00.000Z") + push_frame(2, 2));
  keep();
  peer.now_ns += 1 * ms;
  peer.say(log_frame(2, "e", "1970-01-01T00:00:00.000Z") + frame("\x77"));
  keep();
  peer.now_ns += 100 * ms;
  peer.say(log_frame(2, "f", "1970-01-01T00:00:00.000Z"));
  keep();
  peer.now_ns += 100 * ms;
  peer.end();
  keep();
  REQUIRE(all.size() == 9);
  CHECK(std::is_sorted(all.begin(), all.end()));
  CHECK(all[7] == peer.now_ns - 100 * ms - 5 * ms);
}

TEST_CASE("connection: a clock that jumps back does not bring a child's events back") {
  Peer peer;
  peer.say(log_frame(2, "a"));
  const std::int64_t first = peer.order_ns.front();
  peer.now_ns -= std::int64_t{3'600'000} * ms;
  peer.say(log_frame(2, "b"));
  CHECK(peer.order_ns.front() >= first);
}

TEST_CASE("connection: it opens no more bars than it is allowed, and keeps those that it has") {
  Peer peer;
  CHECK(peer.say(create_frame(1, "x", 1) + create_frame(2, "x", 1)).size() == 2);
  peer.connection.allow({2, 0});
  const Words words = peer.say(create_frame(3, "x", 1) + push_frame(2, 1));
  REQUIRE(words.size() == 2);
  CHECK(words[0].find("further ones are not shown") != std::string::npos);
  CHECK(peer.connection.kept().bars == 2);
  peer.connection.allow({3, 0});
  CHECK(peer.say(create_frame(3, "x", 1)).size() == 1);
}
