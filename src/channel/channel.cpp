// The public face of a channel: see dlog/channel.hpp. What it does is Link's.
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "channel/json_text.hpp"
#include "channel/link.hpp"
#include "channel/requests.hpp"
#include "channel/variables.hpp"
#include "dlog/channel.hpp"
#include "os/message_socket.hpp"

namespace dlog::channel {
namespace {

Expected<Channel> open(os::Descriptor socket, Dialect dialect, const Options& options) {
  Expected<std::shared_ptr<Link>> link = Link::create(socket, {dialect, options.delivery, options.limits});
  std::optional<Error> error;
  if (!link) error = link.error();
  if (!error) error = (*link)->start();
  if (!error) return Channel(std::move(*link));
  // It stays the caller's.
  if (link) socket = (*link)->give_back_socket();
  static_cast<void>(socket.release());
  return *error;
}

}  // namespace

Reply::Reply(Json result) : result_(std::make_unique<Json>(std::move(result))) {}
Reply::Reply(Error error, std::int64_t number) noexcept : error_(std::move(error)), number_(number) {}
Reply::Reply(Reply&&) noexcept = default;
Reply& Reply::operator=(Reply&&) noexcept = default;
Reply::~Reply() = default;

Responder::Responder(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
Responder::Responder(Responder&&) noexcept = default;
Responder& Responder::operator=(Responder&& other) noexcept {
  Responder before(std::exchange(state_, std::move(other.state_)));
  return *this;
}
Responder::~Responder() {
  if (state_) fail(internal_error, "the request was not answered");
}

bool Responder::reply(const Json& result) {
  if (!state_) return false;
  Expected<std::string> text = json_text(result, 2);  // the answer, and perhaps an envelope
  if (!text) return fail(internal_error, "the result cannot be sent: " + text.error().reason);
  return state_->answer(result_text(state_->id, *text));
}

bool Responder::fail(std::int64_t number, std::string_view reason) {
  return state_ && state_->answer(error_text(state_->id, number, reason));
}

bool Responder::cancelled() const noexcept { return !state_ || state_->cancelled.load(); }

Channel::Channel() noexcept = default;
Channel::Channel(std::shared_ptr<Link> link) noexcept : link_(std::move(link)) {}
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&& other) noexcept {
  if (this == &other) return *this;
  end();
  link_ = std::move(other.link_);
  return *this;
}
Channel::~Channel() { end(); }

void Channel::end() noexcept {
  if (!link_) return;
  if (!link_->is_left_behind()) link_->release_channel();
  Link::let_go(link_);
}

Expected<Channel> Channel::from_environment(const Options& options) {
  static std::mutex& one_at_a_time = *new std::mutex;  // two would take over the same descriptor
  const std::lock_guard lock(one_at_a_time);
  Expected<Announced> announced = read_variables();
  if (!announced) return announced.error();
  Result<os::Descriptor> socket = os::adopt_socket(announced->fd);
  if (!socket) return Error{ErrorCode::bad_environment, "the environment names a channel, but " + socket.reason()};
  Expected<Channel> channel = open(std::move(*socket), announced->dialect, options);
  if (channel && !remove_variables())
    return Error{ErrorCode::system, "no memory for an environment without the channel's variables"};
  return channel;
}

Expected<Channel> Channel::from_descriptor(int fd, Dialect dialect, const Options& options) {
  Result<os::Descriptor> socket = os::adopt_socket(fd);
  if (!socket) return Error{ErrorCode::bad_value, socket.reason()};
  return open(std::move(*socket), dialect, options);
}

bool Channel::send(const Json& message, SendCallback done) {
  if (link_) return link_->send(message, std::nullopt, std::move(done));
  if (done) done(not_connected());
  return false;
}

bool Channel::send(const Json& message, Handle handle, SendCallback done) {
  if (link_) return link_->send(message, std::move(handle), std::move(done));
  if (done) done(not_connected());
  return false;
}

std::size_t Channel::queued_bytes() const noexcept { return link_ ? link_->queued_bytes() : 0; }

void Channel::on_message(MessageHandler handler) {
  if (link_) link_->on_message(std::move(handler));
}
void Channel::on_disconnect(std::function<void()> handler) {
  if (link_) link_->on_disconnect(std::move(handler));
}
void Channel::on_error(std::function<void(const Error&)> handler) {
  if (link_) link_->on_error(std::move(handler));
}
void Channel::on_drain(std::function<void()> handler) {
  if (link_) link_->on_drain(std::move(handler));
}
void Channel::on_request(std::string method, RequestHandler handler) {
  if (link_) link_->on_request(std::move(method), std::move(handler));
}

bool Channel::disconnect() { return link_ && link_->disconnect(); }
bool Channel::connected() const noexcept { return link_ && link_->connected(); }
Dialect Channel::dialect() const noexcept { return link_ ? link_->dialect() : Dialect::node; }
bool Channel::wait(std::optional<std::chrono::milliseconds> limit) {
  const std::shared_ptr<Link> link = link_;  // a handler may destroy this
  return !link || link->wait(limit);
}
void Channel::ref() noexcept {
  if (link_) link_->set_referenced(true);
}
void Channel::unref() noexcept {
  if (link_) link_->set_referenced(false);
}
int Channel::fd() const noexcept { return link_ ? link_->fd() : -1; }
bool Channel::process_ready() {
  const std::shared_ptr<Link> link = link_;  // a handler may destroy this
  return link && link->process_ready();
}

RequestId Channel::request(std::string_view method, const Json& params, std::chrono::milliseconds deadline,
                           ReplyHandler on_reply) {
  if (!on_reply) on_reply = [](Reply&&) {};
  if (link_) return link_->request(method, params, deadline, std::move(on_reply));
  on_reply(Reply(not_connected()));
  return 0;
}

std::future<Reply> Channel::request(std::string_view method, const Json& params, std::chrono::milliseconds deadline) {
  auto promise = std::make_shared<std::promise<Reply>>();
  std::future<Reply> future = promise->get_future();
  request(method, params, deadline, [promise](Reply&& reply) { promise->set_value(std::move(reply)); });
  return future;
}

bool Channel::cancel(RequestId id) { return link_ && link_->cancel(id); }

}  // namespace dlog::channel
