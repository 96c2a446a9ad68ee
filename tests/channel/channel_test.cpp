// Tests of channel/channel: two programs' ends in one process, each with a thread of its own or turned by the test.
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

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
#include "os/child.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using namespace dlog::test;
using namespace std::chrono_literals;

constexpr auto long_enough = 30s;

bool is_readable(const Channel& channel) {
  pollfd entry{channel.fd(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

TEST_CASE("channel: one that was never connected says so to everybody") {
  Heard heard;
  Channel none;
  CHECK_FALSE(none.connected());
  CHECK_FALSE(none.send(1));
  CHECK_FALSE(none.send(1, heard.sent("message")));
  CHECK_FALSE(none.send(1, Handle(HandleKind::socket, no_socket().release()), heard.sent("handle")));
  CHECK(none.request("a", 1, 1s, heard.reply()) == 0);
  std::future<Reply> future = none.request("a", 1, 1s);
  Reply reply = future.get();
  CHECK(reply.error().code == ErrorCode::not_connected);
  heard.hear_all_of(none);
  none.on_drain(heard.drain());
  none.on_request("a", [](Json&&, Responder&&) {});
  CHECK(none.queued_bytes() == 0);
  CHECK_FALSE(none.disconnect());
  CHECK_FALSE(none.cancel(1));
  CHECK(none.fd() == -1);
  CHECK_FALSE(none.process_ready());
  CHECK(none.wait(long_enough));
  none.unref();
  none.ref();
  CHECK(heard.words() == Words{"message not_connected", "handle not_connected", "not_connected"});
}

TEST_CASE("channel: what is no end of a pair is refused, and stays its owner's") {
  const dlog::os::Descriptor file = no_socket();
  const dlog::os::Descriptor datagram = datagram_socket();
  for (const int fd : {-1, file.get(), datagram.get()}) {
    Expected<Channel> channel = Channel::from_descriptor(fd, Dialect::node);
    REQUIRE_FALSE(channel);
    CHECK(channel.error().code == ErrorCode::bad_value);
    CHECK_FALSE(channel.error().reason.empty());
  }
  CHECK(dlog::os::is_open(file.get()));
  CHECK(dlog::os::is_open(datagram.get()));
}

TEST_CASE("channel: values of every kind arrive as they were sent, in either dialect and delivery, both ways") {
  const Words values{"null",
                     "true",
                     "0",
                     "-1.5",
                     "\"text \xE2\x82\xAC \\n\"",
                     "[]",
                     "[1,[2]]",
                     R"({"a":{"b":[null]},"cmd":"x"})",
                     R"({"cmd":"NODE_"})",
                     "18446744073709551615"};
  for (const Dialect dialect : {Dialect::node, Dialect::deka}) {
    for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
      Heard at_ours;
      Heard at_theirs;
      TwoChannels both = two_channels(dialect, options_of(delivery), options_of(delivery));
      CHECK(both.ours.connected());
      CHECK(both.ours.dialect() == dialect);
      at_ours.hear_all_of(both.ours);
      at_theirs.hear_all_of(both.theirs);
      for (const std::string& value : values) {
        CHECK(both.ours.send(Json::parse(value)));
        CHECK(both.theirs.send(Json::parse(value)));
      }
      CHECK(both.reach([&] { return at_ours.count() >= values.size() && at_theirs.count() >= values.size(); }));
      CHECK(at_ours.words() == values);
      CHECK(at_theirs.words() == values);
    }
  }
}

TEST_CASE("channel: what is written is the dialect's, what is read may be either") {
  for (const Dialect dialect : {Dialect::node, Dialect::deka}) {
    Heard heard;
    ChannelAndPeer pair = channel_and_peer(dialect);
    heard.hear_all_of(pair.channel);
    pair.channel.send({{"a", 1}});
    CHECK(pair.peer.line() == (dialect == Dialect::node ? R"({"a":1})" : R"({"cmd":"NODE_HANDLE","msg":{"a":1}})"));
    pair.peer.write("1\n{\"cmd\":\"NODE_HANDLE\",\"msg\":2}\n");
    CHECK(until([&] { return heard.count() == 2; }));
    CHECK(heard.words() == Words{"1", "2"});
  }
}

TEST_CASE("channel: ten thousand messages keep their order, both ways at once") {
  constexpr int count = 10'000;
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    std::vector<int> at_ours;
    std::vector<int> at_theirs;
    std::atomic<int> arrived{0};
    TwoChannels both = two_channels(Dialect::node, options_of(delivery), options_of(delivery));
    both.ours.on_message([&](Json&& message) { at_ours.push_back(message.get<int>()), ++arrived; });
    both.theirs.on_message([&](Json&& message) { at_theirs.push_back(message.get<int>()), ++arrived; });
    for (int i = 0; i < count; ++i) {
      both.ours.send(i);
      both.theirs.send(i);
    }
    CHECK(both.reach([&] { return arrived == 2 * count; }));
    std::vector<int> expected;
    for (int i = 0; i < count; ++i) expected.push_back(i);
    CHECK((at_ours == expected));
    CHECK((at_theirs == expected));
  }
}

TEST_CASE("channel: messages of many threads keep the order of each") {
  constexpr int threads = 4;
  constexpr int count = 2000;
  std::vector<int> next(threads, 0);
  std::atomic<int> arrived{0};
  std::atomic<int> wrong{0};
  TwoChannels both = two_channels();
  both.theirs.on_message([&](Json&& message) {
    if (next[message[0].get<std::size_t>()]++ != message[1].get<int>()) ++wrong;
    ++arrived;
  });
  std::vector<std::thread> senders;
  for (int thread = 0; thread < threads; ++thread) {
    senders.emplace_back([&, thread] {
      for (int i = 0; i < count; ++i) both.ours.send(Json::array({thread, i}));
    });
  }
  for (std::thread& sender : senders) sender.join();
  CHECK(until([&] { return arrived == threads * count; }));
  CHECK(wrong == 0);
}

TEST_CASE("channel: a message of megabytes arrives whole") {
  const std::string text(5'000'000, 'x');
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    std::atomic<bool> right{false};
    TwoChannels both = two_channels(Dialect::node, options_of(delivery), options_of(delivery));
    both.theirs.on_message([&](Json&& message) { right = message.get_ref<const std::string&>() == text; });
    both.ours.send(text);
    CHECK(both.reach([&] { return right.load(); }));
  }
}

TEST_CASE("channel: all calls back come on one thread, one at a time, and not on the caller's") {
  std::atomic<bool> inside{false};
  std::atomic<int> overlaps{0};
  std::atomic<int> calls{0};
  std::mutex mutex;
  std::vector<std::thread::id> threads;
  const auto note = [&] {
    if (inside.exchange(true)) ++overlaps;
    {
      const std::lock_guard lock(mutex);
      if (threads.empty() || threads.back() != std::this_thread::get_id())
        threads.push_back(std::this_thread::get_id());
    }
    inside = false;
    ++calls;
  };
  TwoChannels both = two_channels();
  both.theirs.on_message([&](Json&& message) { both.theirs.send(message); });
  both.ours.on_message([&](Json&&) { note(); });
  both.ours.on_disconnect(note);
  for (int i = 0; i < 100; ++i) both.ours.send(i, [&](const std::optional<Error>&) { note(); });
  CHECK(until([&] { return calls == 200; }));
  both.theirs.disconnect();
  CHECK(until([&] { return calls == 201; }));
  CHECK(overlaps == 0);
  REQUIRE(threads.size() == 1);
  CHECK(threads[0] != std::this_thread::get_id());
}

// ---- the end

TEST_CASE("channel: disconnecting delivers what was sent, then each side is told once") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    const std::string text(10'000, 'x');
    Heard at_ours;
    Heard at_theirs;
    std::atomic<int> messages{0};
    std::atomic<int> messages_at_end{-1};
    TwoChannels both = two_channels(Dialect::node, options_of(delivery), options_of(delivery));
    at_ours.hear_all_of(both.ours);
    both.theirs.on_message([&](Json&&) { ++messages; });
    both.theirs.on_disconnect([&] {
      messages_at_end = messages.load();
      at_theirs.add("disconnect");
    });
    for (int i = 0; i < 200; ++i) both.ours.send(text);
    CHECK(both.ours.disconnect());
    CHECK_FALSE(both.ours.connected());
    CHECK_FALSE(both.ours.disconnect());
    CHECK_FALSE(both.ours.send(1, at_ours.sent("late")));
    CHECK(both.reach([&] { return at_ours.count() == 2 && at_theirs.count() == 1; }));
    CHECK(messages_at_end == 200);
    CHECK(at_ours.words() == Words{"late not_connected", "disconnect"});
    CHECK(at_theirs.words() == Words{"disconnect"});
    CHECK_FALSE(both.theirs.connected());
    CHECK_FALSE(both.theirs.send(1));
    CHECK(both.ours.wait(long_enough));
    CHECK(both.theirs.wait(long_enough));
    CHECK(at_theirs.words() == Words{"disconnect"});
  }
}

TEST_CASE("channel: whoever asks for the end late is told at once, and once") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    both.theirs.disconnect();
    CHECK(both.ours.wait(long_enough));
    both.ours.on_disconnect(heard.disconnect());
    CHECK(both.reach([&] { return heard.count() == 1; }));
    both.ours.on_disconnect([&] { heard.add("again"); });
    both.ours.on_error(heard.errors());
    both.ours.send(1);  // is told, and the new handler is not
    CHECK(both.reach([&] { return heard.count() == 2; }));
    CHECK(heard.words() == Words{"disconnect", "not_connected"});
  }
}

TEST_CASE("channel: messages that came before the end are delivered also where the handler comes late") {
  bool in_time = false;
  for (int i = 0; i < 10 && !in_time; ++i) {  // a busy machine may let the time go by in which they have to be set
    const auto begun = std::chrono::steady_clock::now();
    Heard heard;
    TwoChannels both = two_channels();
    for (int k = 0; k < 3; ++k) both.theirs.send(k);
    both.theirs.disconnect();
    CHECK(both.theirs.wait(long_enough));
    CHECK(until([&] { return !both.ours.connected(); }));
    both.ours.on_disconnect(heard.disconnect());
    both.ours.on_message(heard.messages());
    in_time = std::chrono::steady_clock::now() - begun < 100ms;
    CHECK(until([&] { return heard.count() == 4; }));
    if (in_time) CHECK(heard.words() == Words{"0", "1", "2", "disconnect"});
  }
}

TEST_CASE("channel: whoever goes disconnects, and what was sent still leaves") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    const std::string text(10'000, 'x');
    std::atomic<int> messages{0};
    Heard heard;
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    both.theirs.on_message([&](Json&&) { ++messages; });
    both.theirs.on_disconnect(heard.disconnect());
    for (int i = 0; i < 200; ++i) both.ours.send(text);
    both.ours = Channel();
    CHECK(until([&] { return heard.count() == 1; }));
    CHECK(messages == 200);
  }
}

TEST_CASE(
    "channel: whoever goes while nobody reads gives up in time, and tells all that was not sent before it has gone") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Options options = options_of(delivery);
    options.limits.linger = 50ms;
    std::atomic<int> sent{0};
    std::atomic<int> failed{0};
    StreamPair pair = stream_pair();
    {
      Channel channel = opened(std::move(pair.first), Dialect::node, options);
      for (int i = 0; i < 100; ++i) {
        channel.send(std::string(10'000, 'x'), [&](const std::optional<Error>& error) {
          if (error && error->code == ErrorCode::not_connected) ++failed;
          if (!error) ++sent;
        });
      }
    }
    CHECK(sent + failed == 100);
    CHECK(failed > 0);
  }
}

TEST_CASE("channel: nothing is called back once it is gone") {
  for (int round = 0; round < 20; ++round) {
    std::atomic<bool> gone{false};
    std::atomic<int> late{0};
    const auto note = [&] {
      if (gone) ++late;
    };
    TwoChannels both = two_channels();
    both.ours.on_message([&](Json&&) { note(); });
    both.ours.on_disconnect(note);
    std::thread sender([&] {
      for (int i = 0; i < 10'000 && both.theirs.connected(); ++i) both.theirs.send(1);
    });
    both.ours.send(1, [&](const std::optional<Error>&) { note(); });
    both.ours = Channel();
    gone = true;
    sender.join();
    both.theirs = Channel();
    CHECK(late == 0);
  }
}

TEST_CASE("channel: one may be destroyed in any of its own handlers") {
  const auto ended_by = [](Delivery delivery, auto prepare) {
    for (int round = 0; round < 8; ++round) {
      Heard heard;
      std::atomic<bool> gone{false};
      std::unique_ptr<Channel> ours;
      TwoChannels both = two_channels(Dialect::node, options_of(delivery));
      heard.hear_all_of(both.theirs);
      ours = std::make_unique<Channel>(std::move(both.ours));
      const auto go = [&] {
        ours.reset();
        gone = true;
      };
      prepare(*ours, both.theirs, go);
      CHECK(until([&] {
        if (!gone && delivery == Delivery::loop) turn(*ours);
        return gone.load();
      }));
      CHECK(until([&] { return heard.has("disconnect"); }));
    }
  };
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    ended_by(delivery, [](Channel& ours, Channel& theirs, auto go) {
      ours.on_message([go](Json&&) { go(); });
      theirs.send(1);
      theirs.send(2);
    });
    ended_by(delivery, [](Channel& ours, Channel& theirs, auto go) {
      ours.on_disconnect(go);
      theirs.disconnect();
    });
    ended_by(delivery,
             [](Channel& ours, Channel&, auto go) { ours.send(1, [go](const std::optional<Error>&) { go(); }); });
    ended_by(delivery, [](Channel& ours, Channel&, auto go) {
      ours.on_error([go](const Error&) { go(); });
      ours.send("\xFF");
    });
    ended_by(delivery, [](Channel& ours, Channel& theirs, auto go) {
      ours.on_request("a", [go](Json&&, Responder&&) { go(); });
      theirs.request("a", 1, long_enough, [](Reply&&) {});
    });
    ended_by(delivery, [](Channel& ours, Channel& theirs, auto go) {
      theirs.on_request("a", [](Json&&, Responder&& responder) { responder.reply(1); });
      ours.request("a", 1, long_enough, [go](Reply&&) { go(); });
    });
    ended_by(delivery, [](Channel& ours, Channel&, auto go) { ours.request("a", 1, 1ms, [go](Reply&&) { go(); }); });
  }
}

TEST_CASE("channel: what a handler sends before it destroys its channel arrives") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    std::atomic<bool> gone{false};
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    heard.hear_all_of(both.theirs);
    auto ours = std::make_unique<Channel>(std::move(both.ours));
    ours->on_message([&](Json&&) {
      for (int i = 0; i < 3; ++i) ours->send(i);
      ours.reset();
      gone = true;
    });
    both.theirs.send("go");
    CHECK(until([&] {
      if (delivery == Delivery::loop && !gone) turn(*ours);
      return gone.load();
    }));
    CHECK(until([&] { return heard.count() == 4; }));
    CHECK(heard.words() == Words{"0", "1", "2", "disconnect"});
  }
}

TEST_CASE("channel: a moved one goes on, and one that is moved onto has ended") {
  Heard first;
  Heard second;
  TwoChannels one = two_channels();
  TwoChannels other = two_channels();
  first.hear_all_of(one.theirs);
  second.hear_all_of(other.theirs);
  Channel moved(std::move(one.ours));
  CHECK_FALSE(one.ours.connected());  // NOLINT(bugprone-use-after-move): this is what is tested
  CHECK(moved.send(1));
  CHECK(until([&] { return first.count() == 1; }));
  other.ours = std::move(moved);
  CHECK(until([&] { return second.has("disconnect"); }));
  CHECK(other.ours.send(2));
  CHECK(until([&] { return first.count() == 2; }));
  Channel& same = other.ours;
  other.ours = std::move(same);
  CHECK(other.ours.connected());
  CHECK(first.words() == Words{"1", "2"});
}

// ---- waiting

TEST_CASE("channel: whoever waits goes on when the other side has ended, and all was called back") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    heard.hear_all_of(both.ours);
    CHECK_FALSE(both.ours.wait(0ms));
    CHECK_FALSE(both.ours.wait(5ms));
    std::thread other([&] {
      for (int i = 0; i < 3; ++i) both.theirs.send(i);
      both.theirs.disconnect();
    });
    CHECK(both.ours.wait());
    CHECK(heard.words() == Words{"0", "1", "2", "disconnect"});
    CHECK(both.ours.wait(0ms));
    other.join();
  }
}

TEST_CASE("channel: one that is not referenced keeps nobody waiting, though it goes on") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    heard.hear_all_of(both.ours);
    both.ours.unref();
    CHECK(both.ours.wait(0ms));
    both.ours.ref();
    CHECK_FALSE(both.ours.wait(0ms));
    std::thread other([&] { both.ours.unref(); });
    CHECK(both.ours.wait());
    other.join();
    both.theirs.send(1);
    CHECK(both.reach([&] { return heard.count() == 1; }));
    CHECK(both.ours.connected());
  }
}

TEST_CASE("channel: a handler that waits for its own channel is told how things stand") {
  Heard heard;
  TwoChannels both = two_channels();
  both.ours.on_message([&](Json&&) { heard.add(both.ours.wait(long_enough) ? "over" : "not over"); });
  both.theirs.send(1);
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK(heard.words() == Words{"not over"});
}

TEST_CASE("channel: a program without a handler that waits is told of the end, though nobody took the messages") {
  Heard heard;
  TwoChannels both = two_channels();
  both.ours.on_disconnect(heard.disconnect());
  both.theirs.send(1);
  both.theirs.disconnect();
  CHECK(both.ours.wait(long_enough));
  CHECK(heard.words() == Words{"disconnect"});
}

// ---- a loop of the program's own

TEST_CASE("channel: with a loop it is readable when there is something to do, and calls back in that call only") {
  Heard heard;
  TwoChannels both = two_channels(Dialect::node, options_of(Delivery::loop));
  CHECK(both.theirs.fd() == -1);
  REQUIRE(both.ours.fd() >= 0);
  std::thread::id thread;
  both.ours.on_message([&](Json&& message) {
    thread = std::this_thread::get_id();
    heard.add(message.dump());
  });
  both.ours.on_disconnect(heard.disconnect());
  while (is_readable(both.ours)) CHECK(both.ours.process_ready());
  CHECK(both.ours.process_ready());
  both.theirs.send(1);
  CHECK(until([&] { return is_readable(both.ours); }));
  CHECK(heard.count() == 0);
  CHECK(both.ours.process_ready());
  CHECK(heard.words() == Words{"1"});
  CHECK(thread == std::this_thread::get_id());
  CHECK_FALSE(is_readable(both.ours));
  both.theirs.disconnect();
  CHECK(until([&] { return is_readable(both.ours); }));
  CHECK(heard.count() == 1);
  CHECK(until([&] { return !both.ours.process_ready(); }));
  CHECK(heard.words() == Words{"1", "disconnect"});
}

TEST_CASE("channel: a handler that turns its own loop changes nothing") {
  Heard heard;
  TwoChannels both = two_channels(Dialect::node, options_of(Delivery::loop));
  both.ours.on_message([&](Json&& message) {
    heard.add("begin " + message.dump());
    CHECK(both.ours.process_ready());
    heard.add("end " + message.dump());
  });
  both.theirs.send(1);
  both.theirs.send(2);
  CHECK(both.reach([&] { return heard.count() == 4; }));
  CHECK(heard.words() == Words{"begin 1", "end 1", "begin 2", "end 2"});
}

// ---- the environment

// In a child of its own; `pair.second` is the channel that its parent opened for it.
template <class Body>
std::string in_child_with(const std::string& fd_name, const std::string& extra_name, const std::string& extra,
                          Body body) {
  return said_in_child([&] {
    for (const char* name : {"NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "DEKA_IPC_ENABLED", "DEKA_IPC_FD"})
      ::unsetenv(name);
    StreamPair pair = stream_pair();
    const int fd = pair.second.release();
    ::fcntl(fd, F_SETFD, 0);
    ::setenv(fd_name.c_str(), std::to_string(fd).c_str(), 1);
    if (!extra_name.empty()) ::setenv(extra_name.c_str(), extra.c_str(), 1);
    Peer peer(std::move(pair.first));
    return body(peer, fd);
  });
}

TEST_CASE("channel: the parent's is found once, in the dialect that it speaks, and its variables are gone") {
  const auto talk = [](Peer& peer, int fd) {
    Expected<Channel> channel = Channel::from_environment();
    if (!channel) return std::string("no channel: ") + channel.error().reason;
    channel->send(1);
    std::string said = peer.line();
    peer.write("2\n");
    Heard heard;
    channel->on_message(heard.messages());
    until([&] { return heard.count() == 1; });
    Expected<Channel> again = Channel::from_environment();
    said += " " + heard.words().at(0) + " " + (again ? "again" : to_string(again.error().code));
    for (const char* name : {"NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "DEKA_IPC_ENABLED", "DEKA_IPC_FD"})
      if (::getenv(name) != nullptr) said += std::string(" ") + name;
    if (closes_on_exec(fd)) said += " closed by exec";
    channel->on_message(nullptr);
    return said;
  };
  CHECK(in_child_with("NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "json", talk) ==
        "1 2 no_channel closed by exec");
  CHECK(in_child_with("NODE_CHANNEL_FD", "", "", talk) == "1 2 no_channel closed by exec");
  CHECK(in_child_with("DEKA_IPC_FD", "DEKA_IPC_ENABLED", "1", talk) ==
        R"({"cmd":"NODE_HANDLE","msg":1} 2 no_channel closed by exec)");
}

TEST_CASE("channel: variables that name no usable channel are told, and stay") {
  CHECK(said_in_child([] {
          ::setenv("NODE_CHANNEL_FD", "1000000", 1);
          Expected<Channel> channel = Channel::from_environment();
          return std::string(channel ? "a channel" : to_string(channel.error().code)) + " " +
                 ::getenv("NODE_CHANNEL_FD");
        }) == "bad_environment 1000000");
  CHECK(in_child_with("NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "advanced", [](Peer&, int fd) {
          Expected<Channel> channel = Channel::from_environment();
          return std::string(channel ? "a channel" : to_string(channel.error().code)) +
                 (::getenv("NODE_CHANNEL_FD") == std::to_string(fd) ? " stays" : " gone");
        }) == "bad_environment stays");
}

}  // namespace
