// Tests of channel/requests: the texts of JSON-RPC as they are written and read, and each request answered once.
#include "channel/requests.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace dlog::channel;

Json parsed(std::string_view text) { return Json::parse(text); }

// A call in words.
std::string read(std::string_view text) {
  const Call call = read_call(parsed(text));
  switch (call.kind) {
    case CallKind::none: return "message";
    case CallKind::request: return "request " + call.method + (call.id.empty() ? "" : " " + call.id);
    case CallKind::reply: return "reply " + std::to_string(call.reply_to);
    case CallKind::cancellation: return "cancel " + call.id;
  }
  return "";
}

std::string reply_words(std::string_view text) {
  Reply reply = take_reply(parsed(text));
  if (reply) return "result " + reply.result().dump();
  CHECK(reply.error().code == ErrorCode::refused);
  return "error " + std::to_string(reply.error_number()) + " " + reply.error().reason;
}

TEST_CASE("requests: the texts, byte for byte") {
  CHECK(request_text(1, "add", "[1,2]") == R"({"jsonrpc":"2.0","id":1,"method":"add","params":[1,2]})");
  CHECK(request_text(18446744073709551615U, "a", "null") ==
        R"({"jsonrpc":"2.0","id":18446744073709551615,"method":"a","params":null})");
  CHECK(cancel_text(7) == R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":7}})");
  CHECK(result_text("7", "{}") == R"({"jsonrpc":"2.0","id":7,"result":{}})");
  CHECK(result_text("\"a\"", "null") == R"({"jsonrpc":"2.0","id":"a","result":null})");
  CHECK(error_text("7", -32601, "no such method") ==
        R"({"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no such method"}})");
}

TEST_CASE("requests: names and reasons with anything in them stay JSON on one line") {
  const std::string name = "a\"b\\c\nd\x01\xC3\xA9";
  const std::string request = request_text(1, name, "0");
  CHECK(request.find('\n') == std::string::npos);
  CHECK(parsed(request)["method"].get<std::string>() == name);
  const std::string error = error_text("1", 5, name);
  CHECK(error.find('\n') == std::string::npos);
  CHECK(parsed(error)["error"]["message"].get<std::string>() == name);
  // What is no UTF-8 is replaced: an answer must not be lost for its reason.
  CHECK(parsed(error_text("1", 5, "a\xFF"))["error"]["message"].get<std::string>() == "a\xEF\xBF\xBD");
}

TEST_CASE("requests: requests, with ids of every kind and without") {
  CHECK(read(R"({"jsonrpc":"2.0","id":1,"method":"a"})") == "request a 1");
  CHECK(read(R"({"jsonrpc":"2.0","id":-1,"method":"a","params":[]})") == "request a -1");
  CHECK(read(R"({"jsonrpc":"2.0","id":1.5,"method":"a"})") == "request a 1.5");
  CHECK(read(R"({"jsonrpc":"2.0","id":"x\"y","method":"a"})") == R"(request a "x\"y")");
  CHECK(read(R"({"jsonrpc":"2.0","id":null,"method":"a"})") == "request a null");
  CHECK(read(R"({"jsonrpc":"2.0","method":"a"})") == "request a");
  CHECK(read(R"({"jsonrpc":"2.0","id":1,"method":""})") == "request  1");
  CHECK(read(R"({"jsonrpc":"2.0","id":1,"method":"a","result":1,"more":2})") == "request a 1");
}

TEST_CASE("requests: replies to this side's numbers") {
  CHECK(read(R"({"jsonrpc":"2.0","id":3,"result":null})") == "reply 3");
  CHECK(read(R"({"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"x"}})") == "reply 3");
  CHECK(read(R"({"jsonrpc":"2.0","id":18446744073709551615,"result":1})") == "reply 18446744073709551615");
}

TEST_CASE("requests: cancellations") {
  CHECK(read(R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":3}})") == "cancel 3");
  CHECK(read(R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"x"}})") == "cancel \"x\"");
  CHECK(read(R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{}})") == "message");
  CHECK(read(R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":[3]})") == "message");
  CHECK(read(R"({"jsonrpc":"2.0","method":"$/cancelRequest"})") == "message");
  CHECK(read(R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":[3]}})") == "message");
}

TEST_CASE("requests: all else is a message") {
  for (const char* text : {"null",
                           "1",
                           "\"jsonrpc\"",
                           "[]",
                           R"(["jsonrpc","2.0"])",
                           "{}",
                           R"({"jsonrpc":"2.0"})",
                           R"({"jsonrpc":"1.0","id":1,"method":"a"})",
                           R"({"jsonrpc":2.0,"id":1,"method":"a"})",
                           R"({"id":1,"method":"a"})",
                           R"({"jsonrpc":"2.0","id":1,"method":1})",
                           R"({"jsonrpc":"2.0","id":1,"method":null})",
                           R"({"jsonrpc":"2.0","id":{},"method":"a"})",
                           R"({"jsonrpc":"2.0","id":[1],"method":"a"})",
                           R"({"jsonrpc":"2.0","id":true,"method":"a"})",
                           R"({"jsonrpc":"2.0","id":1})",
                           R"({"jsonrpc":"2.0","id":"1","result":1})",
                           R"({"jsonrpc":"2.0","id":-1,"result":1})",
                           R"({"jsonrpc":"2.0","id":1.5,"result":1})",
                           R"({"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}})",
                           R"({"jsonrpc":"2.0","result":1})"}) {
    CAPTURE(text);
    CHECK(read(text) == "message");
  }
}

TEST_CASE("requests: what is read is what was written") {
  CHECK(read(request_text(9, "a b", "{}")) == "request a b 9");
  CHECK(read(cancel_text(9)) == "cancel 9");
  CHECK(read(result_text("9", "null")) == "reply 9");
  CHECK(read(error_text("9", 1, "x")) == "reply 9");
}

TEST_CASE("requests: params are what came, null where none did") {
  CHECK(take_params(parsed(R"({"params":[1,{"a":2}]})")).dump() == R"([1,{"a":2}])");
  CHECK(take_params(parsed(R"({"params":5})")).dump() == "5");
  CHECK(take_params(parsed("{}")).is_null());
}

TEST_CASE("requests: replies in the proper form") {
  CHECK(reply_words(R"({"result":{"a":1}})") == R"(result {"a":1})");
  CHECK(reply_words(R"({"result":null})") == "result null");
  CHECK(reply_words(R"({"error":{"code":-5,"message":"no","data":1}})") == "error -5 no");
  CHECK(reply_words(R"({"error":{"code":0,"message":""}})") == "error 0 ");
}

TEST_CASE("requests: replies in another form are errors that say so") {
  for (const char* text : {R"({"error":null})", R"({"error":"no"})", R"({"error":{}})", R"({"error":{"code":1}})",
                           R"({"error":{"message":"no"}})", R"({"error":{"code":"1","message":"no"}})",
                           R"({"error":{"code":1.5,"message":"no"}})", R"({"error":{"code":1,"message":["no"]}})",
                           R"({"error":[1,"no"]})"}) {
    CAPTURE(text);
    CHECK(reply_words(text) == "error -32603 an error without a code and a message");
  }
}

// ---- those that wait

struct Waiting {
  RequestId add(std::int64_t deadline) {
    return requests.add(deadline, [this](Reply&& reply) { replies.push_back(reply.result().dump()); });
  }
  WaitingRequests requests{};
  std::vector<std::string> replies{};
};

std::vector<RequestId> ids(const std::vector<std::pair<RequestId, ReplyHandler>>& taken) {
  std::vector<RequestId> out;
  for (const auto& [id, handler] : taken) out.push_back(id);
  return out;
}

using Ids = std::vector<RequestId>;

TEST_CASE("requests: each has a number of its own, never nothing, and is taken once") {
  Waiting waiting;
  CHECK(waiting.requests.empty());
  const RequestId first = waiting.add(100);
  const RequestId second = waiting.add(100);
  CHECK(first != 0);
  CHECK(second != 0);
  CHECK(first != second);
  CHECK_FALSE(waiting.requests.empty());
  auto handler = waiting.requests.take(first);
  REQUIRE(handler);
  (*handler)(Reply(Json("mine")));
  CHECK(waiting.replies == std::vector<std::string>{"\"mine\""});
  CHECK_FALSE(waiting.requests.take(first));
  CHECK_FALSE(waiting.requests.take(0));
  CHECK_FALSE(waiting.requests.take(second + 1));
  CHECK(waiting.requests.take(second));
  CHECK(waiting.requests.empty());
}

TEST_CASE("requests: a number is known to be this side's also when it has its answer") {
  Waiting waiting;
  CHECK_FALSE(waiting.requests.was_made(1));
  const RequestId id = waiting.add(100);
  CHECK(waiting.requests.was_made(id));
  CHECK_FALSE(waiting.requests.was_made(id + 1));
  CHECK_FALSE(waiting.requests.was_made(0));
  CHECK(waiting.requests.take(id));
  CHECK(waiting.requests.was_made(id));
}

TEST_CASE("requests: a number is not used again") {
  Waiting waiting;
  const RequestId first = waiting.add(100);
  CHECK(waiting.requests.take(first));
  CHECK(waiting.add(100) != first);
}

TEST_CASE("requests: those are late whose time has come, in its order") {
  Waiting waiting;
  CHECK(waiting.requests.next_deadline_ns() == 0);
  const RequestId slow = waiting.add(300);
  const RequestId fast = waiting.add(100);
  const RequestId same = waiting.add(100);
  const RequestId middle = waiting.add(200);
  CHECK(waiting.requests.next_deadline_ns() == 100);
  CHECK(waiting.requests.take_late(99).empty());
  CHECK(ids(waiting.requests.take_late(100)) == Ids{fast, same});
  CHECK(waiting.requests.take_late(100).empty());
  CHECK(waiting.requests.next_deadline_ns() == 200);
  CHECK(waiting.requests.take(middle));
  CHECK(waiting.requests.next_deadline_ns() == 300);
  CHECK(waiting.requests.take_late(299).empty());
  CHECK(ids(waiting.requests.take_late(1000)) == Ids{slow});
  CHECK(waiting.requests.empty());
  CHECK(waiting.requests.next_deadline_ns() == 0);
}

TEST_CASE("requests: one that was late is no longer there to be answered") {
  Waiting waiting;
  const RequestId id = waiting.add(100);
  CHECK(waiting.requests.take_late(100).size() == 1);
  CHECK_FALSE(waiting.requests.take(id));
}

TEST_CASE("requests: all of them at the end") {
  Waiting waiting;
  const RequestId first = waiting.add(300);
  const RequestId second = waiting.add(100);
  CHECK(ids(waiting.requests.take_all()) == Ids{second, first});
  CHECK(waiting.requests.take_all().empty());
  CHECK(waiting.requests.empty());
  CHECK(waiting.requests.next_deadline_ns() == 0);
}

}  // namespace
