// Tests of channel/envelope: which lines are messages, handles or commands, byte for byte as Node and Deka write them.
#include "channel/envelope.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "support/catch.hpp"

namespace {

using namespace dlog::channel;

Line read(std::string_view text) { return read_line(Json::parse(text)); }

// A line in words: the kind, and the value that is handed on.
std::string words(std::string_view text) {
  const Line line = read(text);
  const std::string value = line.value->dump();
  switch (line.kind) {
    case LineKind::message: return "message " + value;
    case LineKind::handle: return "handle " + line.type + " " + value + (line.key.empty() ? "" : " key " + line.key);
    case LineKind::ack: return "ack";
    case LineKind::nack: return "nack";
    case LineKind::get_count: return "count? " + line.key;
    case LineKind::notify_close: return "closed? " + line.key;
    case LineKind::other: return "other " + value;
  }
  return "nothing";
}

TEST_CASE("envelope: any value without an envelope is a message") {
  for (const char* text : {"null", "true", "1", "-1.5", "\"NODE_HANDLE\"", "[]", "{}", "[{\"cmd\":\"NODE_HANDLE\"}]",
                           "{\"a\":1}", "{\"cmd\":\"x\"}", "{\"CMD\":\"NODE_HANDLE\"}", "{\"msg\":1,\"type\":\"x\"}"}) {
    CAPTURE(text);
    CHECK(words(text) == std::string("message ") + text);
  }
}

TEST_CASE("envelope: what Node takes for one of its own, and what not") {
  for (const char* text : {R"({"cmd":"NODE_A"})", R"({"cmd":"NODE_HANDLE"})", R"({"cmd":"NODE_ "})",
                           R"({"a":1,"cmd":"NODE_debug"})", R"({"cmd":"NODE__"})"}) {
    CAPTURE(text);
    CHECK(is_internal(Json::parse(text)));
  }
  for (const char* text :
       {R"({"cmd":"NODE_"})", R"({"cmd":"NODE"})", R"({"cmd":""})", R"({"cmd":"node_HANDLE"})", R"({"cmd":" NODE_A"})",
        R"({"cmd":"XNODE_A"})", R"({"cmd":1})", R"({"cmd":null})", R"({"cmd":["NODE_A"]})", R"({"cmd":{"NODE_A":1}})",
        R"({"NODE_A":1})", R"(["NODE_A"])", R"("NODE_A")", "null", "{}", "1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_internal(Json::parse(text)));
  }
}

TEST_CASE("envelope: a cmd of five letters is the program's own") {
  CHECK(words(R"({"cmd":"NODE_"})") == R"(message {"cmd":"NODE_"})");
  CHECK(words(R"({"cmd":"NODE_X"})") == R"(other {"cmd":"NODE_X"})");
}

TEST_CASE("envelope: Deka's messages come out of theirs") {
  CHECK(words(R"({"cmd":"NODE_HANDLE","msg":{"a":[1]}})") == R"(message {"a":[1]})");
  CHECK(words(R"({"cmd":"NODE_HANDLE","msg":null})") == "message null");
  CHECK(words(R"({"cmd":"NODE_HANDLE","type":null,"msg":1})") == "message 1");
  CHECK(words(R"({"cmd":"NODE_HANDLE","msg":1,"more":2})") == "message 1");
  // One envelope is taken off, not all: the rest is the program's.
  CHECK(words(R"({"cmd":"NODE_HANDLE","msg":{"cmd":"NODE_X"}})") == R"(message {"cmd":"NODE_X"})");
  CHECK(words(R"({"cmd":"NODE_HANDLE","msg":{"cmd":"NODE_HANDLE","msg":1}})") ==
        R"(message {"cmd":"NODE_HANDLE","msg":1})");
}

TEST_CASE("envelope: the types of handles, each by its name") {
  struct Type {
    const char* name;
    HandleKind kind;
  };
  for (const Type& type :
       {Type{"net.Server", HandleKind::server}, Type{"net.Socket", HandleKind::socket},
        Type{"dgram.Socket", HandleKind::datagram}, Type{"net.Native", HandleKind::native},
        Type{"dgram.Native", HandleKind::native}, Type{"net.socket", HandleKind::none}, Type{"", HandleKind::none},
        Type{"tls.Socket", HandleKind::none}, Type{"net.Server ", HandleKind::none}}) {
    CAPTURE(type.name);
    const Line line = read_line(Json{{"cmd", "NODE_HANDLE"}, {"type", type.name}, {"msg", {{"a", 1}}}});
    CHECK(line.kind == LineKind::handle);
    CHECK(line.handle == type.kind);
    CHECK(line.type == type.name);
    CHECK(line.value->dump() == R"({"a":1})");
    CHECK(line.key.empty());
  }
}

TEST_CASE("envelope: a handle's message may be anything, its key a text") {
  CHECK(words(R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":null,"key":"4:0.0.0.0:80"})") ==
        "handle net.Socket null key 4:0.0.0.0:80");
  CHECK(words(R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":"text","key":17})") == "handle net.Socket \"text\"");
  CHECK(words(R"({"cmd":"NODE_HANDLE","type":"dgram.Socket","msg":[],"dgramType":"udp4"})") ==
        "handle dgram.Socket []");
  CHECK(words(R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":{"cmd":"NODE_X"}})") ==
        R"(handle net.Socket {"cmd":"NODE_X"})");
}

TEST_CASE("envelope: what Node sent again is taken out of its second envelope") {
  const std::string once = R"({"cmd":"NODE_HANDLE","type":"net.Server","msg":{"a":1},"key":"k"})";
  CHECK(words(R"({"cmd":"NODE_HANDLE","type":"net.Native","msg":)" + once + "}") ==
        R"(handle net.Server {"a":1} key k)");
  std::string often = once;
  for (int i = 0; i < 20; ++i) often = R"({"cmd":"NODE_HANDLE","type":"net.Native","msg":)" + often + "}";
  CHECK(words(often) == R"(handle net.Server {"a":1} key k)");
}

TEST_CASE("envelope: an inner envelope without a type is the message of the outer one") {
  CHECK(words(R"({"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_HANDLE","msg":1}})") ==
        R"(handle net.Native {"cmd":"NODE_HANDLE","msg":1})");
  CHECK(words(R"({"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_HANDLE","type":3,"msg":1}})") ==
        R"(handle net.Native {"cmd":"NODE_HANDLE","msg":1,"type":3})");
}

TEST_CASE("envelope: an inner envelope without a message is not whole") {
  CHECK(words(R"({"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_HANDLE","type":"net.Socket"}})") ==
        R"(other {"cmd":"NODE_HANDLE","type":"net.Socket"})");
}

TEST_CASE("envelope: answers to handles are known by their names alone") {
  CHECK(words(R"({"cmd":"NODE_HANDLE_ACK"})") == "ack");
  CHECK(words(R"({"cmd":"NODE_HANDLE_NACK"})") == "nack");
  CHECK(words(R"({"cmd":"NODE_HANDLE_ACK","more":[1]})") == "ack");
  CHECK(words(R"({"cmd":"NODE_HANDLE_ACKS"})") == R"(other {"cmd":"NODE_HANDLE_ACKS"})");
}

TEST_CASE("envelope: questions about connections need the key of their server") {
  CHECK(words(R"({"cmd":"NODE_SOCKET_GET_COUNT","key":"6:::80"})") == "count? 6:::80");
  CHECK(words(R"({"cmd":"NODE_SOCKET_NOTIFY_CLOSE","key":""})") == "closed? ");
  for (const char* text : {R"({"cmd":"NODE_SOCKET_GET_COUNT"})", R"({"cmd":"NODE_SOCKET_GET_COUNT","key":1})",
                           R"({"cmd":"NODE_SOCKET_NOTIFY_CLOSE","key":null})", R"({"cmd":"NODE_SOCKET_COUNT"})",
                           R"({"cmd":"NODE_SOCKET_ALL_CLOSED","key":"k"})"}) {
    CAPTURE(text);
    CHECK(words(text) == std::string("other ") + text);
  }
}

TEST_CASE("envelope: half an envelope is another command") {
  for (const char* text : {R"({"cmd":"NODE_HANDLE"})", R"({"cmd":"NODE_HANDLE","type":"net.Socket"})",
                           R"({"cmd":"NODE_HANDLE","msg":1,"type":1})", R"({"cmd":"NODE_HANDLE","msg":1,"type":{}})",
                           R"({"cmd":"NODE_HANDLE","msg":1,"type":false})", R"({"act":"x","cmd":"NODE_CLUSTER"})"}) {
    CAPTURE(text);
    CHECK(words(text) == std::string("other ") + text);
  }
}

TEST_CASE("envelope: a line of either dialect, byte for byte") {
  CHECK(message_line(Dialect::node, R"({"a":1})") == "{\"a\":1}\n");
  CHECK(message_line(Dialect::deka, R"({"a":1})") == "{\"cmd\":\"NODE_HANDLE\",\"msg\":{\"a\":1}}\n");
  CHECK(message_line(Dialect::node, "null") == "null\n");
  CHECK(message_line(Dialect::deka, "null") == "{\"cmd\":\"NODE_HANDLE\",\"msg\":null}\n");
}

TEST_CASE("envelope: a line with a handle, byte for byte") {
  CHECK(handle_line(HandleKind::server, false, false, "1") ==
        "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Server\",\"msg\":1}\n");
  CHECK(handle_line(HandleKind::socket, false, true, "{}") ==
        "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":{}}\n");
  CHECK(handle_line(HandleKind::native, false, false, "null") ==
        "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":null}\n");
  CHECK(handle_line(HandleKind::native, true, false, "null") ==
        "{\"cmd\":\"NODE_HANDLE\",\"type\":\"dgram.Native\",\"msg\":null}\n");
  CHECK(handle_line(HandleKind::datagram, true, false, "\"a\"") ==
        "{\"cmd\":\"NODE_HANDLE\",\"type\":\"dgram.Socket\",\"msg\":\"a\",\"dgramType\":\"udp4\"}\n");
  CHECK(handle_line(HandleKind::datagram, true, true, "\"a\"") ==
        "{\"cmd\":\"NODE_HANDLE\",\"type\":\"dgram.Socket\",\"msg\":\"a\",\"dgramType\":\"udp6\"}\n");
}

TEST_CASE("envelope: what is written is read as the same again") {
  for (const Dialect dialect : {Dialect::node, Dialect::deka}) {
    for (const char* text : {"null", "0", "\"x\"", "[1,2]", R"({"a":{"b":null}})"}) {
      CAPTURE(text);
      CHECK(words(message_line(dialect, text)) == std::string("message ") + text);
    }
  }
  for (const HandleKind kind : {HandleKind::server, HandleKind::socket, HandleKind::datagram, HandleKind::native}) {
    const Line line = read(handle_line(kind, kind == HandleKind::datagram, false, "[1]"));
    CHECK(line.kind == LineKind::handle);
    CHECK(line.handle == kind);
    CHECK(line.value->dump() == "[1]");
  }
  // A command of Node's own words inside Deka's envelope is a message.
  CHECK(words(message_line(Dialect::deka, R"({"cmd":"NODE_HANDLE_ACK"})")) == R"(message {"cmd":"NODE_HANDLE_ACK"})");
}

TEST_CASE("envelope: answers, byte for byte") {
  CHECK(ack_line == "{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
  CHECK(nack_line == "{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
  CHECK(count_line("4:127.0.0.1:80", 3) == "{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":\"4:127.0.0.1:80\",\"count\":3}\n");
  CHECK(all_closed_line("k") == "{\"cmd\":\"NODE_SOCKET_ALL_CLOSED\",\"key\":\"k\"}\n");
}

TEST_CASE("envelope: a key with anything in it stays one text on one line") {
  const std::string key = "a\"b\\c\nd\x01\xC3\xA9";
  for (const std::string& line : {count_line(key, 0), all_closed_line(key)}) {
    CAPTURE(line);
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(Json::parse(line)["key"].get<std::string>() == key);
  }
}

}  // namespace
