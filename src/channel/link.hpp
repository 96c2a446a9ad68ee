// One channel at work: the socket, both halves, the handlers, and the thread or the loop that turns it.
//
// Threads: turn() one at a time, the others any. Handlers are called in turn(), with no lock held. Lifetime: shared by the Channel, the
// Process, handles and responders, and by its own thread, which goes on until both of the first are gone and the child has been waited for.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "channel/inbound.hpp"
#include "channel/open_sockets.hpp"
#include "channel/outbound.hpp"
#include "channel/requests.hpp"
#include "channel/spin_wait.hpp"
#include "dlog/channel.hpp"
#include "os/child_process.hpp"
#include "os/descriptor.hpp"
#include "os/event_loop.hpp"

namespace dlog::channel {

inline constexpr std::int64_t settling_ns = 100'000'000;  // after a handler was set: the next may follow
inline constexpr std::size_t errors_kept_max = 64;        // until there is a handler for them

inline Error not_connected() { return {ErrorCode::not_connected, "the channel is not connected"}; }
// A time that no clock reaches is as good as for ever.
std::int64_t ns_from_now(std::chrono::milliseconds wait) noexcept;

class Link final : public std::enable_shared_from_this<Link>, private Inbound::Receiver {
 public:
  struct Plan {
    Dialect dialect = Dialect::node;
    Delivery delivery = Delivery::thread;
    Limits limits{};
  };
  // Takes the socket over, unless it fails.
  static Expected<std::shared_ptr<Link>> create(os::Descriptor& socket, const Plan& plan);
  os::Descriptor give_back_socket() noexcept;  // where start() has failed
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  std::optional<Error> set_process(os::StartedProcess process);
  std::optional<Error> start();

  bool send(const Json& message, std::optional<Handle>&& handle, SendCallback&& done);
  std::size_t queued_bytes() const noexcept;
  bool disconnect();
  bool connected() const noexcept;
  Dialect dialect() const noexcept { return plan_.dialect; }
  int fd() const noexcept { return plan_.delivery == Delivery::loop ? loop_.fd() : -1; }
  bool process_ready();
  bool wait(std::optional<std::chrono::milliseconds> limit);
  void set_referenced(bool on) noexcept;

  void on_message(MessageHandler&& handler);
  void on_disconnect(std::function<void()>&& handler);
  void on_error(std::function<void(const Error&)>&& handler);
  void on_drain(std::function<void()>&& handler);
  void on_request(std::string&& method, RequestHandler&& handler);
  void on_exit(std::function<void(ExitStatus)>&& handler);

  RequestId request(std::string_view method, const Json& params, std::chrono::milliseconds deadline,
                    ReplyHandler&& on_reply);
  bool cancel(RequestId id);
  bool answer(const std::string& id, std::string&& text);
  void connection_closed(const std::string& key);

  std::int64_t pid() const noexcept { return process_.pid; }
  std::optional<ExitStatus> exit_status() const;
  std::optional<ExitStatus> wait_for_exit(std::optional<std::chrono::milliseconds> limit);
  void kill_and_wait() noexcept { os::kill_and_wait(process_); }
  bool kill(int signal) noexcept { return os::send_signal(process_, signal); }

  // The Channel, or the Process, goes. After this none of its handlers is called.
  void release_channel();
  void release_process();
  // Is this the child of a fork? It has no channel, and the locks are as they were in the other process.
  bool is_left_behind() const noexcept { return left_behind_.load(std::memory_order_relaxed); }
  void leave_behind() noexcept;
  // In the child of a fork what the other process's threads held at that moment is left as it is.
  static void let_go(std::shared_ptr<Link>& link) noexcept;

 private:
  // A change makes a new set; what is called meanwhile stays. Shared, so that what a function holds is not copied.
  struct Handlers {
    std::shared_ptr<MessageHandler> message{};
    std::shared_ptr<std::function<void()>> disconnect{};
    std::shared_ptr<std::function<void(const Error&)>> error{};
    std::shared_ptr<std::function<void()>> drain{};
    std::map<std::string, std::shared_ptr<RequestHandler>, std::less<>> requests{};
    bool take_messages() const noexcept { return message != nullptr || !requests.empty(); }
  };
  struct Untaken {
    Json message;
    Handle handle;
    std::size_t bytes;
  };

  Link(os::Descriptor socket, os::EventLoop loop, const Plan& plan);
  static void run(void* self) noexcept;
  std::optional<Error> start_thread();
  void go_on_alone();

  // The turning thread's.
  bool turn(bool sleep) noexcept;
  void go_round(bool sleep);
  void take_in(const os::EventLoop::Ready& ready);
  void lose_descriptors();
  void read_some(std::size_t pieces_max);
  void look_at_handlers();
  void deliver_untaken();
  void keep_untaken(Json&& message, Handle&& handle, std::size_t bytes);
  void pause_or_resume();
  void dispatch(Json&& message, Handle&& handle, std::size_t bytes);
  bool dispatch_answer(Json& message, const Call& call);
  bool may_still_get_handlers();
  void before_call();
  void after_call();
  void write_held_back();
  void call_request_handler(Json&& message, const std::string& method, const std::string& id);
  void look_at_clock();
  void tell();
  void end_if_due();
  void finish();
  void tell_end();

  void take_message(Json&& message) override;
  void take_handle(Json&& message, Inbound::ArrivedHandle&& handle) override;
  void refuse_handle() override;
  void take_answer(bool acknowledged) override;
  void take_count_question(const std::string& key) override;
  void take_close_question(const std::string& key) override;
  void take_error(Error&& error) override;

  bool is_turning_thread() const noexcept;
  bool wait_until(bool (Link::*done)() const, std::optional<std::chrono::milliseconds> limit);
  bool is_let_go() const { return settled_ || !referenced_; }
  bool is_settled() const { return settled_; }
  bool exit_is_told() const { return exit_.has_value() && (on_exit_ == nullptr || told_exit_); }
  template <class Change>
  void change_handlers(Change change);
  void ring_if_elsewhere() noexcept;

  // With mutex_.
  void write_out();
  bool add_line(std::string&& line, Handle&& handle, SendCallback&& done, bool may_wait = false);
  RequestId refuse_request(Error&& error, ReplyHandler&& on_reply);
  Error too_long() const {
    return {ErrorCode::bad_value, "longer than " + std::to_string(plan_.limits.line_bytes_max) + " bytes"};
  }
  Error no_room() const {
    return {ErrorCode::queue_full, std::to_string(outbound_.bytes()) + " bytes wait: it was not taken"};
  }
  void give_up(const Error& error);
  void refuse(Error&& error, SendCallback&& done);
  void arm();
  bool socket_is_ours() noexcept;
  bool is_connected() const noexcept { return !closing_ && !broken_ && !ended_; }
  bool is_over() const noexcept;
  bool has_more_to_do() const noexcept;
  void look_for_events() noexcept;

  const Plan plan_;
  os::EventLoop loop_;

  mutable std::mutex mutex_{};
  std::condition_variable changed_{};
  os::Descriptor socket_;
  std::atomic<std::int64_t> looked_at_socket_ns_{0};
  os::StartedProcess process_{};
  std::shared_ptr<const Handlers> handlers_;
  std::shared_ptr<std::function<void(ExitStatus)>> on_exit_{};
  Outbound outbound_{};
  OpenSockets open_sockets_{};
  WaitingRequests requests_{};
  std::unordered_map<std::string, std::weak_ptr<Responder::State>> answering_{};  // by the id's text
  std::vector<Outbound::Told> told_{};
  std::vector<std::pair<ReplyHandler, Reply>> replies_{};
  std::deque<Error> errors_{};  // until there is a handler
  std::int64_t armed_ns_ = 0;   // 0: no time is waited for
  std::int64_t wait_by_ns_ = 0;
  std::int64_t end_by_ns_ = 0;
  std::int64_t ready_at_ns_ = 0;
  bool held_back_ = false;  // answers wait for those to the requests at hand
  bool blocked_ = false;    // the kernel takes no more for now
  bool paused_ = false;     // nothing is read for now
  bool broken_ = false;     // nothing can be sent any more
  bool closing_ = false;    // disconnect() was called
  bool wants_drain_ = false;
  bool ended_ = false;     // the socket is closed
  bool told_end_ = false;  // on_disconnect's handler was called
  bool settled_ = false;   // ended, and nothing is to be called any more
  bool has_channel_ = true;
  bool has_process_ = false;
  bool referenced_ = true;
  bool thread_runs_ = false;
  bool is_turned_ = false;  // a thread is at it
  std::optional<ExitStatus> exit_{};
  bool told_exit_ = false;
  bool calls_exit_ = false;  // on_exit's handler runs now

  std::atomic<bool> left_behind_{false};
  std::atomic<bool> is_ready_{false};  // the handlers are those that there will be
  std::atomic<std::thread::id> turning_{};
  std::atomic<std::uint32_t> handlers_version_{0};

  SpinWait spin_wait_;  // sent() by whoever writes; the rest is the turning thread's

  // The turning thread's.
  Inbound inbound_;
  std::shared_ptr<const Handlers> seen_;
  std::uint32_t seen_version_ = 0;
  std::deque<Untaken> untaken_{};
  std::size_t untaken_bytes_ = 0;
  bool was_ready_ = false;
  bool handlers_are_quick_ = false;
  std::int64_t call_began_ns_ = 0;
  bool no_more_ = false;  // the other side has ended
  std::vector<char> buffer_;
  std::vector<os::Descriptor> descriptors_{};
};

// What a Responder answers through.
struct Responder::State {
  bool answer(std::string&& text);
  std::weak_ptr<Link> link;
  std::string id;  // empty: of a notification
  std::atomic<bool> answered{false};
  std::atomic<bool> cancelled{false};
};

// What dlog itself may do with a handle.
class HandleAccess {
 public:
  static void hold(Handle& handle, std::shared_ptr<void> held) { handle.held_ = std::move(held); }
};

}  // namespace dlog::channel
