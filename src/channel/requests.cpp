// Requests and their answers: see requests.hpp.
#include "channel/requests.hpp"

#include <nlohmann/json.hpp>

#include "base/utf8.hpp"

namespace dlog::channel {
namespace {

constexpr const char* version_name = "jsonrpc";
constexpr std::string_view version = "2.0";
constexpr std::string_view cancel_method = "$/cancelRequest";

const Json* member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

// The text of an id, as it is in the answer; nothing: it is none.
std::optional<std::string> id_text(const Json* id) {
  if (id == nullptr || !(id->is_number() || id->is_string() || id->is_null())) return std::nullopt;
  if (id->is_number_unsigned()) return std::to_string(id->get<std::uint64_t>());  // as most are
  return id->dump();
}

std::string head(std::size_t rest_bytes) {
  std::string text;
  text.reserve(rest_bytes + 64);  // the names around it
  return text.append("{\"jsonrpc\":\"").append(version).append("\",");
}

// Text of ours and of errors, which may hold anything; most is plain.
std::string quoted(std::string_view text) {
  if (utf8::printable_ascii(text) == text.size() && text.find_first_of("\"\\") == std::string_view::npos)
    return std::string("\"").append(text).append("\"");
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Call read_call(const Json& message) {
  if (!message.is_object()) return {};
  const Json* said = member(message, version_name);
  if (said == nullptr || !said->is_string() || said->get_ref<const std::string&>() != version) return {};
  const Json* id = member(message, "id");
  if (const Json* method = member(message, "method")) {
    if (!method->is_string()) return {};
    const std::string& name = method->get_ref<const std::string&>();
    if (name == cancel_method) {
      const Json* params = member(message, "params");
      const std::optional<std::string> which =
          params != nullptr && params->is_object() ? id_text(member(*params, "id")) : std::nullopt;
      if (!which) return {};
      return {CallKind::cancellation, name, *which, 0};
    }
    if (id != nullptr && !id_text(id)) return {};
    return {CallKind::request, name, id == nullptr ? std::string() : *id_text(id), 0};
  }
  if (id == nullptr || !id->is_number_unsigned() || (!message.contains("result") && !message.contains("error")))
    return {};
  return {CallKind::reply, {}, {}, id->get<RequestId>()};
}

Json take_params(Json&& message) {
  const auto params = message.find("params");
  return params == message.end() ? Json() : Json(std::move(*params));
}

Reply take_reply(Json&& message) {
  if (const auto result = message.find("result"); result != message.end()) return Reply(Json(std::move(*result)));
  const Json& error = message["error"];
  const Json* text = error.is_object() ? member(error, "message") : nullptr;
  const Json* number = error.is_object() ? member(error, "code") : nullptr;
  if (text == nullptr || !text->is_string() || number == nullptr || !number->is_number_integer())
    return Reply(Error{ErrorCode::refused, "an error without a code and a message"}, internal_error);
  return Reply(Error{ErrorCode::refused, text->get<std::string>()}, number->get<std::int64_t>());
}

std::string request_text(RequestId id, std::string_view method, std::string_view params) {
  std::string text = head(method.size() + params.size());
  text.append("\"id\":").append(std::to_string(id)).append(",\"method\":").append(quoted(method));
  return text.append(",\"params\":").append(params).append("}");
}

std::string cancel_text(RequestId id) {
  return head(0)
      .append("\"method\":\"")
      .append(cancel_method)
      .append("\",\"params\":{\"id\":")
      .append(std::to_string(id))
      .append("}}");
}

std::string result_text(std::string_view id, std::string_view result) {
  return head(id.size() + result.size()).append("\"id\":").append(id).append(",\"result\":").append(result).append("}");
}

std::string error_text(std::string_view id, std::int64_t number, std::string_view reason) {
  std::string text = head(id.size() + reason.size());
  text.append("\"id\":").append(id).append(",\"error\":{\"code\":").append(std::to_string(number));
  return text.append(",\"message\":").append(quoted(reason)).append("}}");
}

RequestId WaitingRequests::add(std::int64_t deadline_ns, ReplyHandler&& on_reply) {
  const RequestId id = ++last_;
  waiting_.emplace(id, Waiting{deadline_ns, std::move(on_reply)});
  deadlines_.emplace(deadline_ns, id);
  return id;
}

std::optional<ReplyHandler> WaitingRequests::take(RequestId id) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return std::nullopt;
  deadlines_.erase({found->second.deadline_ns, id});
  ReplyHandler on_reply = std::move(found->second.on_reply);
  waiting_.erase(found);
  return on_reply;
}

std::vector<std::pair<RequestId, ReplyHandler>> WaitingRequests::take_late(std::int64_t now_ns) {
  std::vector<std::pair<RequestId, ReplyHandler>> late;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_ns) {
    const RequestId id = deadlines_.begin()->second;
    late.emplace_back(id, *take(id));
  }
  return late;
}

std::vector<std::pair<RequestId, ReplyHandler>> WaitingRequests::take_all() {
  std::vector<std::pair<RequestId, ReplyHandler>> all;
  while (!deadlines_.empty()) {
    const RequestId id = deadlines_.begin()->second;
    all.emplace_back(id, *take(id));
  }
  return all;
}

}  // namespace dlog::channel
