// One channel at work: what the turning thread does. What its callers do: link.cpp; requests: link_requests.cpp.
#include <nlohmann/json.hpp>
#include <utility>

#include "channel/envelope.hpp"
#include "channel/link.hpp"
#include "os/clock.hpp"
#include "os/message_socket.hpp"
#include "os/output.hpp"

namespace dlog::channel {
namespace {

constexpr std::size_t pieces_a_turn = 16;  // of the buffer's size, then the clock and the others get their turn
constexpr std::size_t pieces_at_the_end =
    8;  // as much as a kernel holds: the other side may go on sending while we leave
constexpr std::size_t urgent_bytes_max = 64 << 10;
constexpr std::int64_t quick_ns = 50'000;
constexpr std::size_t pieces_of_the_dead = 65536;  // more than a kernel holds for one that can say no more

}  // namespace

// The owner of is_turned_ calls it.
bool Link::turn(bool sleep) noexcept {
  go_round(sleep);
  const std::lock_guard lock(mutex_);
  if (has_more_to_do()) loop_.ring();
  if (!is_over()) return true;
  if (std::exchange(thread_runs_, false)) is_turned_ = false;  // it is the thread that ends
  changed_.notify_all();
  return false;
}

void Link::go_round(bool sleep) {
  const os::EventLoop::Ready ready = sleep ? spin_wait_.wait(loop_) : loop_.wait(false);
  turning_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  look_at_handlers();
  if (!was_ready_ && is_ready_.load(std::memory_order_relaxed)) {
    was_ready_ = true;
    deliver_untaken();
  }
  if (ready.broken) {
    lose_descriptors();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // nothing can wake it any more
  }
  take_in(ready);
  if (ready.timer) look_at_clock();
  if (ready.writable) {
    const std::lock_guard lock(mutex_);
    blocked_ = false;
    look_for_events();
    write_out();
  }
  pause_or_resume();
  end_if_due();
  tell();
  tell_end();
  turning_.store(std::thread::id(), std::memory_order_relaxed);
}

// What came up while callbacks were at it.
bool Link::has_more_to_do() const noexcept {
  if (!told_.empty() || !replies_.empty() || (seen_->error && !errors_.empty())) return true;
  if (wants_drain_ && outbound_.bytes() == 0 && is_connected()) return true;
  return !ended_ && (broken_ || (closing_ && outbound_.is_idle()));
}

void Link::take_in(const os::EventLoop::Ready& ready) {
  if (ready.process_ended) {
    loop_.forget(process_.ended);
    // All that the child has said is with the kernel. Others may hold its end of the socket, and say no more through it.
    if (!no_more_ && !ended_) {
      os::stop_receiving(socket_);
      read_some(pieces_of_the_dead);
      if (!no_more_) inbound_.end(*this);
      no_more_ = true;
    }
    const std::optional<os::ProcessEnd> end = os::wait_for(process_.pid);
    const std::lock_guard lock(mutex_);
    exit_ = end ? ExitStatus{end->known, end->code, end->signal} : ExitStatus{false, 0, 0};
    return;
  }
  // Readable while nothing is read: the other side has gone, and what it said is all there is.
  if (ready.readable && !no_more_ && !ended_) read_some(paused_ ? pieces_of_the_dead : pieces_a_turn);
}

void Link::lose_descriptors() {
  if (std::exchange(no_more_, true)) return;
  take_error({ErrorCode::system, "the program has closed the channel's descriptors"});
}

void Link::read_some(std::size_t pieces_max) {
  for (std::size_t i = 0; i < pieces_max && !no_more_; ++i) {
    if (!socket_is_ours()) return lose_descriptors();
    const os::ReceivedMessage got = os::receive_message(socket_, buffer_, descriptors_);
    if (got.outcome == os::Transfer::would_block) return;
    if (got.bytes > 0 || got.descriptors_lost || !descriptors_.empty())
      inbound_.take({buffer_.data(), got.bytes}, descriptors_, got.descriptors_lost, *this);
    write_held_back();
    if (got.outcome != os::Transfer::done) {
      if (got.outcome == os::Transfer::failed)
        take_error({ErrorCode::system, "receiving: " + os::error_text(got.error)});
      no_more_ = true;
      inbound_.end(*this);
      return;
    }
    pause_or_resume();
    if (pieces_max == pieces_a_turn && (paused_ || got.bytes < buffer_.size())) return;
  }
}

// ---- what came

void Link::look_at_handlers() {
  const std::uint32_t version = handlers_version_.load(std::memory_order_acquire);
  if (version == seen_version_) return;
  std::shared_ptr<const Handlers> before = seen_;  // what is let go of may be the program's: not with the lock
  {
    const std::lock_guard lock(mutex_);
    seen_version_ = handlers_version_.load(std::memory_order_relaxed);
    seen_ = handlers_;
  }
  before.reset();
  deliver_untaken();
}

void Link::deliver_untaken() {
  if (untaken_.empty()) return;
  std::deque<Untaken> waiting = std::exchange(untaken_, {});
  for (Untaken& one : waiting) {
    untaken_bytes_ -= one.bytes;
    dispatch(std::move(one.message), std::move(one.handle), one.bytes);
  }
}

// A program puts its handlers in their places one after the other, while messages come. Until it waits, or some time has passed
// since the last one, what has none yet waits for it, and all that came later waits behind that.
bool Link::may_still_get_handlers() {
  if (was_ready_) return false;
  const std::lock_guard lock(mutex_);
  if (ready_at_ns_ == 0) ready_at_ns_ = os::monotonic_ns() + settling_ns;
  arm();
  return true;
}

// A program that has no handler yet leaves its messages with the kernel, once there are many; one that waits for an answer must not.
// Nor is anything read from a side that does not take the answers to its handles.
void Link::pause_or_resume() {
  const std::lock_guard lock(mutex_);
  const bool awaits = !requests_.empty() || !outbound_.is_idle();
  const bool leaves = !seen_->take_messages() && untaken_bytes_ >= plan_.limits.high_water_bytes && !awaits;
  const bool pauses = leaves || outbound_.urgent_bytes() >= urgent_bytes_max;
  if (pauses == paused_ || ended_) return;
  paused_ = pauses;
  look_for_events();
}

// What nobody takes is kept up to a bound: a program that has other handlers, or waits for an answer, must not be kept from these.
void Link::keep_untaken(Json&& message, Handle&& handle, std::size_t bytes) {
  if (untaken_bytes_ + bytes > plan_.limits.queue_bytes_max) {
    take_error({ErrorCode::queue_full, "a message that nobody takes was dropped: on_message() has no handler"});
    return;
  }
  untaken_bytes_ += bytes;
  untaken_.push_back({std::move(message), std::move(handle), bytes});
}

void Link::take_message(Json&& message) { dispatch(std::move(message), {}, inbound_.line_bytes()); }

void Link::take_handle(Json&& message, Inbound::ArrivedHandle&& arrived) {
  Handle handle(arrived.kind, arrived.descriptor.release());
  {
    const std::lock_guard lock(mutex_);
    outbound_.add_urgent(ack_line);
    if (!arrived.key.empty()) open_sockets_.add(arrived.key);
    write_out();
  }
  if (!arrived.key.empty()) {
    // The count goes down when the last copy of this goes.
    HandleAccess::hold(handle, std::shared_ptr<void>(nullptr, [weak = weak_from_this(), key = arrived.key](void*) {
                         if (const std::shared_ptr<Link> link = weak.lock()) link->connection_closed(key);
                       }));
  }
  dispatch(std::move(message), std::move(handle), inbound_.line_bytes());
}

void Link::refuse_handle() {
  const std::lock_guard lock(mutex_);
  outbound_.add_urgent(nack_line);
  write_out();
}

void Link::take_answer(bool acknowledged) {
  bool expected = false;
  {
    const std::lock_guard lock(mutex_);
    expected = outbound_.answered(acknowledged, told_);
    write_out();
  }
  if (!expected)
    take_error({ErrorCode::unexpected_command,
                std::string(acknowledged ? "NODE_HANDLE_ACK" : "NODE_HANDLE_NACK") + ", but no handle was sent"});
}

void Link::take_count_question(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (is_connected()) add_line(count_line(key, open_sockets_.count(key)), {}, {});
}

void Link::take_close_question(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (open_sockets_.ask_for_close(key) && is_connected()) add_line(all_closed_line(key), {}, {});
}

void Link::take_error(Error&& error) {
  look_at_handlers();
  if (const std::shared_ptr<std::function<void(const Error&)>> handler = seen_->error) {  // it may take itself away
    (*handler)(error);
    return;
  }
  const std::lock_guard lock(mutex_);
  if (errors_.size() < errors_kept_max) errors_.push_back(std::move(error));
}

void Link::dispatch(Json&& message, Handle&& handle, std::size_t bytes) {
  look_at_handlers();
  const Call call = handle ? Call() : read_call(message);
  const bool is_request = call.kind == CallKind::request;
  // An answer is for whoever asked, at once. A cancellation comes behind what it cancels.
  const bool has_taker = call.kind == CallKind::reply || call.kind == CallKind::cancellation ||
                         (is_request ? seen_->requests.contains(call.method) : seen_->message != nullptr);
  const bool comes_later = !untaken_.empty() && call.kind != CallKind::reply;
  if ((!has_taker || comes_later) && may_still_get_handlers())
    return keep_untaken(std::move(message), std::move(handle), bytes);
  if (dispatch_answer(message, call)) return;
  if (is_request && !seen_->requests.empty()) return call_request_handler(std::move(message), call.method, call.id);
  if (!seen_->message) return keep_untaken(std::move(message), std::move(handle), bytes);
  const std::shared_ptr<MessageHandler> handler = seen_->message;  // it may take itself away
  before_call();
  (*handler)(std::move(message), std::move(handle));
  after_call();
}

// Where the next request is at hand, the answers to this one and that one go out together; a call of the kernel costs as much as a
// small message. Not where handlers take their time: an answer should not wait for what is done after it. What a program sends of
// itself never waits.
void Link::before_call() {
  const bool holds = handlers_are_quick_ && inbound_.has_more();
  call_began_ns_ = os::monotonic_ns();
  if (holds == held_back_) return;
  const std::lock_guard lock(mutex_);
  held_back_ = holds;
  if (!holds) write_out();
}

void Link::after_call() { handlers_are_quick_ = os::monotonic_ns() - call_began_ns_ < quick_ns; }

void Link::write_held_back() {
  if (!held_back_) return;
  const std::lock_guard lock(mutex_);
  held_back_ = false;
  write_out();
}

// ---- times

void Link::arm() {
  std::int64_t next = 0;
  for (const std::int64_t one : {requests_.next_deadline_ns(), wait_by_ns_, end_by_ns_, ready_at_ns_})
    if (one != 0 && (next == 0 || one < next)) next = one;
  // Early is no harm: the clock is looked at, and the next time armed. So a request that is answered costs nothing here.
  if (next == 0 || (armed_ns_ != 0 && armed_ns_ <= next)) return;
  armed_ns_ = next;
  loop_.wake_at(next);
}

void Link::look_at_clock() {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = os::monotonic_ns();
  for (auto& [id, handler] : requests_.take_late(now)) {
    replies_.emplace_back(std::move(handler), Reply(Error{ErrorCode::timed_out, "no answer in time"}));
    if (is_connected()) add_line(message_line(plan_.dialect, cancel_text(id)), {}, {});
  }
  if (wait_by_ns_ != 0 && wait_by_ns_ <= now) wait_by_ns_ = 0;
  if (ready_at_ns_ != 0 && ready_at_ns_ <= now) {
    ready_at_ns_ = 0;
    is_ready_ = true;
    loop_.ring();
  }
  armed_ns_ = 0;
  arm();
}

// ---- telling, and the end

void Link::tell() {
  look_at_handlers();
  std::vector<Outbound::Told> told;
  std::vector<std::pair<ReplyHandler, Reply>> replies;
  std::deque<Error> errors;
  bool drained = false;
  {
    const std::lock_guard lock(mutex_);
    told.swap(told_);
    replies.swap(replies_);
    if (seen_->error) errors.swap(errors_);
    drained = wants_drain_ && outbound_.bytes() == 0 && is_connected();
    if (drained) wants_drain_ = false;
  }
  for (Outbound::Told& one : told) {
    if (one.done) {
      one.done(one.error);
    } else if (one.error) {
      take_error(std::move(*one.error));  // of a handle that nobody else is told of
    }
  }
  for (auto& [handler, reply] : replies) handler(std::move(reply));
  for (Error& error : errors) take_error(std::move(error));
  const std::shared_ptr<std::function<void()>> on_drain = seen_->drain;
  if (drained && on_drain) (*on_drain)();
}

void Link::end_if_due() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    const bool late = end_by_ns_ != 0 && os::monotonic_ns() >= end_by_ns_;
    if (!no_more_ && !late && !broken_ && !(closing_ && outbound_.is_idle())) return;
    closing_ = true;  // what the last messages' handlers send goes nowhere
  }
  // What has come is delivered, also where this side is the one that ends it.
  read_some(pieces_at_the_end);
  finish();
}

void Link::finish() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  end_by_ns_ = 0;
  loop_.forget(socket_);
  os::shut_down(socket_);  // a fork that went unseen may hold a copy
  socket_.reset();
  give_up({ErrorCode::not_connected, "the channel has ended"});
  for (auto& [id, handler] : requests_.take_all())
    replies_.emplace_back(std::move(handler), Reply(Error{ErrorCode::not_connected, "the channel has ended"}));
  for (auto& [id, weak] : answering_)
    if (const std::shared_ptr<Responder::State> state = weak.lock()) state->cancelled = true;
  answering_.clear();
  inbound_.forget();
}

void Link::tell_end() {
  std::deque<Untaken> dropped;  // their handles go without the lock
  std::shared_ptr<std::function<void()>> on_disconnect;
  std::shared_ptr<std::function<void(ExitStatus)>> on_exit;
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) return;
    if (!has_channel_) dropped.swap(untaken_);
    // A program that is still putting its handlers in their places is not told of the end before it was told what came before that.
    const bool holds = !untaken_.empty() && has_channel_ && !is_ready_;
    if (holds || has_more_to_do()) return;
    if (!told_end_ && seen_->disconnect) {
      told_end_ = true;
      on_disconnect = seen_->disconnect;
    }
  }
  if (on_disconnect) (*on_disconnect)();
  ExitStatus status;
  {
    const std::lock_guard lock(mutex_);
    if (seen_version_ == handlers_version_.load(std::memory_order_relaxed) && told_.empty() && replies_.empty()) {
      settled_ = true;
    } else {
      loop_.ring();
    }
    if (exit_ && on_exit_ && !told_exit_) {
      on_exit = on_exit_;
      calls_exit_ = true;
      status = *exit_;
    }
  }
  if (on_exit) {
    (*on_exit)(status);
    const std::lock_guard lock(mutex_);
    told_exit_ = true;
    calls_exit_ = false;
  }
  changed_.notify_all();
}

bool Link::is_over() const noexcept {
  return settled_ && !has_channel_ && (process_.pid == 0 || (exit_ && !has_process_));
}

}  // namespace dlog::channel
