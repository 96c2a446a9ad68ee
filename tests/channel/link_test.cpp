// Tests of channel/link: what callers ask of a channel is taken, refused or answered, and each is told of it once.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "channel/two_channels.hpp"
#include "channel/words.hpp"
#include "dlog/channel.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using namespace dlog::test;
using namespace std::chrono_literals;

constexpr auto long_enough = 30s;

// ---- sending

TEST_CASE("link: whoever sends is told once that the kernel has it, in order") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    for (int i = 0; i < 3; ++i) CHECK(both.ours.send(i, heard.sent(std::to_string(i))));
    CHECK(both.reach([&] { return heard.count() == 3; }));
    both.ours.disconnect();
    both.ours.wait(long_enough);
    CHECK(heard.words() == Words{"0 sent", "1 sent", "2 sent"});
    CHECK(both.ours.queued_bytes() == 0);
  }
}

TEST_CASE("link: a callback may send, and may ask for the end") {
  Heard at_ours;
  Heard at_theirs;
  TwoChannels both = two_channels();
  at_theirs.hear_all_of(both.theirs);
  both.ours.send(1, [&](const std::optional<Error>&) {
    both.ours.send(2, [&](const std::optional<Error>&) { both.ours.disconnect(); });
  });
  CHECK(until([&] { return at_theirs.count() == 3; }));
  CHECK(at_theirs.words() == Words{"1", "2", "disconnect"});
}

TEST_CASE("link: what cannot be sent is refused, to the callback or to whoever hears of errors") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    Heard at_theirs;
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    at_theirs.hear_all_of(both.theirs);
    both.ours.on_error(heard.errors());
    Json deep = 1;
    for (int i = 0; i < 65; ++i) deep = Json::array({std::move(deep)});
    CHECK_FALSE(both.ours.send("\xFF", heard.sent("text")));
    CHECK_FALSE(both.ours.send(deep, heard.sent("deep")));
    CHECK_FALSE(both.ours.send(Json::binary({1}), heard.sent("bytes")));
    CHECK(both.reach([&] { return heard.count() == 3; }));
    CHECK_FALSE(both.ours.send("\xFF"));
    CHECK(both.reach([&] { return heard.count() == 4; }));
    CHECK(heard.words() == Words{"text bad_value", "deep bad_value", "bytes bad_value", "bad_value"});
    CHECK(both.ours.connected());
    CHECK(both.ours.send(1));
    CHECK(until([&] { return at_theirs.count() == 1; }));
    CHECK(at_theirs.words() == Words{"1"});
  }
}

TEST_CASE("link: a line of just the limit is sent and taken, one byte more is refused at sending") {
  for (const Dialect dialect : {Dialect::node, Dialect::deka}) {
    // Deka's envelope is a part of the line.
    const std::size_t around = dialect == Dialect::node ? 2 : std::string(R"({"cmd":"NODE_HANDLE","msg":""})").size();
    Options options;
    options.limits.line_bytes_max = 100;
    Heard at_ours;
    Heard at_theirs;
    TwoChannels both = two_channels(dialect, options, options);
    at_theirs.hear_all_of(both.theirs);
    CHECK(both.ours.send(std::string(100 - around, 'x')));
    CHECK_FALSE(both.ours.send(std::string(101 - around, 'x'), at_ours.sent("long")));
    CHECK(both.ours.send(1));
    CHECK(until([&] { return at_theirs.count() == 2 && at_ours.count() == 1; }));
    CHECK(at_theirs.words() == Words{"\"" + std::string(100 - around, 'x') + "\"", "1"});
    CHECK(at_ours.words() == Words{"long bad_value"});
  }
}

TEST_CASE("link: a cmd of the protocol's own is refused in Node's dialect, and a message like any other in Deka's") {
  const Json reserved{{"cmd", "NODE_HANDLE_ACK"}};
  Heard at_ours;
  Heard at_theirs;
  TwoChannels node = two_channels(Dialect::node);
  CHECK_FALSE(node.ours.send(reserved, at_ours.sent("reserved")));
  CHECK(node.ours.send({{"cmd", "NODE_"}}, at_ours.sent("short")));
  CHECK(node.ours.send({{"a", reserved}}, at_ours.sent("inner")));
  CHECK(until([&] { return at_ours.count() == 3; }));
  CHECK(at_ours.words() == Words{"reserved bad_value", "short sent", "inner sent"});

  TwoChannels deka = two_channels(Dialect::deka);
  at_theirs.hear_all_of(deka.theirs);
  CHECK(deka.ours.send(reserved));
  CHECK(until([&] { return at_theirs.count() == 1; }));
  CHECK(at_theirs.words() == Words{R"({"cmd":"NODE_HANDLE_ACK"})"});
}

TEST_CASE("link: with a peer that does not read there is no room in time, and it is told when there is again") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Options options = options_of(delivery);
    options.limits.high_water_bytes = 50'000;
    Heard heard;
    ChannelAndPeer pair = channel_and_peer(Dialect::node, options);
    pair.channel.on_drain(heard.drain());
    const std::string text(9'998, 'x');  // lines of ten thousand bytes and one
    int sent = 0;
    bool room = true;
    while (room && sent < 1000) {
      room = pair.channel.send(text);
      ++sent;
    }
    CHECK(sent < 1000);
    CHECK(pair.channel.queued_bytes() >= 50'000);
    CHECK(pair.channel.queued_bytes() < 50'000 + 10'001);
    CHECK_FALSE(pair.channel.send(1));
    CHECK(heard.count() == 0);
    for (int i = 0; i < sent; ++i) {
      until([&] {
        turn(pair.channel);
        return pair.peer.has_something();
      });
      std::string line;
      std::thread reader([&] { line = pair.peer.line(); });
      if (delivery == Delivery::loop)
        until([&] { return turn(pair.channel), !line.empty() || pair.channel.queued_bytes() == 0; });
      reader.join();
      CHECK(line.size() == 10'000);
    }
    CHECK(pair.peer.line() == "1");
    CHECK(until([&] {
      turn(pair.channel);
      return heard.count() == 1;
    }));
    CHECK(pair.channel.queued_bytes() == 0);
    CHECK(pair.channel.send(2));
    CHECK(pair.peer.line() == "2");
    CHECK(heard.words() == Words{"drain"});
  }
}

TEST_CASE("link: beyond the cap messages are not taken, and those that were arrive") {
  Options options;
  options.limits.queue_bytes_max = 100'000;
  Heard heard;
  std::atomic<int> sent{0};
  std::atomic<int> refused{0};
  std::atomic<int> others{0};
  ChannelAndPeer pair = channel_and_peer(Dialect::node, options);
  pair.channel.on_error(heard.errors());
  constexpr int count = 200;
  for (int i = 0; i < count; ++i) {
    pair.channel.send(std::string(9'998, 'x'), [&](const std::optional<Error>& error) {
      if (!error) ++sent;
      else if (error->code == ErrorCode::queue_full) ++refused;
      else ++others;
    });
    CHECK(pair.channel.queued_bytes() <= 100'000);
  }
  CHECK(until([&] { return refused > 0; }));
  CHECK_FALSE(pair.channel.send(std::string(9'998, 'x')));
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK(heard.words() == Words{"queue_full"});
  // All that was taken comes when it is read.
  int lines = 0;
  while (sent + refused < count || pair.channel.queued_bytes() > 0 || pair.peer.has_something()) {
    if (pair.peer.line().size() != 10'000) break;
    ++lines;
  }
  CHECK(others == 0);
  CHECK(sent + refused == count);
  CHECK(lines == sent);
  CHECK(sent > 0);
}

// ---- handles that cannot be sent

TEST_CASE("link: a handle that is not what it is called is refused and closed") {
  struct Wrong {
    HandleKind kind;
    dlog::os::Descriptor (*make)();
  };
  const auto stream = [] { return std::move(stream_pair().first); };
  const auto datagram = [] { return datagram_socket(); };
  Heard at_theirs;
  TwoChannels both = two_channels();
  at_theirs.hear_all_of(both.theirs);
  int count = 0;
  for (const Wrong& wrong : {Wrong{HandleKind::server, stream}, Wrong{HandleKind::server, datagram},
                             Wrong{HandleKind::server, no_socket}, Wrong{HandleKind::socket, listening_socket},
                             Wrong{HandleKind::socket, datagram}, Wrong{HandleKind::socket, no_socket},
                             Wrong{HandleKind::datagram, stream}, Wrong{HandleKind::datagram, listening_socket},
                             Wrong{HandleKind::native, no_socket}, Wrong{HandleKind::none, stream}}) {
    CAPTURE(to_string(wrong.kind));
    Heard heard;
    const int fd = wrong.make().release();
    CHECK_FALSE(both.ours.send(++count, Handle(wrong.kind, fd), heard.sent("handle")));
    CHECK_FALSE(dlog::os::is_open(fd));
    CHECK(until([&] { return heard.count() == 1; }));
    CHECK(heard.words() == Words{"handle bad_value"});
  }
  Heard heard;
  CHECK_FALSE(both.ours.send(1, Handle(), heard.sent("empty")));
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK(heard.words() == Words{"empty bad_value"});
  CHECK(both.ours.send("end"));
  CHECK(until([&] { return at_theirs.count() == 1; }));
  CHECK(at_theirs.words() == Words{"\"end\""});
}

TEST_CASE("link: a handle that comes after the end is closed, and its callback told") {
  Heard heard;
  TwoChannels both = two_channels();
  both.ours.disconnect();
  const int fd = listening_socket().release();
  CHECK_FALSE(both.ours.send(1, Handle(HandleKind::server, fd), heard.sent("handle")));
  CHECK_FALSE(dlog::os::is_open(fd));
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK(heard.words() == Words{"handle not_connected"});
}

}  // namespace
