// Tests of channel/link_turn: what comes is delivered in order, with its sockets, and what is no message is told.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "channel/sleeps.hpp"
#include "channel/two_channels.hpp"
#include "channel/words.hpp"
#include "dlog/channel.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using namespace dlog::test;
using namespace std::chrono_literals;
using dlog::os::Descriptor;

constexpr auto long_enough = 30s;
constexpr const char* ack = R"({"cmd":"NODE_HANDLE_ACK"})";
constexpr const char* nack = R"({"cmd":"NODE_HANDLE_NACK"})";

std::string handle_text(const std::string& type, const std::string& message, const std::string& more = {}) {
  return R"({"cmd":"NODE_HANDLE","type":")" + type + R"(","msg":)" + message + more + "}\n";
}

// What the one end of a connection reads when the other one writes.
std::string through(int from, int to, std::string_view text) {
  if (::send(from, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) return "(not sent)";
  pollfd entry{to, POLLIN, 0};
  if (::poll(&entry, 1, 30'000) != 1) return "(nothing)";
  char bytes[100];
  const ssize_t got = ::recv(to, bytes, sizeof bytes, MSG_DONTWAIT);
  return got < 0 ? "(not received)" : std::string(bytes, static_cast<std::size_t>(got));
}

// Handles that came, kept with their messages.
struct Arrived {
  MessageHandler handler() {
    return [this](Json&& message, Handle&& handle) {
      const std::lock_guard lock(mutex);
      words.push_back(message.dump() + " " + to_string(handle.kind()));
      handles.push_back(std::move(handle));
    };
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return words.size();
  }
  std::mutex mutex{};
  Words words{};
  std::vector<Handle> handles{};
};

// ---- messages and their handlers

TEST_CASE("link turn: messages in single bytes are the same messages") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  heard.hear_all_of(pair.channel);
  for (const char byte : std::string_view("1\n{\"a\":[2]}\n\"3\"\n")) pair.peer.write({&byte, 1});
  CHECK(until([&] { return heard.count() == 3; }));
  CHECK(heard.words() == Words{"1", R"({"a":[2]})", "\"3\""});
}

TEST_CASE("link turn: what comes before there is a handler waits for it") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    for (int i = 0; i < 5; ++i) both.theirs.send(i);
    for (int i = 0; i < 10; ++i) {
      turn(both.ours);
      std::this_thread::sleep_for(1ms);
    }
    both.ours.on_message(heard.messages());
    for (int i = 5; i < 10; ++i) both.theirs.send(i);
    CHECK(both.reach([&] { return heard.count() == 10; }));
    CHECK(heard.words() == Words{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
  }
}

TEST_CASE("link turn: a handler that takes itself away leaves the rest for the next one, in order") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    std::atomic<bool> away{false};
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    both.ours.on_message([&](Json&& message) {
      heard.add("first " + message.dump());
      if (heard.count() == 2) {
        both.ours.on_message(nullptr);
        away = true;
      }
    });
    for (int i = 0; i < 6; ++i) both.theirs.send(i);
    CHECK(both.reach([&] { return away.load(); }));
    both.ours.on_message([&](Json&& message) { heard.add("second " + message.dump()); });
    CHECK(both.reach([&] { return heard.count() == 6; }));
    CHECK(heard.words() == Words{"first 0", "first 1", "second 2", "second 3", "second 4", "second 5"});
  }
}

TEST_CASE("link turn: a handler that puts another in its place is not called for the next message") {
  Heard heard;
  TwoChannels both = two_channels();
  both.ours.on_message([&](Json&& message) {
    heard.add("first " + message.dump());
    both.ours.on_message([&](Json&& next) { heard.add("second " + next.dump()); });
  });
  for (int i = 0; i < 3; ++i) both.theirs.send(i);
  CHECK(until([&] { return heard.count() == 3; }));
  CHECK(heard.words() == Words{"first 0", "second 1", "second 2"});
}

TEST_CASE("link turn: answers of quick handlers all leave, also that of the last") {
  constexpr int count = 5000;
  std::atomic<int> answers{0};
  TwoChannels both = two_channels();
  both.theirs.on_message([&](Json&& message) { both.theirs.send(message); });
  both.ours.on_message([&](Json&&) { ++answers; });
  for (int i = 0; i < count; ++i) both.ours.send(i);
  CHECK(until([&] { return answers == count; }));
}

TEST_CASE("link turn: of messages that nobody takes only so many are taken from the kernel") {
  Options options;
  options.limits.high_water_bytes = 100'000;
  std::atomic<std::size_t> messages{0};
  ChannelAndPeer pair = channel_and_peer(Dialect::node, options);
  const std::string line = "\"" + std::string(998, 'x') + "\"\n";
  std::string rest;
  std::size_t lines = 0;
  // Until the kernel has taken nothing for a while: the channel has stopped reading.
  for (int idle = 0; idle < 50 && lines < 100'000;) {
    if (rest.empty()) {
      rest = line;
      ++lines;
    }
    const std::size_t taken = pair.peer.write_now(rest);
    rest.erase(0, taken);
    idle = taken == 0 ? idle + 1 : 0;
    if (taken == 0) std::this_thread::sleep_for(2ms);
  }
  CHECK(lines < 10'000);  // 100 of them are high water; the kernel holds a few hundred
  pair.channel.on_message([&](Json&&) { ++messages; });
  pair.peer.write(rest);
  CHECK(until([&] { return messages == lines; }));
}

TEST_CASE("link turn: a channel that has stopped reading still has its replies") {
  Options options;
  options.limits.high_water_bytes = 10'000;
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    options.delivery = delivery;
    Heard heard;
    ChannelAndPeer pair = channel_and_peer(Dialect::node, options);
    const std::string line = "\"" + std::string(998, 'x') + "\"\n";
    for (int i = 0; i < 20; ++i) pair.peer.write(line);
    for (int i = 0; i < 50; ++i) {
      turn(pair.channel);
      std::this_thread::sleep_for(1ms);
    }
    for (int i = 0; i < 20; ++i) pair.peer.write(line);
    pair.channel.request("a", 1, 10s, heard.reply());
    CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":1,"method":"a","params":1})");
    pair.peer.write(R"({"jsonrpc":"2.0","id":1,"result":5})"
                    "\n");
    CHECK(until([&] {
      turn(pair.channel);
      return heard.count() == 1;
    }));
    CHECK(heard.words() == Words{"result 5"});
  }
}

// ---- what is no message

TEST_CASE("link turn: what is no message is told, and the next one comes") {
  Options options;
  options.limits.line_bytes_max = 100;
  Heard heard;
  ChannelAndPeer pair = channel_and_peer(Dialect::node, options);
  heard.hear_all_of(pair.channel);
  pair.peer.write("{\"a\":1,\"a\":2}\n1\n\"" + std::string(200, 'x') + "\"\n2\n{\"cmd\":\"NODE_CLUSTER\"}\n3\n");
  pair.peer.write(std::string(ack) + "\n" + nack + "\n4\n");
  CHECK(until([&] { return heard.count() == 9; }));
  CHECK(heard.words() == Words{"bad_message", "1", "message_too_long", "2", "unexpected_command", "3",
                               "unexpected_command", "unexpected_command", "4"});
}

TEST_CASE("link turn: errors wait for a handler, though not without end") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  for (int i = 0; i < 1000; ++i) pair.peer.write("x\n");
  pair.peer.write("1\n");
  pair.channel.on_message(heard.messages());
  CHECK(until([&] { return heard.count() == 1; }));
  pair.channel.on_error(heard.errors());
  pair.channel.send("\xFF");
  CHECK(until([&] { return heard.count() == 65 || heard.words().back() == "bad_value"; }));
  const Words words = heard.words();
  CHECK(words.size() >= 65);
  CHECK(words.size() <= 66);
  CHECK(words[0] == "1");
  CHECK(words[1] == "bad_message");
}

TEST_CASE("link turn: an end within a message is told before the end") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  heard.hear_all_of(pair.channel);
  pair.peer.write("1\n{\"a\":");
  pair.peer.close();
  CHECK(until([&] { return heard.count() == 3; }));
  CHECK(heard.words() == Words{"1", "half_message", "disconnect"});
}

TEST_CASE("link turn: what the other side said before it went is read, also where nothing can be sent any more") {
  Heard heard;
  std::atomic<int> messages{0};
  ChannelAndPeer pair = channel_and_peer();
  for (int i = 0; i < 100; ++i) pair.peer.write("\"" + std::string(998, 'x') + "\"\n");
  pair.peer.close();
  pair.channel.send(1);
  pair.channel.on_message([&](Json&&) { ++messages; });
  pair.channel.on_disconnect(heard.disconnect());
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK(messages == 100);
}

// ---- sockets that come with messages

TEST_CASE("link turn: sockets of every kind arrive, and data flows through them") {
  for (const Dialect dialect : {Dialect::node, Dialect::deka}) {
    for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
      Heard sent;
      Arrived arrived;
      TwoChannels both = two_channels(dialect, options_of(delivery), options_of(delivery));
      both.theirs.on_message(arrived.handler());
      Descriptor server = listening_socket();
      const std::uint16_t port = local_port(server);
      StreamPair stream = stream_pair();
      Descriptor datagram = datagram_socket();
      const std::uint16_t datagram_port = local_port(datagram);
      StreamPair native = stream_pair();
      CHECK(both.ours.send("before"));
      both.ours.send("server", Handle(HandleKind::server, server.release()), sent.sent("server"));
      both.ours.send("socket", Handle(HandleKind::socket, stream.first.release()), sent.sent("socket"));
      both.ours.send("datagram", Handle(HandleKind::datagram, datagram.release()), sent.sent("datagram"));
      both.ours.send("native", Handle(HandleKind::native, native.first.release()), sent.sent("native"));
      both.ours.send("native", Handle(HandleKind::native, datagram_socket(true).release()), sent.sent("ipv6"));
      both.ours.send("behind", sent.sent("behind"));
      REQUIRE(both.reach([&] { return arrived.count() == 7 && sent.count() == 6; }));
      CHECK(arrived.words == Words{"\"before\" none", "\"server\" server", "\"socket\" socket", "\"datagram\" datagram",
                                   "\"native\" native", "\"native\" native", "\"behind\" none"});
      CHECK(sent.words() ==
            Words{"server sent", "socket sent", "datagram sent", "native sent", "ipv6 sent", "behind sent"});

      const Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(port);
      REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
      const Descriptor accepted(::accept4(arrived.handles[1].fd(), nullptr, nullptr, SOCK_CLOEXEC));
      REQUIRE(accepted);
      CHECK(through(client.get(), accepted.get(), "to the server") == "to the server");
      CHECK(through(stream.second.get(), arrived.handles[2].fd(), "to the socket") == "to the socket");
      CHECK(through(arrived.handles[2].fd(), stream.second.get(), "and back") == "and back");
      const Descriptor sender = datagram_socket();
      address.sin_port = htons(datagram_port);
      REQUIRE(::connect(sender.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
      CHECK(through(sender.get(), arrived.handles[3].fd(), "a datagram") == "a datagram");
      CHECK(through(native.second.get(), arrived.handles[4].fd(), "to the native") == "to the native");
      for (std::size_t i = 1; i < 6; ++i) CHECK(closes_on_exec(arrived.handles[i].fd()));
    }
  }
}

TEST_CASE("link turn: a socket that was sent is closed here once the other side has it, a duplicate is kept") {
  Heard sent;
  Arrived arrived;
  TwoChannels both = two_channels();
  both.theirs.on_message(arrived.handler());
  StreamPair stream = stream_pair();
  Handle handle(HandleKind::socket, stream.first.release());
  const Handle kept = handle.duplicate();
  const int fd = handle.fd();
  both.ours.send(1, std::move(handle), sent.sent("socket"));
  CHECK(until([&] { return sent.count() == 1 && arrived.count() == 1; }));
  CHECK(until([&] { return !dlog::os::is_open(fd); }));
  REQUIRE(arrived.handles.size() == 1);
  CHECK(through(stream.second.get(), kept.fd(), "ours") == "ours");
  CHECK(through(stream.second.get(), arrived.handles[0].fd(), "theirs") == "theirs");
}

TEST_CASE("link turn: both sides may send handles at once") {
  constexpr std::size_t count = 50;
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Arrived at_ours;
    Arrived at_theirs;
    TwoChannels both = two_channels(Dialect::node, options_of(delivery), options_of(delivery));
    both.ours.on_message(at_ours.handler());
    both.theirs.on_message(at_theirs.handler());
    for (std::size_t i = 0; i < count; ++i) {
      both.ours.send(i, Handle(HandleKind::socket, stream_pair().first.release()));
      both.ours.send("between");
      both.theirs.send(i, Handle(HandleKind::datagram, datagram_socket().release()));
    }
    CHECK(both.reach([&] { return at_ours.count() == count && at_theirs.count() == 2 * count; }));
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(at_ours.words[i] == std::to_string(i) + " datagram");
      CHECK(at_theirs.words[2 * i] == std::to_string(i) + " socket");
      CHECK(at_theirs.words[2 * i + 1] == "\"between\" none");
    }
  }
}

TEST_CASE("link turn: a handler that wants no handles has its message, and the socket is closed") {
  Heard heard;
  TwoChannels both = two_channels();
  both.theirs.on_message(heard.messages());
  StreamPair stream = stream_pair();
  both.ours.send(1, Handle(HandleKind::socket, stream.first.release()));
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK(receive_to_end(stream.second).empty());  // its end: no copy is left
}

TEST_CASE("link turn: handles that nobody took are closed with their channel") {
  StreamPair stream = stream_pair();
  {
    Heard sent;
    TwoChannels both = two_channels();
    both.ours.send(1, Handle(HandleKind::socket, stream.first.release()), sent.sent("socket"));
    CHECK(until([&] { return sent.count() == 1; }));
  }
  CHECK(receive_to_end(stream.second).empty());
}

TEST_CASE("link turn: behind a handle all waits for the other side's answer") {
  Heard sent;
  ChannelAndPeer pair = channel_and_peer();
  StreamPair stream = stream_pair();
  pair.channel.send("a", Handle(HandleKind::socket, stream.first.release()), sent.sent("handle"));
  pair.channel.send("behind", sent.sent("behind"));
  CHECK(pair.peer.line() == R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":"a"})");
  CHECK(pair.peer.descriptors().size() == 1);
  // An answer to the peer's own handle does not wait.
  pair.peer.write(handle_text("net.Socket", "1"), stream.second.get());
  CHECK(pair.peer.line() == ack);
  CHECK_FALSE(pair.peer.has_something());
  CHECK(sent.count() == 0);
  pair.peer.write(std::string(ack) + "\n");
  CHECK(pair.peer.line() == "\"behind\"");
  CHECK(until([&] { return sent.count() == 2; }));
  CHECK(sent.words() == Words{"handle sent", "behind sent"});
}

TEST_CASE("link turn: a handle that does not arrive is sent four times, then told to be lost") {
  for (const bool with_callback : {true, false}) {
    Heard heard;
    ChannelAndPeer pair = channel_and_peer();
    pair.channel.on_error(heard.errors());
    StreamPair stream = stream_pair();
    Handle handle(HandleKind::socket, stream.first.release());
    pair.channel.send("a", std::move(handle), with_callback ? heard.sent("handle") : SendCallback());
    pair.channel.send("behind");
    for (int i = 0; i < 4; ++i) {
      CHECK(pair.peer.line() == R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":"a"})");
      pair.peer.write(std::string(nack) + "\n");
    }
    CHECK(pair.peer.line() == "\"behind\"");
    CHECK(pair.peer.descriptors().size() == 4);
    CHECK(until([&] { return heard.count() == 1; }));
    CHECK(heard.words() == Words{with_callback ? "handle handle_lost" : "handle_lost"});
  }
}

TEST_CASE("link turn: a handle whose answer never came is told to be lost with the channel") {
  for (const bool with_callback : {true, false}) {
    Heard heard;
    ChannelAndPeer pair = channel_and_peer();
    pair.channel.on_error(heard.errors());
    pair.channel.on_disconnect(heard.disconnect());
    StreamPair stream = stream_pair();
    pair.channel.send("a", Handle(HandleKind::socket, stream.first.release()),
                      with_callback ? heard.sent("handle") : SendCallback());
    CHECK(pair.peer.line() == R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":"a"})");
    pair.peer.close();
    CHECK(until([&] { return heard.has("disconnect"); }));
    CHECK(heard.words() == Words{with_callback ? "handle not_connected" : "not_connected", "disconnect"});
  }
}

TEST_CASE("link turn: a handle that came without its socket, or with another, is refused") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  heard.hear_all_of(pair.channel);
  pair.peer.write(handle_text("net.Socket", "1"));
  CHECK(pair.peer.line() == nack);
  const Descriptor datagram = datagram_socket();
  pair.peer.write(handle_text("net.Server", "2"), datagram.get());
  CHECK(pair.peer.line() == nack);
  pair.peer.write(handle_text("tls.Socket", "3"), datagram.get());
  CHECK(pair.peer.line() == nack);
  pair.peer.write(handle_text("dgram.Socket", "4"), datagram.get());
  CHECK(pair.peer.line() == ack);
  CHECK(until([&] { return heard.count() == 4; }));
  CHECK(heard.words() == Words{"handle_lost", "handle_lost", "handle_lost", "4"});
}

TEST_CASE("link turn: a descriptor that belongs to no message is closed and told") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  heard.hear_all_of(pair.channel);
  StreamPair stream = stream_pair();
  pair.peer.write("1\n", stream.first.get());
  stream.first.reset();
  CHECK(until([&] { return heard.count() == 2; }));
  CHECK(heard.words() == Words{"1", "stray_descriptor"});
  CHECK(receive_to_end(stream.second).empty());
}

TEST_CASE("link turn: connections that a server sent are counted for it until they are closed") {
  Arrived arrived;
  ChannelAndPeer pair = channel_and_peer();
  pair.channel.on_message(arrived.handler());
  const std::string key = R"(,"key":"4:127.0.0.1:80")";
  const std::string count_question = R"({"cmd":"NODE_SOCKET_GET_COUNT","key":"4:127.0.0.1:80"})"
                                     "\n";
  const std::string close_question = R"({"cmd":"NODE_SOCKET_NOTIFY_CLOSE","key":"4:127.0.0.1:80"})"
                                     "\n";
  const auto count_answer = [](int count) {
    return R"({"cmd":"NODE_SOCKET_COUNT","key":"4:127.0.0.1:80","count":)" + std::to_string(count) + "}";
  };
  const std::string all_closed = R"({"cmd":"NODE_SOCKET_ALL_CLOSED","key":"4:127.0.0.1:80"})";
  pair.peer.write(count_question);
  CHECK(pair.peer.line() == count_answer(0));
  pair.peer.write(close_question);
  CHECK(pair.peer.line() == all_closed);
  StreamPair first = stream_pair();
  StreamPair second = stream_pair();
  pair.peer.write(handle_text("net.Socket", "1", key), first.first.get());
  CHECK(pair.peer.line() == ack);
  pair.peer.write(handle_text("net.Socket", "2", key), second.first.get());
  CHECK(pair.peer.line() == ack);
  CHECK(until([&] { return arrived.count() == 2; }));
  pair.peer.write(count_question);
  CHECK(pair.peer.line() == count_answer(2));
  pair.peer.write(close_question);
  Handle copy = arrived.handles[0].duplicate();
  arrived.handles[0].close();
  pair.peer.write(count_question);
  CHECK(pair.peer.line() == count_answer(2));  // a copy is open
  copy.close();
  pair.peer.write(count_question);
  CHECK(pair.peer.line() == count_answer(1));
  const int given = arrived.handles[1].release();  // counts as closed from now on
  CHECK(pair.peer.line() == all_closed);
  dlog::os::close_descriptor(given);
  pair.peer.write(count_question);
  CHECK(pair.peer.line() == count_answer(0));
}

TEST_CASE("link turn: a counted connection may outlive its channel") {
  Arrived arrived;
  StreamPair stream = stream_pair();
  {
    ChannelAndPeer pair = channel_and_peer();
    pair.channel.on_message(arrived.handler());
    pair.peer.write(handle_text("net.Socket", "1", R"(,"key":"k")"), stream.first.get());
    CHECK(until([&] { return arrived.count() == 1; }));
  }
  CHECK(through(stream.second.get(), arrived.handles[0].fd(), "still") == "still");
  arrived.handles[0].close();
}

// ---- requests of the other side

TEST_CASE("link turn: until somebody answers requests one is a message like any other") {
  Heard heard;
  TwoChannels both = two_channels();
  both.theirs.on_message(heard.messages());
  both.ours.request("a", 1, long_enough, [](Reply&&) {});
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK(heard.words() == Words{R"({"id":1,"jsonrpc":"2.0","method":"a","params":1})"});
}

TEST_CASE("link turn: a request that came before its handler waits for it like a message") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  pair.peer.write(
      "1\n"
      R"({"jsonrpc":"2.0","id":"x","method":"a"})"
      "\n2\n");
  std::this_thread::sleep_for(5ms);
  pair.channel.on_request("a", [&](Json&& params, Responder&& responder) {
    heard.add("request " + params.dump());
    responder.reply(7);
  });
  CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":"x","result":7})");
  pair.channel.on_message(heard.messages());
  CHECK(until([&] { return heard.count() == 3; }));
  CHECK(heard.words() == Words{"request null", "1", "2"});
}

TEST_CASE(
    "link turn: requests go to the handler of their name, messages to theirs, and replies to none of ours are "
    "messages") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  pair.channel.on_message(heard.messages());
  for (const char* name : {"a", "b"}) {
    pair.channel.on_request(name, [&heard, name](Json&& params, Responder&& responder) {
      heard.add(std::string(name) + " " + params.dump());
      responder.reply(name);
    });
  }
  pair.peer.write(R"({"jsonrpc":"2.0","id":1.5,"method":"b","params":[1]})"
                  "\n");
  CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":1.5,"result":"b"})");
  pair.peer.write(
      "5\n"
      R"({"jsonrpc":"2.0","id":null,"method":"a"})"
      "\n");
  CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":null,"result":"a"})");
  pair.peer.write(R"({"jsonrpc":"2.0","id":9,"result":1})"
                  "\n");
  CHECK(until([&] { return heard.count() == 4; }));
  CHECK(heard.words() == Words{"b [1]", "5", "a null", R"({"id":9,"jsonrpc":"2.0","result":1})"});
  pair.channel.on_request("a", nullptr);
  pair.peer.write(R"({"jsonrpc":"2.0","id":2,"method":"a"})"
                  "\n");
  CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"no such method: a"}})");
}

TEST_CASE("link turn: a notification calls its handler, and is not answered") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  pair.channel.on_request("a", [&](Json&& params, Responder&& responder) {
    heard.add(params.dump());
    CHECK_FALSE(responder.reply(1));
  });
  pair.peer.write(R"({"jsonrpc":"2.0","method":"a","params":1})"
                  "\n");
  pair.peer.write(R"({"jsonrpc":"2.0","method":"unknown","params":1})"
                  "\n");
  pair.peer.write(R"({"jsonrpc":"2.0","id":1,"method":"unknown"})"
                  "\n");
  CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method: unknown"}})");
  CHECK(heard.words() == Words{"1"});
}

TEST_CASE("link turn: only so many requests may be open, and none twice by the same id") {
  Options options;
  options.limits.requests_max = 2;
  std::vector<Responder> kept;
  std::atomic<int> came{0};
  ChannelAndPeer pair = channel_and_peer(Dialect::node, options);
  pair.channel.on_request("a", [&](Json&&, Responder&& responder) {
    kept.push_back(std::move(responder));
    ++came;
  });
  const auto ask = [&](const std::string& id) {
    pair.peer.write(R"({"jsonrpc":"2.0","id":)" + id +
                    R"(,"method":"a"})"
                    "\n");
  };
  ask("1");
  ask("1");
  CHECK(pair.peer.line() ==
        R"({"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"a request with this id is open"}})");
  ask("\"1\"");
  ask("3");
  CHECK(pair.peer.line() ==
        R"({"jsonrpc":"2.0","id":3,"error":{"code":-32000,"message":"too many requests are open"}})");
  CHECK(until([&] { return came == 2; }));
  CHECK(kept[0].reply("first"));
  CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":1,"result":"first"})");
  ask("1");
  CHECK(until([&] { return came == 3; }));
  CHECK(kept[2].reply("again"));
  CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":1,"result":"again"})");
  CHECK(kept[1].reply("text"));
  CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":"1","result":"text"})");
}

TEST_CASE("link turn: while messages come fast enough for it, the thread looks for the next one and does not sleep") {
  Options options;
  options.limits.spin = std::chrono::minutes(1);
  TwoChannels both = two_channels(Dialect::node, options, options);
  std::atomic<int> messages{0};
  std::int64_t sleeps = 0;
  constexpr int settled = 500;
  constexpr int all = 1500;
  both.theirs.on_message([&](Json&& message) { both.theirs.send(message); });
  both.ours.on_message([&](Json&& message) {  // on the channel's thread
    const int count = ++messages;
    if (count == settled) sleeps -= sleeps_of_this_thread();
    if (count == all) sleeps += sleeps_of_this_thread();
    if (count < all) both.ours.send(message);
  });
  both.ours.send(1);
  REQUIRE(until([&] { return messages == all; }));
  both.ours.disconnect();
  CHECK(both.ours.wait(long_enough));
  CHECK(sleeps < (all - settled) / 10);  // for a lock, or a page
}

TEST_CASE("link turn: who is only told, and answers nothing, sleeps between messages") {
  Options options;
  options.limits.spin = std::chrono::minutes(1);
  ChannelAndPeer pair = channel_and_peer(Dialect::node, options);
  std::atomic<int> messages{0};
  std::int64_t sleeps = 0;
  constexpr int settled = 50;
  constexpr int all = 200;
  pair.channel.on_message([&](Json&&) {
    const int count = messages + 1;
    if (count == settled) sleeps -= sleeps_of_this_thread();
    if (count == all) sleeps += sleeps_of_this_thread();
    messages = count;
  });
  for (int i = 1; i <= all; ++i) {
    pair.peer.write("1\n");
    REQUIRE(until([&] { return messages == i; }));
    std::this_thread::sleep_for(1ms);
  }
  CHECK(sleeps > (all - settled) / 10);
}

TEST_CASE("link turn: a cancellation reaches the request that it names, and no other") {
  std::vector<Responder> kept;
  std::atomic<int> came{0};
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  pair.channel.on_message(heard.messages());
  pair.channel.on_request("a", [&](Json&&, Responder&& responder) {
    kept.push_back(std::move(responder));
    ++came;
  });
  pair.peer.write(R"({"jsonrpc":"2.0","id":1,"method":"a"})"
                  "\n"
                  R"({"jsonrpc":"2.0","id":"1","method":"a"})"
                  "\n");
  CHECK(until([&] { return came == 2; }));
  pair.peer.write(R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":17}})"
                  "\n");
  pair.peer.write(R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"1"}})"
                  "\n5\n");
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK(heard.words() == Words{"5"});
  CHECK_FALSE(kept[0].cancelled());
  CHECK(kept[1].cancelled());
  CHECK(kept[0].reply(1));
  CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":1,"result":1})");
}

}  // namespace
