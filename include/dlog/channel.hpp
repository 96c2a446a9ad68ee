// Two-way messages between a program and the children that it starts: JSON values, and open sockets beside them, in the protocol of
// Node's child_process IPC, so that either side may be a Node program, or in that of the Deka runtime. docs/channel.md has the
// grammar. A library of its own, dlog::channel; it needs nothing of dlog's log plane, and nlohmann-json's headers to be compiled
// against: who builds or reads values includes <nlohmann/json.hpp>.
//
// Threads: any thread may call anything here, but nobody while another one destroys the object. A channel calls back on one thread, one
// call at a time: on its own, or, with Delivery::loop, in process_ready(). A callback may do all that anybody may, also end the
// channel, but not wait for it: the wait would be for itself. It should not take long, for nothing else arrives meanwhile; it must
// not throw, which ends the process; and a child that is forked in it must not return from it.
// Lifetimes: a Channel that is destroyed disconnects, waits up to Limits::linger until what was sent is with the kernel, and calls
// back no more once its destructor has returned. One that is destroyed in a callback cannot wait: what is left of it is done on a
// thread, which may still call what was given to send() and request(), but no handler. The child of a fork() has no channel: its copies are closed there.
// Errors: none is thrown but for want of memory. What fails is said in the return value, to the callback of the call, or to on_error().
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dlog::channel {
class Link;
}

#pragma GCC visibility push(default)
namespace dlog::channel {

using Json = nlohmann::json;

enum class ErrorCode {
  no_channel,          // this process was started without one
  bad_environment,     // the variables name no usable channel
  system,              // a call of the operating system failed
  not_connected,       // disconnected, by this side or by the other
  queue_full,          // Limits::queue_bytes_max: the message was not taken
  bad_value,           // cannot be sent: no UTF-8, too deep, too long, a reserved name, not that kind of socket
  bad_message,         // came, and is no message: no JSON, no UTF-8, too deep, the same key twice
  message_too_long,    // came, and is longer than Limits::line_bytes_max
  half_message,        // the other side ended within it
  unexpected_command,  // an internal command (cmd: "NODE_...") that is unknown, or out of place
  stray_descriptor,    // a descriptor that belongs to no message; it was closed
  handle_lost,         // a handle did not arrive, here or at the other side, or is of no known kind
  timed_out,           // a request was not answered in time
  cancelled,           // a request was cancelled
  refused,             // a request was answered with an error; Reply::error has the other side's number and text
};

// The enumerator's name, as above; never null.
const char* to_string(ErrorCode code) noexcept;

struct Error {
  ErrorCode code{};
  std::string reason{};
};

// A value, or the reason why there is none; as std::expected of C++23, as far as it goes.
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Expected(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  // Only where has_value().
  T& operator*() & noexcept { return *value_; }
  T&& operator*() && noexcept { return std::move(*value_); }
  T* operator->() noexcept { return &*value_; }
  // Only where not.
  const Error& error() const noexcept { return error_; }

 private:
  std::optional<T> value_{};
  Error error_{};
};

// node: any JSON value is a message. deka: every message stands in an envelope, {"cmd":"NODE_HANDLE","msg":...}. Both are read in
// either dialect; it says what is written, and by which variables a child is told.
enum class Dialect { node, deka };

// thread: callbacks come on a thread of the channel. loop: they come in process_ready(), which the program calls when fd() is readable.
enum class Delivery { thread, loop };

struct Limits {
  std::size_t line_bytes_max = 16 << 20;     // of one message, either way
  std::size_t high_water_bytes = 128 << 10;  // send() says that there is no room once so much waits
  std::size_t queue_bytes_max = 64 << 20;    // so much may wait; a message beyond it is refused
  std::size_t requests_max = 65536;  // that the other side may have unanswered; the next is answered with an error
  std::chrono::milliseconds linger{2000};  // how long a destructor waits until all is sent
  // A thread that waits for an answer looks for it so long before it sleeps, while answers mostly come within half of that: a shorter round
  // trip, for a core that is kept busy meanwhile. 0: it sleeps at once. Not in process_ready(). See docs/channel.md, Waiting.
  std::chrono::microseconds spin{100};
};

struct Options {
  Delivery delivery = Delivery::thread;
  Limits limits{};
};

// server: listening stream socket. socket: connected stream socket. datagram: UDP. native: any of these, for a peer that wants no object
// made of it (Node hands it over as a bare handle).
enum class HandleKind { none, server, socket, datagram, native };
const char* to_string(HandleKind kind) noexcept;

// An open socket on its way from or to the other side; the one owner of its descriptor.
class Handle {
 public:
  Handle() noexcept = default;
  // Takes over `fd`, in any case. Where it is not that kind of socket send() refuses it.
  Handle(HandleKind kind, int fd) noexcept;
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle();

  HandleKind kind() const noexcept { return kind_; }
  int fd() const noexcept { return fd_; }  // stays the handle's; -1: none
  explicit operator bool() const noexcept { return fd_ >= 0; }
  // Gives the descriptor away. A Node server that sent this connection counts it as closed from now on; so it does once a Handle has
  // been closed or destroyed.
  int release() noexcept;
  void close() noexcept;
  // A second descriptor of the same socket, to keep what is sent away. Empty: the system refused.
  Handle duplicate() const noexcept;

 private:
  friend class HandleAccess;
  HandleKind kind_ = HandleKind::none;
  int fd_ = -1;
  std::shared_ptr<void> held_{};  // the sender is told when this goes
};

// What came of a request: a result, or an error. `refused` brings what the other side said.
class Reply {
 public:
  Reply(Json result);                                    // NOLINT(google-explicit-constructor)
  Reply(Error error, std::int64_t number = 0) noexcept;  // NOLINT(google-explicit-constructor)
  Reply(Reply&&) noexcept;
  Reply& operator=(Reply&&) noexcept;
  ~Reply();
  explicit operator bool() const noexcept { return result_ != nullptr; }
  Json& result() noexcept { return *result_; }            // only where there is one
  const Error& error() const noexcept { return error_; }  // only where there is none
  std::int64_t error_number() const noexcept { return number_; }

 private:
  std::unique_ptr<Json> result_;
  Error error_{};
  std::int64_t number_ = 0;
};

// Answers one request, now or later, from any thread. One that is destroyed unanswered answers with an error.
class Responder {
 public:
  Responder(Responder&&) noexcept;
  Responder& operator=(Responder&&) noexcept;
  ~Responder();
  // False: it was answered before, or the channel takes no more.
  bool reply(const Json& result);
  bool fail(std::int64_t number, std::string_view reason);
  // Does the other side not wait any more? It has cancelled the request, or its deadline has passed, or it is gone.
  bool cancelled() const noexcept;

 private:
  friend class Link;
  struct State;
  explicit Responder(std::shared_ptr<State> state) noexcept;
  std::shared_ptr<State> state_;
};

using SendCallback = std::function<void(const std::optional<Error>&)>;
using MessageHandler = std::function<void(Json&&, Handle&&)>;
using RequestHandler = std::function<void(Json&& params, Responder&&)>;
using ReplyHandler = std::function<void(Reply&&)>;
using RequestId = std::uint64_t;

class Channel {
 public:
  // Not connected, for ever.
  Channel() noexcept;
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;
  ~Channel();

  // The channel that the parent of this process opened for it: by NODE_CHANNEL_FD (NODE_CHANNEL_SERIALIZATION_MODE absent or json), or by
  // DEKA_IPC_ENABLED=1 and DEKA_IPC_FD. The variables are taken out of the environment, in one step that no thread in getenv() can
  // see half done, so that this process's own children do not find them: the second call finds no_channel. Where it fails they stay,
  // and the descriptor is left as it was.
  static Expected<Channel> from_environment(const Options& options = {});
  // One end of a pair of connected stream sockets (AF_UNIX), which it takes over; where that fails it stays the caller's.
  static Expected<Channel> from_descriptor(int fd, Dialect dialect, const Options& options = {});

  // Sends a value; to the kernel at once where that takes it. True: it was taken and there is room for more. False: it
  // was taken, but high_water_bytes or more wait now, and on_drain() will say when none does; or it was not taken, which `done`, or
  // on_error() where that is empty, is told.
  // `done` is called with no error once the kernel has the message; with a handle, once the other side has said that it has that.
  // Order is kept; while a handle is on its way all else waits. In the node dialect an object whose `cmd` begins with NODE_ is refused.
  bool send(const Json& message, SendCallback done = {});
  bool send(const Json& message, Handle handle, SendCallback done = {});
  std::size_t queued_bytes() const noexcept;  // not yet with the kernel

  // Called for each message, in order. What comes before it has a handler waits for one, and what came later waits behind it, until the
  // program calls wait() or process_ready(), or 100 ms after the last handler was set: so handlers may be set one after the other.
  // After that a message without a handler waits alone. An empty handler takes it away.
  void on_message(MessageHandler handler);
  template <class F>
    requires(std::invocable<F&, Json &&> && !std::invocable<F&, Json &&, Handle &&>)
  void on_message(F handler) {  // for who wants no handles: those that come are closed
    std::function<void(Json&&)> call(std::move(handler));
    if (!call) return on_message(MessageHandler());
    on_message(MessageHandler([call = std::move(call)](Json&& message, Handle&&) { call(std::move(message)); }));
  }
  // Called once, after the last message, whichever side ended it. Set afterwards, it is called at once, on the channel's thread.
  void on_disconnect(std::function<void()> handler);
  // What nobody else is told. Without a handler it is dropped.
  void on_error(std::function<void(const Error&)> handler);
  // Called when all that waited is with the kernel, after a send() that said that there was no room.
  void on_drain(std::function<void()> handler);

  // No more is taken; what was taken is sent, then the channel ends, and on_disconnect() is called. False: it was not connected.
  bool disconnect();
  bool connected() const noexcept;
  Dialect dialect() const noexcept;

  // Waits until the channel has ended and all was called back, or until it is not referenced any more: what main() does in a program that
  // lives for its channel. A channel is referenced from its beginning. False: not within `limit`. With Delivery::loop there is nobody
  // else: it delivers while it waits.
  bool wait(std::optional<std::chrono::milliseconds> limit = std::nullopt);
  void ref() noexcept;
  void unref() noexcept;

  // With Delivery::loop: readable when process_ready() has something to do; until the channel is destroyed. -1: not that kind.
  int fd() const noexcept;
  // Takes what has come, calls back, never waits. False: there will be nothing more.
  bool process_ready();

  // Requests on top of messages, in the form of JSON-RPC 2.0. The answer is given once: a result, the other side's error, timed_out,
  // cancelled, not_connected. Where a request times out or is cancelled the other side is told ("$/cancelRequest"); a late answer is dropped.
  RequestId request(std::string_view method, const Json& params, std::chrono::milliseconds deadline,
                    ReplyHandler on_reply);
  // The same, for a thread that waits; not for a callback of this channel.
  std::future<Reply> request(std::string_view method, const Json& params, std::chrono::milliseconds deadline);
  // False: it has its answer.
  bool cancel(RequestId id);
  // Who answers requests of that name. The error "method not found" answers those that nobody does; in a program that has no such handler
  // at all a request is a message like any other. A request without an id (a notification) calls the same; its answer goes nowhere.
  void on_request(std::string method, RequestHandler handler);

  explicit Channel(std::shared_ptr<Link> link) noexcept;  // for dlog itself

 private:
  void end() noexcept;
  std::shared_ptr<Link> link_;
};

struct ExitStatus {
  bool known = true;  // false: somebody else in this program has waited for it
  int code = 0;       // where signal is 0
  int signal = 0;
};

struct SpawnOptions {
  Dialect dialect = Dialect::node;
  Delivery delivery = Delivery::thread;
  Limits limits{};
  std::string folder{};  // the child's current one; empty: this process's
  // Set, or taken away, in what it inherits of this process's environment.
  std::vector<std::pair<std::string, std::optional<std::string>>> environment{};
  // This process's descriptors that become the child's 0, 1 and 2; -1: this process's own.
  int standard_input = -1;
  int standard_output = -1;
  int standard_error = -1;
  int channel_fd = 3;  // the child's number for its end of the channel; 3 to 65535
};

struct Spawned;

// A child that spawn() started. Destroying it leaves the child alone; once the child ends, it is waited for in any case.
class Process {
 public:
  Process() noexcept;
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();
  std::int64_t pid() const noexcept;
  // Nothing: it runs. With Delivery::loop it is learned in process_ready().
  std::optional<ExitStatus> exit_status() const;
  // Waits until it has ended, for ever where no limit is given. With Delivery::loop it delivers meanwhile.
  std::optional<ExitStatus> wait(std::optional<std::chrono::milliseconds> limit = std::nullopt);
  // Called once, after the last message of the child and after on_disconnect().
  void on_exit(std::function<void(ExitStatus)> handler);
  // False: it has ended, or the system refused.
  bool kill(int signal) noexcept;

 private:
  friend Expected<Spawned> spawn(const std::string&, const std::vector<std::string>&, const SpawnOptions&);
  explicit Process(std::shared_ptr<Link> link) noexcept;
  void end() noexcept;
  std::shared_ptr<Link> link_{};
};

struct Spawned {
  Process process{};
  Channel channel{};
};

// Starts a program, which is looked for in PATH unless it holds a slash, with a channel. Node is "node" with the script as the first
// argument. It reads `environ`: not beside threads that change the environment. Linux 5.4 or newer.
Expected<Spawned> spawn(const std::string& program, const std::vector<std::string>& args = {},
                        const SpawnOptions& options = {});

}  // namespace dlog::channel
#pragma GCC visibility pop
