// Requests and their answers: JSON-RPC 2.0 in messages, and those of this side that wait for an answer.
//
// Pure; times come as arguments. One thread at a time; the owner's lock.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dlog/channel.hpp"

namespace dlog::channel {

enum class CallKind {
  none,          // an ordinary message
  request,       // method, params and, unless it is a notification, an id
  reply,         // to a request of this side
  cancellation,  // of a request of the other side
};
struct Call {
  CallKind kind = CallKind::none;
  std::string method{};
  std::string id{};      // of a request or a cancellation: its JSON text; empty: a notification
  RequestId reply_to{};  // of a reply
};
// What a message is, without changing it.
Call read_call(const Json& message);
// Of a request: null where it has none.
Json take_params(Json&& message);
// Of a reply. What is neither a result nor an error in the proper form is an error that says so.
Reply take_reply(Json&& message);

std::string request_text(RequestId id, std::string_view method, std::string_view params);
std::string cancel_text(RequestId id);
std::string result_text(std::string_view id, std::string_view result);
std::string error_text(std::string_view id, std::int64_t number, std::string_view reason);

inline constexpr std::int64_t invalid_request = -32600;
inline constexpr std::int64_t method_not_found = -32601;  // these three are JSON-RPC's own
inline constexpr std::int64_t internal_error = -32603;
inline constexpr std::int64_t server_busy = -32000;

class WaitingRequests {
 public:
  RequestId next_id() const noexcept { return last_ + 1; }
  RequestId add(std::int64_t deadline_ns, ReplyHandler&& on_reply);
  // Its handler, once.
  std::optional<ReplyHandler> take(RequestId id);
  // Is it one of this side's, whether or not it still waits?
  bool was_made(RequestId id) const noexcept { return id != 0 && id <= last_; }
  // Those whose time has come by now.
  std::vector<std::pair<RequestId, ReplyHandler>> take_late(std::int64_t now_ns);
  std::vector<std::pair<RequestId, ReplyHandler>> take_all();
  std::int64_t next_deadline_ns() const noexcept { return deadlines_.empty() ? 0 : deadlines_.begin()->first; }
  bool empty() const noexcept { return waiting_.empty(); }

 private:
  struct Waiting {
    std::int64_t deadline_ns;
    ReplyHandler on_reply;
  };
  RequestId last_ = 0;
  std::unordered_map<RequestId, Waiting> waiting_{};
  std::set<std::pair<std::int64_t, RequestId>> deadlines_{};
};

}  // namespace dlog::channel
