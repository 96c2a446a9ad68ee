// One descriptor that becomes readable when there is something to do: a descriptor took or gave bytes, a time has come, or somebody
// rang. Other loops can watch it.
//
// Threads: wait() one at a time; ring(), wants_to_write() and wake_at() any.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "os/descriptor.hpp"

namespace dlog::os {

class EventLoop {
 public:
  static Result<EventLoop> create();

  int fd() const noexcept { return epoll_.get(); }
  // False: the program has closed what this works with; a sleep may never end.
  bool is_whole() const noexcept { return epoll_.is_ours() && bell_.is_ours() && timer_.is_ours(); }

  // The socket, and what becomes readable when the child has ended. Each once. False: the system refused.
  bool watch_socket(const Descriptor& socket) noexcept;
  bool watch_process(const Descriptor& process) noexcept;
  void forget(const Descriptor& descriptor) noexcept;
  // In the child of a fork: the parent's goes on as it is.
  void close() noexcept;
  // Is it to be told when the socket takes bytes?
  void wants(const Descriptor& socket, bool to_read, bool to_write) noexcept;

  void ring() noexcept;
  // On the monotonic clock; 0: never.
  void wake_at(std::int64_t monotonic_ns) noexcept;

  struct Ready {
    bool readable = false;  // or broken
    bool writable = false;
    bool process_ended = false;
    bool timer = false;
    bool rung = false;
    bool broken = false;  // the program has closed what this works with: it will never be ready for anything
    bool any() const noexcept { return readable || writable || process_ended || timer || rung || broken; }
  };
  // Sleeps until there is something, or returns at once. Takes away what was rung and what time has come.
  Ready wait(bool sleep) noexcept;

 private:
  EventLoop(Descriptor epoll, Descriptor bell, Descriptor timer) noexcept
      : epoll_(std::move(epoll)), bell_(std::move(bell)), timer_(std::move(timer)) {}
  Descriptor epoll_;
  Descriptor bell_;
  Descriptor timer_;
};

}  // namespace dlog::os
