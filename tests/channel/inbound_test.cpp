// Tests of channel/inbound: each message with the descriptor that is its own, and none left open that belongs to nobody.
#include "channel/inbound.hpp"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channel/sockets.hpp"
#include "channel/words.hpp"
#include "os/message_socket.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using dlog::os::Descriptor;
using dlog::os::is_open;
using dlog::test::datagram_socket;
using dlog::test::listening_socket;
using dlog::test::no_socket;
using dlog::test::stream_pair;
using dlog::test::Words;

Descriptor stream_socket() { return std::move(stream_pair().first); }

// All that was told, in order and in words; handles are kept.
struct Told final : Inbound::Receiver {
  void take_message(Json&& message) override { words.push_back("message " + message.dump()); }
  void take_handle(Json&& message, Inbound::ArrivedHandle&& handle) override {
    words.push_back(std::string(to_string(handle.kind)) + " " + message.dump() +
                    (handle.key.empty() ? "" : " key " + handle.key));
    handles.push_back(std::move(handle.descriptor));
  }
  void refuse_handle() override { words.emplace_back("refuse"); }
  void take_answer(bool acknowledged) override { words.emplace_back(acknowledged ? "ack" : "nack"); }
  void take_count_question(const std::string& key) override { words.push_back("count? " + key); }
  void take_close_question(const std::string& key) override { words.push_back("closed? " + key); }
  void take_error(Error&& error) override {
    words.emplace_back(to_string(error.code));
    reasons.push_back(std::move(error.reason));
  }
  std::vector<std::string> words{};
  std::vector<std::string> reasons{};
  std::vector<Descriptor> handles{};
};

// One half of a channel, fed by hand.
struct Feed {
  explicit Feed(std::size_t line_bytes_max = 1000) : inbound(line_bytes_max) {}
  void take(std::string_view bytes) { take(bytes, {}); }
  // Returns the descriptor's number.
  int take(std::string_view bytes, Descriptor descriptor, bool lost = false) {
    const int fd = descriptor.get();
    std::vector<Descriptor> descriptors;
    if (descriptor) descriptors.push_back(std::move(descriptor));
    inbound.take(bytes, descriptors, lost, told);
    CHECK(descriptors.empty());
    return fd;
  }
  void end() { inbound.end(told); }
  Told told{};
  Inbound inbound;
};

std::string handle_text(const std::string& type, const std::string& message = "1") {
  return R"({"cmd":"NODE_HANDLE","type":")" + type + R"(","msg":)" + message + "}\n";
}

TEST_CASE("inbound: messages of both dialects, in order") {
  Feed feed;
  feed.take("1\n\"two\"\n{\"cmd\":\"NODE_HANDLE\",\"msg\":[3]}\n{\"cmd\":4}\n");
  CHECK(feed.told.words == Words{"message 1", "message \"two\"", "message [3]", "message {\"cmd\":4}"});
}

TEST_CASE("inbound: every kind of handle with the socket that came with it") {
  Feed feed;
  const int server = feed.take(handle_text("net.Server"), listening_socket());
  const int bound = feed.take(handle_text("net.Server"), dlog::test::bound_socket(SOCK_STREAM));
  const int socket = feed.take(handle_text("net.Socket"), stream_socket());
  const int datagram = feed.take(handle_text("dgram.Socket"), datagram_socket());
  const int native = feed.take(handle_text("net.Native"), listening_socket());
  const int native_datagram = feed.take(handle_text("dgram.Native"), datagram_socket());
  CHECK(feed.told.words == Words{"server 1", "server 1", "socket 1", "datagram 1", "native 1", "native 1"});
  REQUIRE(feed.told.handles.size() == 6);
  std::vector<int> numbers;
  for (const Descriptor& handle : feed.told.handles) numbers.push_back(handle.get());
  CHECK(numbers == std::vector<int>{server, bound, socket, datagram, native, native_datagram});
}

TEST_CASE("inbound: a handle belongs to its line, whatever stands before and behind it in the same piece") {
  Feed feed;
  const int fd = feed.take("1\n2\n" + handle_text("net.Socket", "3") + "4\n", stream_socket());
  CHECK(feed.told.words == Words{"message 1", "message 2", "socket 3", "message 4"});
  REQUIRE(feed.told.handles.size() == 1);
  CHECK(feed.told.handles[0].get() == fd);
  feed.end();
  CHECK(feed.told.words.size() == 4);
  CHECK(is_open(fd));
}

TEST_CASE("inbound: a handle whose line comes in pieces waits for all of it") {
  const std::string line = handle_text("net.Socket", "{\"a\":1}");
  for (std::size_t split = 1; split < line.size(); ++split) {
    CAPTURE(split);
    Feed feed;
    const int fd = feed.take(line.substr(0, split), stream_socket());
    CHECK(feed.told.words.empty());
    CHECK(is_open(fd));
    feed.take(line.substr(split));
    CHECK(feed.told.words == Words{"socket {\"a\":1}"});
  }
  Feed feed;
  feed.take(line.substr(0, 1), stream_socket());
  for (std::size_t i = 1; i < line.size(); ++i) feed.take(line.substr(i, 1));
  CHECK(feed.told.words == Words{"socket {\"a\":1}"});
}

TEST_CASE("inbound: a handle's line whose beginning came with earlier lines") {
  Feed feed;
  const std::string line = handle_text("net.Socket", "3");
  const int fd = feed.take("1\n2\n" + line.substr(0, 10), stream_socket());
  CHECK(feed.told.words == Words{"message 1", "message 2"});
  CHECK(is_open(fd));
  feed.take(line.substr(10) + "4\n");
  CHECK(feed.told.words == Words{"message 1", "message 2", "socket 3", "message 4"});
}

TEST_CASE("inbound: two handles one after the other keep theirs") {
  Feed feed;
  const int first = feed.take(handle_text("net.Socket", "1") + "0\n", stream_socket());
  const int second = feed.take(handle_text("dgram.Socket", "2"), datagram_socket());
  CHECK(feed.told.words == Words{"socket 1", "message 0", "datagram 2"});
  REQUIRE(feed.told.handles.size() == 2);
  CHECK(feed.told.handles[0].get() == first);
  CHECK(feed.told.handles[1].get() == second);
}

TEST_CASE("inbound: two descriptors with one piece of two lines go to them in order") {
  Feed feed;
  std::vector<Descriptor> both;
  both.push_back(stream_socket());
  both.push_back(datagram_socket());
  const int first = both[0].get();
  const int second = both[1].get();
  feed.inbound.take(handle_text("net.Socket", "1") + handle_text("dgram.Socket", "2"), both, false, feed.told);
  CHECK(feed.told.words == Words{"socket 1", "datagram 2"});
  REQUIRE(feed.told.handles.size() == 2);
  CHECK(feed.told.handles[0].get() == first);
  CHECK(feed.told.handles[1].get() == second);
}

TEST_CASE("inbound: a handle without its descriptor is refused, its message too") {
  Feed feed;
  feed.take(handle_text("net.Socket") + "2\n");
  CHECK(feed.told.words == Words{"handle_lost", "refuse", "message 2"});
  CHECK(feed.told.reasons[0].find("net.Socket") != std::string::npos);
}

TEST_CASE("inbound: a descriptor that comes later is not an earlier line's") {
  Feed feed;
  feed.take(handle_text("net.Socket", "1"));
  const int fd = feed.take(handle_text("net.Socket", "2"), stream_socket());
  CHECK(feed.told.words == Words{"handle_lost", "refuse", "socket 2"});
  REQUIRE(feed.told.handles.size() == 1);
  CHECK(feed.told.handles[0].get() == fd);
}

TEST_CASE("inbound: a handle of a type that nobody knows is refused and closed") {
  Feed feed;
  const int fd = feed.take(handle_text("tls.Socket"), stream_socket());
  CHECK(feed.told.words == Words{"handle_lost", "refuse"});
  CHECK_FALSE(is_open(fd));
  CHECK(feed.told.reasons[0].find("tls.Socket") != std::string::npos);
}

TEST_CASE("inbound: a type full of control characters cannot disturb a terminal") {
  Feed feed;
  feed.take(handle_text("\\u001b[2J" + std::string(200, 'x')), stream_socket());
  REQUIRE(feed.told.reasons.size() == 1);
  CHECK(feed.told.reasons[0].find('\x1b') == std::string::npos);
  CHECK(feed.told.reasons[0].size() < 200);
}

TEST_CASE("inbound: a descriptor of another kind than its line says is refused and closed") {
  struct Wrong {
    const char* type;
    Descriptor (*make)();
  };
  const auto datagram = [] { return datagram_socket(); };
  for (const Wrong& wrong :
       {Wrong{"net.Server", datagram}, Wrong{"net.Server", no_socket}, Wrong{"net.Socket", listening_socket},
        Wrong{"net.Socket", datagram}, Wrong{"net.Socket", no_socket}, Wrong{"dgram.Socket", stream_socket},
        Wrong{"dgram.Socket", listening_socket}, Wrong{"dgram.Socket", no_socket}, Wrong{"net.Native", no_socket},
        Wrong{"dgram.Native", no_socket}}) {
    CAPTURE(wrong.type);
    Feed feed;
    const int fd = feed.take(handle_text(wrong.type) + "2\n", wrong.make());
    CHECK(feed.told.words == Words{"handle_lost", "refuse", "message 2"});
    CHECK_FALSE(is_open(fd));
  }
}

TEST_CASE("inbound: a descriptor with a plain message is closed and told, the message stays") {
  Feed feed;
  const int fd = feed.take("1\n", stream_socket());
  CHECK(feed.told.words == Words{"message 1", "stray_descriptor"});
  CHECK_FALSE(is_open(fd));
  feed.take("2\n");
  CHECK(feed.told.words.back() == "message 2");
}

TEST_CASE("inbound: of two descriptors with one handle's line the second is closed") {
  Feed feed;
  std::vector<Descriptor> both;
  both.push_back(stream_socket());
  both.push_back(stream_socket());
  const int first = both[0].get();
  const int second = both[1].get();
  feed.inbound.take(handle_text("net.Socket"), both, false, feed.told);
  CHECK(feed.told.words == Words{"socket 1", "stray_descriptor"});
  CHECK(is_open(first));
  CHECK_FALSE(is_open(second));
}

TEST_CASE("inbound: a descriptor within a plain message is closed when that ends") {
  Feed feed;
  feed.take("{\"a\":");
  const int fd = feed.take("1", stream_socket());
  CHECK(is_open(fd));
  feed.take("}\n");
  CHECK(feed.told.words == Words{"message {\"a\":1}", "stray_descriptor"});
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("inbound: a descriptor with a command is closed and told") {
  Feed feed;
  const int fd = feed.take("{\"cmd\":\"NODE_HANDLE_ACK\"}\n", stream_socket());
  CHECK(feed.told.words == Words{"ack", "stray_descriptor"});
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("inbound: a line that is no message is told, and the next one comes") {
  Feed feed;
  feed.take("{\"a\":}\n\n{\"a\":1,\"a\":2}\n\"\xFF\"\n5\n");
  CHECK(feed.told.words == Words{"bad_message", "bad_message", "bad_message", "bad_message", "message 5"});
  CHECK(feed.told.reasons[0].find("{\"a\":}") != std::string::npos);
}

TEST_CASE("inbound: of a long line that is no message the beginning is shown, without what disturbs a terminal") {
  Feed feed(100'000);
  feed.take("\x1b[2J\x07\xC3\xA9" + std::string(50'000, 'y') + "\n");
  REQUIRE(feed.told.reasons.size() == 1);
  const std::string& reason = feed.told.reasons[0];
  CHECK(reason.size() < 500);
  for (const char byte : reason) CHECK((byte >= ' ' && byte <= '~'));
}

TEST_CASE("inbound: a descriptor with a line that is no message is closed") {
  Feed feed;
  const int fd = feed.take("nonsense\n6\n", stream_socket());
  CHECK(feed.told.words == Words{"bad_message", "message 6", "stray_descriptor"});
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("inbound: half a line at the end is told, with its descriptor closed") {
  Feed feed;
  const int fd = feed.take("1\n{\"cmd\":\"NODE_HA", stream_socket());
  feed.end();
  CHECK(feed.told.words == Words{"message 1", "half_message", "stray_descriptor"});
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("inbound: an end between two lines is nothing to tell") {
  Feed feed;
  feed.take("1\n");
  feed.end();
  CHECK(feed.told.words == Words{"message 1"});
}

TEST_CASE("inbound: a line beyond the limit is told at once, and its descriptor closed when it ends") {
  Feed feed(10);
  const int fd = feed.take("12345678901", stream_socket());
  CHECK(feed.told.words == Words{"message_too_long"});
  feed.take("more");
  CHECK(feed.told.words.size() == 1);
  feed.take("\n7\n");
  CHECK(feed.told.words == Words{"message_too_long", "stray_descriptor", "refuse", "message 7"});
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("inbound: who sent a descriptor with a line that cannot be read is answered") {
  Feed feed;
  const int fd = feed.take("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1\n", stream_socket());
  CHECK(feed.told.words == Words{"bad_message", "stray_descriptor", "refuse"});
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("inbound: of the descriptors of a line that does not end few are kept") {
  Feed feed;
  std::vector<int> fds;
  feed.take("\"");
  for (int i = 0; i < 20; ++i) fds.push_back(feed.take("x", stream_socket()));
  std::size_t open = 0;
  for (const int fd : fds) open += is_open(fd) ? 1U : 0U;
  CHECK(open == dlog::os::descriptors_max);
  CHECK(feed.told.words.size() == 20 - dlog::os::descriptors_max);
}

TEST_CASE("inbound: an end within a line beyond the limit") {
  Feed feed(10);
  feed.take("12345678901");
  feed.end();
  CHECK(feed.told.words == Words{"message_too_long", "half_message"});
}

TEST_CASE("inbound: lost descriptors are told, and the line that misses its own is refused") {
  Feed feed;
  feed.take(handle_text("net.Socket"), {}, true);
  CHECK(feed.told.words == Words{"handle_lost", "handle_lost", "refuse"});
}

TEST_CASE("inbound: commands of the protocol") {
  Feed feed;
  feed.take(
      "{\"cmd\":\"NODE_HANDLE_ACK\"}\n{\"cmd\":\"NODE_HANDLE_NACK\"}\n"
      "{\"cmd\":\"NODE_SOCKET_GET_COUNT\",\"key\":\"k\"}\n{\"cmd\":\"NODE_SOCKET_NOTIFY_CLOSE\",\"key\":\"l\"}\n");
  CHECK(feed.told.words == Words{"ack", "nack", "count? k", "closed? l"});
}

TEST_CASE("inbound: commands that nobody knows are told, not delivered") {
  Feed feed;
  feed.take(
      "{\"cmd\":\"NODE_CLUSTER\",\"act\":1}\n{\"cmd\":\"NODE_HANDLE\"}\n{\"cmd\":\"NODE_SOCKET_GET_COUNT\"}\n1\n");
  CHECK(feed.told.words == Words{"unexpected_command", "unexpected_command", "unexpected_command", "message 1"});
  CHECK(feed.told.reasons[0].find("NODE_CLUSTER") != std::string::npos);
}

TEST_CASE("inbound: a connection's key comes with it") {
  Feed feed;
  feed.take("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1,\"key\":\"4::1\"}\n", stream_socket());
  CHECK(feed.told.words == Words{"socket 1 key 4::1"});
}

TEST_CASE("inbound: whoever goes with descriptors waiting closes them") {
  int fd = -1;
  {
    Feed feed;
    fd = feed.take("{\"cmd\"", stream_socket());
    CHECK(is_open(fd));
  }
  CHECK_FALSE(is_open(fd));
}

}  // namespace
