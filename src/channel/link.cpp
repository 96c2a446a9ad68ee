// One channel at work: what its callers do. What the turning thread does: link_turn.cpp; requests: link_requests.cpp.
#include "channel/link.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "channel/envelope.hpp"
#include "channel/json_text.hpp"
#include "channel/live_links.hpp"
#include "os/clock.hpp"
#include "os/message_socket.hpp"
#include "os/output.hpp"
#include "os/thread.hpp"

namespace dlog::channel {
namespace {

constexpr std::size_t buffer_bytes = 64 << 10;
constexpr std::size_t held_back_max = 32 << 10;
constexpr std::int64_t look_again_ns = 1'000'000'000;  // whether the program has closed what a sleep would end by

// What is wrong with sending it as that; empty: nothing.
std::string misfit(HandleKind kind, const os::SocketKind& socket) {
  using Type = os::SocketKind::Type;
  if (socket.type == Type::none) return "is no socket that can be sent";
  switch (kind) {
    case HandleKind::server: return socket.type == Type::listening ? "" : "does not listen: it is no server";
    case HandleKind::socket: return socket.type == Type::stream ? "" : "is no stream socket";
    case HandleKind::datagram: return socket.type == Type::datagram ? "" : "is no datagram socket";
    case HandleKind::native: return "";
    case HandleKind::none: break;
  }
  return "has no kind";
}

}  // namespace

std::int64_t ns_from_now(std::chrono::milliseconds wait) noexcept {
  constexpr std::int64_t ms_max = std::int64_t{1} << 40;
  return os::monotonic_ns() + std::clamp<std::int64_t>(wait.count(), 0, ms_max) * 1'000'000;
}

Link::Link(os::Descriptor socket, os::EventLoop loop, const Plan& plan)
    : plan_(plan),
      loop_(std::move(loop)),
      socket_(std::move(socket)),
      handlers_(std::make_shared<const Handlers>()),
      spin_wait_(plan.limits.spin),
      inbound_(plan.limits.line_bytes_max),
      seen_(handlers_),
      buffer_(buffer_bytes) {}

Expected<std::shared_ptr<Link>> Link::create(os::Descriptor& socket, const Plan& plan) {
  Result<os::EventLoop> loop = os::EventLoop::create();
  if (!loop) return Error{ErrorCode::system, loop.reason()};
  if (!loop->watch_socket(socket)) return Error{ErrorCode::system, "the channel's socket cannot be watched"};
  std::shared_ptr<Link> link(new Link(std::move(socket), std::move(*loop), plan));
  live_links::add(*link);
  return link;
}

os::Descriptor Link::give_back_socket() noexcept {
  loop_.forget(socket_);
  return std::move(socket_);
}

Link::~Link() { live_links::remove(*this); }

void Link::leave_behind() noexcept {
  left_behind_.store(true, std::memory_order_relaxed);
  socket_.reset();
  process_.ended.reset();
  loop_.close();
}

void Link::let_go(std::shared_ptr<Link>& link) noexcept {
  if (link->is_left_behind()) {
    static_cast<void>(new (std::nothrow) std::shared_ptr<Link>(std::move(link)));
  } else {
    link.reset();
  }
}

std::optional<Error> Link::set_process(os::StartedProcess process) {
  process_ = std::move(process);
  has_process_ = true;
  if (loop_.watch_process(process_.ended)) return std::nullopt;
  return Error{ErrorCode::system, "the end of the child cannot be watched"};
}

std::optional<Error> Link::start() {
  if (plan_.delivery == Delivery::loop) return std::nullopt;
  return start_thread();
}

std::optional<Error> Link::start_thread() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(thread_runs_, true)) return std::nullopt;
  }
  auto self = std::make_unique<std::shared_ptr<Link>>(shared_from_this());
  const std::string failed = os::start_thread("dlog-channel", run, self.get());
  if (failed.empty()) {
    static_cast<void>(self.release());  // the thread owns it
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  thread_runs_ = false;
  return Error{ErrorCode::system, "no thread for the channel: " + failed};
}

void Link::run(void* self) noexcept {
  const std::unique_ptr<std::shared_ptr<Link>> given(static_cast<std::shared_ptr<Link>*>(self));
  Link& link = **given;
  {
    std::unique_lock lock(link.mutex_);
    link.changed_.wait(lock, [&] { return !link.is_turned_; });
    link.is_turned_ = true;
    if (link.is_over()) {
      link.is_turned_ = link.thread_runs_ = false;
      return;
    }
  }
  while (link.turn(true)) {
  }
}

bool Link::is_turning_thread() const noexcept {
  return turning_.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

void Link::ring_if_elsewhere() noexcept {
  if (!is_turning_thread()) loop_.ring();
}

// ---- sending

bool Link::send(const Json& message, std::optional<Handle>&& handle, SendCallback&& done) {
  if (is_left_behind()) {
    if (done) done(not_connected());
    return false;
  }
  std::optional<Error> error;
  std::string line;
  const std::size_t envelope = handle || plan_.dialect == Dialect::deka ? 1 : 0;
  Expected<std::string> text = json_text(message, envelope);
  if (!text) {
    error = text.error();
  } else if (plan_.dialect == Dialect::node && is_internal(message)) {
    error = Error{ErrorCode::bad_value, "an object whose cmd begins with NODE_ is one of the protocol's own"};
  } else if (!handle) {
    line = message_line(plan_.dialect, std::move(*text));
  } else {
    const os::SocketKind kind = os::socket_kind(handle->fd());
    if (const std::string reason = misfit(handle->kind(), kind); !reason.empty())
      error = Error{ErrorCode::bad_value, "the handle " + reason};
    line = handle_line(handle->kind(), kind.type == os::SocketKind::Type::datagram, kind.ipv6, *text);
  }
  if (!error && line.size() - 1 > plan_.limits.line_bytes_max) error = too_long();
  Handle moved = handle ? std::move(*handle) : Handle();  // what is not taken is closed without the lock
  const std::lock_guard lock(mutex_);
  if (error) {
    refuse(std::move(*error), std::move(done));
    return false;
  }
  return add_line(std::move(line), std::move(moved), std::move(done));
}

bool Link::add_line(std::string&& line, Handle&& handle, SendCallback&& done, bool may_wait) {
  if (!is_connected()) {
    refuse(not_connected(), std::move(done));
    return false;
  }
  if (outbound_.bytes() + line.size() > plan_.limits.queue_bytes_max) {
    refuse(no_room(), std::move(done));
    wants_drain_ = true;
    return false;
  }
  if (handle.kind() == HandleKind::none) {
    outbound_.add(std::move(line), std::move(done));
  } else {
    outbound_.add(std::move(line), std::move(handle), std::move(done));
    if (paused_) loop_.ring();  // its answer must be read
  }
  if (!may_wait || !held_back_ || outbound_.bytes() >= held_back_max || !is_turning_thread()) write_out();
  if (outbound_.bytes() < plan_.limits.high_water_bytes) return true;
  wants_drain_ = true;
  return false;
}

void Link::refuse(Error&& error, SendCallback&& done) {
  if (!has_channel_) return;  // somebody who tries again and again would keep it from its end
  if (done) {
    told_.push_back({std::move(done), std::move(error), {}});
  } else if (errors_.size() < errors_kept_max) {
    errors_.push_back(std::move(error));
  }
  settled_ = false;
  ring_if_elsewhere();
}

// A program may close all descriptors, and put files of its own behind their numbers; that is looked at once a millisecond.
bool Link::socket_is_ours() noexcept {
  constexpr std::int64_t interval_ns = 1'000'000;
  const std::int64_t now = os::monotonic_ns();
  if (now - looked_at_socket_ns_.load(std::memory_order_relaxed) < interval_ns) return true;
  if (!socket_.is_ours()) return false;
  looked_at_socket_ns_.store(now, std::memory_order_relaxed);
  return true;
}

void Link::write_out() {
  const std::size_t told_before = told_.size();
  while (!blocked_ && !broken_ && !ended_) {
    const Outbound::Next next = outbound_.next();
    if (next.bytes.empty()) break;
    const os::Received taken = socket_is_ours() ? os::send_message(socket_, {&next.bytes, 1}, next.descriptor)
                                                : os::Received{os::Transfer::failed, 0, 0};
    switch (taken.outcome) {
      case os::Transfer::done:
        outbound_.written(taken.bytes, told_);
        spin_wait_.sent();
        break;
      case os::Transfer::would_block:
        blocked_ = true;
        look_for_events();
        break;
      case os::Transfer::failed:
        if (next.descriptor >= 0 && taken.error != 0) {
          outbound_.drop_handle({ErrorCode::handle_lost, "the handle cannot be sent: " + os::error_text(taken.error)},
                                told_);
          break;
        }
        [[fallthrough]];
      case os::Transfer::closed: {
        // What the other side said before it went is still to be read.
        const std::string why = taken.outcome == os::Transfer::closed ? "the other side takes no more"
                                : taken.error != 0                    ? "sending: " + os::error_text(taken.error)
                                                   : "the program has closed the channel's descriptors";
        give_up({ErrorCode::not_connected, why});
        broken_ = true;
        ring_if_elsewhere();
        break;
      }
    }
  }
  if (told_.size() != told_before || (wants_drain_ && outbound_.bytes() == 0) || (closing_ && outbound_.is_idle()))
    ring_if_elsewhere();
}

void Link::give_up(const Error& error) {
  const std::size_t untold = outbound_.give_up(error, told_);
  if (untold > 0 && errors_.size() < errors_kept_max)
    errors_.push_back({error.code, error.reason + "; messages that were not sent: " + std::to_string(untold)});
}

void Link::look_for_events() noexcept { loop_.wants(socket_, !paused_, blocked_); }

std::size_t Link::queued_bytes() const noexcept {
  if (is_left_behind()) return 0;
  const std::lock_guard lock(mutex_);
  return outbound_.bytes();
}

bool Link::disconnect() {
  if (is_left_behind()) return false;
  const std::lock_guard lock(mutex_);
  if (!is_connected()) return false;
  closing_ = true;
  ring_if_elsewhere();
  return true;
}

bool Link::connected() const noexcept {
  if (is_left_behind()) return false;
  const std::lock_guard lock(mutex_);
  return is_connected();
}

void Link::connection_closed(const std::string& key) {
  if (is_left_behind()) return;
  const std::lock_guard lock(mutex_);
  for (std::size_t due = open_sockets_.remove(key); due > 0; --due)
    if (is_connected()) add_line(all_closed_line(key), {}, {});
}

// ---- handlers

template <class Change>
void Link::change_handlers(Change change) {
  if (is_left_behind()) return;
  std::shared_ptr<const Handlers> before;  // what is let go of may be the program's: not with the lock
  {
    const std::lock_guard lock(mutex_);
    auto changed = std::make_shared<Handlers>(*handlers_);
    change(*changed);
    before = std::exchange(handlers_, std::move(changed));
    handlers_version_.fetch_add(1, std::memory_order_release);
    if (ended_) settled_ = false;
    if (ready_at_ns_ != 0) ready_at_ns_ = os::monotonic_ns() + settling_ns;
  }
  loop_.ring();  // also where a handler says it: what waits for the new one is looked at in the next turn
}

namespace {
template <class Function>
std::shared_ptr<Function> shared(Function&& function) {
  return function ? std::make_shared<Function>(std::move(function)) : nullptr;
}
}  // namespace

void Link::on_message(MessageHandler&& handler) {
  change_handlers([&](Handlers& handlers) { handlers.message = shared(std::move(handler)); });
}
void Link::on_disconnect(std::function<void()>&& handler) {
  change_handlers([&](Handlers& handlers) { handlers.disconnect = shared(std::move(handler)); });
}
void Link::on_error(std::function<void(const Error&)>&& handler) {
  change_handlers([&](Handlers& handlers) { handlers.error = shared(std::move(handler)); });
}
void Link::on_drain(std::function<void()>&& handler) {
  change_handlers([&](Handlers& handlers) { handlers.drain = shared(std::move(handler)); });
}
void Link::on_request(std::string&& method, RequestHandler&& handler) {
  change_handlers([&](Handlers& handlers) {
    if (handler) {
      handlers.requests[std::move(method)] = shared(std::move(handler));
    } else {
      handlers.requests.erase(method);
    }
  });
}
void Link::on_exit(std::function<void(ExitStatus)>&& handler) {
  if (is_left_behind()) return;
  auto next = shared(std::move(handler));
  {
    const std::lock_guard lock(mutex_);
    on_exit_.swap(next);  // what it was is let go of without the lock
  }
  loop_.ring();
}

// ---- waiting, and the end

void Link::set_referenced(bool on) noexcept {
  if (is_left_behind()) return;
  {
    const std::lock_guard lock(mutex_);
    referenced_ = on;
  }
  changed_.notify_all();
  ring_if_elsewhere();
}

bool Link::process_ready() {
  if (is_left_behind()) return false;
  if (is_turning_thread() || plan_.delivery != Delivery::loop) return true;
  is_ready_ = true;
  std::unique_lock lock(mutex_);
  if (!is_turned_) {  // else another thread is at it
    is_turned_ = true;
    lock.unlock();
    turn(false);
    lock.lock();
    is_turned_ = false;
    changed_.notify_all();
  }
  return !settled_ || (process_.pid != 0 && !exit_is_told());
}

// Where the channel has no thread of its own, one of those that wait turns it, and hands it on after each turn.
bool Link::wait_until(bool (Link::*done)() const, std::optional<std::chrono::milliseconds> limit) {
  std::unique_lock lock(mutex_);
  if (is_turning_thread()) return (this->*done)();
  is_ready_ = true;
  loop_.ring();
  const std::int64_t by = limit ? ns_from_now(*limit) : 0;
  for (;;) {
    if ((this->*done)()) return true;
    const std::int64_t now = os::monotonic_ns();
    if (by != 0 && now >= by) return false;
    if (is_turned_ || thread_runs_) {
      const std::int64_t next = by != 0 ? std::min(by, now + look_again_ns) : now + look_again_ns;
      const auto status =
          changed_.wait_until(lock, std::chrono::steady_clock::time_point(std::chrono::nanoseconds(next)));
      // Who sleeps on what the program has closed may not wake any more.
      if (status == std::cv_status::timeout && !loop_.is_whole()) return (this->*done)();
      continue;
    }
    is_turned_ = true;
    wait_by_ns_ = by;
    arm();
    lock.unlock();
    turn(true);
    lock.lock();
    is_turned_ = false;
    wait_by_ns_ = 0;
    changed_.notify_all();
  }
}

bool Link::wait(std::optional<std::chrono::milliseconds> limit) {
  if (is_left_behind()) return false;
  return wait_until(&Link::is_let_go, limit);
}

std::optional<ExitStatus> Link::exit_status() const {
  if (is_left_behind()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return exit_;
}

std::optional<ExitStatus> Link::wait_for_exit(std::optional<std::chrono::milliseconds> limit) {
  if (is_left_behind() || process_.pid == 0) return std::nullopt;
  wait_until(&Link::exit_is_told, limit);
  return exit_status();
}

void Link::release_channel() {
  {
    const std::lock_guard lock(mutex_);
    has_channel_ = false;
    closing_ = true;
    if (!ended_) end_by_ns_ = ns_from_now(plan_.limits.linger);
    arm();
  }
  const bool waits = !is_turning_thread();
  if (waits) wait_until(&Link::is_settled, std::nullopt);
  change_handlers([](Handlers& handlers) { handlers = Handlers(); });
  if (waits) wait_until(&Link::is_settled, std::nullopt);  // what the handlers held has been let go of
  go_on_alone();
}

void Link::release_process() {
  std::shared_ptr<std::function<void(ExitStatus)>> before;
  {
    const std::lock_guard lock(mutex_);
    has_process_ = false;
    before = std::exchange(on_exit_, nullptr);
  }
  if (!is_turning_thread()) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !calls_exit_; });
  }
  go_on_alone();
}

// Where nobody turns it any more, and there is something left: a child to wait for, or, in a handler, all the rest.
void Link::go_on_alone() {
  loop_.ring();  // a thread that has nothing left to do ends
  {
    const std::lock_guard lock(mutex_);
    if (has_channel_ || is_over() || thread_runs_) return;
  }
  // Without a thread a zombie stays until this process ends, and what is not sent is lost; there is nobody left to tell.
  static_cast<void>(start_thread());
}

}  // namespace dlog::channel
