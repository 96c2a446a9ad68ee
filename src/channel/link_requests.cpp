// One channel at work: its requests, those of this side and those of the other. The rest: link.cpp, link_turn.cpp.
#include <nlohmann/json.hpp>
#include <utility>

#include "channel/envelope.hpp"
#include "channel/json_text.hpp"
#include "channel/link.hpp"

namespace dlog::channel {

// ---- of this side

RequestId Link::request(std::string_view method, const Json& params, std::chrono::milliseconds deadline,
                        ReplyHandler&& on_reply) {
  if (is_left_behind()) {
    on_reply(Reply(not_connected()));
    return 0;
  }
  Expected<std::string> text = json_text(params, plan_.dialect == Dialect::deka ? 2 : 1);
  const std::lock_guard lock(mutex_);
  if (!text) return refuse_request(Error(text.error()), std::move(on_reply));
  if (!is_connected()) return refuse_request(not_connected(), std::move(on_reply));
  const RequestId id = requests_.next_id();
  std::string line = message_line(plan_.dialect, request_text(id, method, *text));
  if (line.size() - 1 > plan_.limits.line_bytes_max) return refuse_request(too_long(), std::move(on_reply));
  if (outbound_.bytes() + line.size() > plan_.limits.queue_bytes_max)
    return refuse_request(no_room(), std::move(on_reply));
  requests_.add(ns_from_now(deadline), std::move(on_reply));
  arm();
  add_line(std::move(line), {}, {});  // what becomes of it the answer says, or its absence
  if (paused_) loop_.ring();          // that is read now, whatever comes before it
  return id;
}

RequestId Link::refuse_request(Error&& error, ReplyHandler&& on_reply) {
  replies_.emplace_back(std::move(on_reply), Reply(std::move(error)));
  settled_ = false;
  ring_if_elsewhere();
  return 0;
}

bool Link::cancel(RequestId id) {
  if (is_left_behind()) return false;
  const std::lock_guard lock(mutex_);
  std::optional<ReplyHandler> handler = requests_.take(id);
  if (!handler) return false;
  replies_.emplace_back(std::move(*handler), Reply(Error{ErrorCode::cancelled, "the request was cancelled"}));
  if (is_connected()) add_line(message_line(plan_.dialect, cancel_text(id)), {}, {});
  settled_ = false;
  ring_if_elsewhere();
  return true;
}

// ---- of the other side

bool Link::dispatch_answer(Json& message, const Call& call) {
  switch (call.kind) {
    case CallKind::none:
    case CallKind::request: return false;
    case CallKind::reply: {
      std::optional<ReplyHandler> handler;
      {
        const std::lock_guard lock(mutex_);
        if (!requests_.was_made(call.reply_to)) return false;
        handler = requests_.take(call.reply_to);
      }
      if (!handler) return true;
      before_call();
      (*handler)(take_reply(std::move(message)));
      after_call();
      return true;
    }
    case CallKind::cancellation: {
      const std::lock_guard lock(mutex_);
      const auto found = answering_.find(call.id);
      if (found == answering_.end()) return !seen_->requests.empty();
      if (const std::shared_ptr<Responder::State> state = found->second.lock()) state->cancelled = true;
      return true;
    }
  }
  return false;
}

void Link::call_request_handler(Json&& message, const std::string& method, const std::string& id) {
  const auto found = seen_->requests.find(method);
  std::string refusal;
  auto state = std::make_shared<Responder::State>();
  state->link = weak_from_this();
  state->id = id;
  if (found == seen_->requests.end()) {
    refusal = error_text(id, method_not_found, "no such method: " + method);
  } else if (!id.empty()) {
    const std::lock_guard lock(mutex_);
    if (answering_.size() >= plan_.limits.requests_max) {
      refusal = error_text(id, server_busy, "too many requests are open");
    } else if (answering_.contains(id)) {
      refusal = error_text(id, invalid_request, "a request with this id is open");
    }
  }
  if (!refusal.empty()) {
    const std::lock_guard lock(mutex_);
    if (!id.empty() && is_connected()) add_line(message_line(plan_.dialect, std::move(refusal)), {}, {});
    state->answered = true;
    return;
  }
  const std::shared_ptr<RequestHandler> handler = found->second;
  before_call();
  (*handler)(take_params(std::move(message)), Responder(state));
  after_call();
  if (id.empty() || state->answered) return;
  // It will be answered later, and may be cancelled until then. Who answers says so before it takes the lock.
  const std::lock_guard lock(mutex_);
  if (ended_) state->cancelled = true;
  if (!state->answered && !ended_) answering_.emplace(id, state);
}

bool Responder::State::answer(std::string&& text) {
  if (answered.exchange(true)) return false;
  const std::shared_ptr<Link> to = link.lock();
  return to != nullptr && !id.empty() && to->answer(id, std::move(text));
}

bool Link::answer(const std::string& id, std::string&& text) {
  if (is_left_behind()) return false;
  const std::size_t bytes_max = plan_.limits.line_bytes_max;
  std::string line = message_line(plan_.dialect, std::move(text));
  if (line.size() - 1 > bytes_max)  // the other side would drop it, and wait on
    line = message_line(plan_.dialect, error_text(id, internal_error,
                                                  "the answer is longer than " + std::to_string(bytes_max) + " bytes"));
  const std::lock_guard lock(mutex_);
  answering_.erase(id);
  if (!is_connected()) return false;
  const bool is_taken = outbound_.bytes() + line.size() <= plan_.limits.queue_bytes_max;
  add_line(std::move(line), {}, {}, true);
  return is_taken;
}

}  // namespace dlog::channel
