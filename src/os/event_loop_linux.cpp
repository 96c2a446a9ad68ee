// Waiting with epoll, an eventfd and a timerfd: see event_loop.hpp.
#include "os/event_loop.hpp"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace dlog::os {
namespace {

enum class Key : std::uint64_t { bell, timer, socket, process };

constexpr std::int64_t ns_per_s = 1'000'000'000;

bool control(const Descriptor& epoll, int what, const Descriptor& descriptor, std::uint32_t events, Key key) noexcept {
  if (!epoll.is_ours() || !descriptor.is_ours()) return false;
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint64_t>(key);
  return ::epoll_ctl(epoll.get(), what, descriptor.get(), &event) == 0;
}

// Both kinds give eight bytes, whatever they count.
void empty(const Descriptor& descriptor) noexcept {
  std::uint64_t count = 0;
  if (descriptor.is_ours()) [[maybe_unused]]
    const ssize_t got = ::read(descriptor.get(), &count, sizeof count);
}

}  // namespace

Result<EventLoop> EventLoop::create() {
  Descriptor epoll(clear_of_standard(::epoll_create1(EPOLL_CLOEXEC)));
  if (!epoll) return Error{std::string("epoll: ") + std::strerror(errno)};
  Descriptor bell(clear_of_standard(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  if (!bell) return Error{std::string("eventfd: ") + std::strerror(errno)};
  Descriptor timer(clear_of_standard(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)));
  if (!timer) return Error{std::string("timerfd: ") + std::strerror(errno)};
  if (!control(epoll, EPOLL_CTL_ADD, bell, EPOLLIN, Key::bell) ||
      !control(epoll, EPOLL_CTL_ADD, timer, EPOLLIN, Key::timer))
    return Error{std::string("epoll: ") + std::strerror(errno)};
  return EventLoop(std::move(epoll), std::move(bell), std::move(timer));
}

bool EventLoop::watch_socket(const Descriptor& socket) noexcept {
  return control(epoll_, EPOLL_CTL_ADD, socket, EPOLLIN, Key::socket);
}

bool EventLoop::watch_process(const Descriptor& process) noexcept {
  return control(epoll_, EPOLL_CTL_ADD, process, EPOLLIN, Key::process);
}

void EventLoop::forget(const Descriptor& descriptor) noexcept {
  control(epoll_, EPOLL_CTL_DEL, descriptor, 0, Key::socket);
}

void EventLoop::close() noexcept {
  epoll_.reset();
  bell_.reset();
  timer_.reset();
}

void EventLoop::wants(const Descriptor& socket, bool to_read, bool to_write) noexcept {
  const std::uint32_t read = to_read ? std::uint32_t{EPOLLIN} : 0;
  const std::uint32_t write = to_write ? std::uint32_t{EPOLLOUT} : 0;
  control(epoll_, EPOLL_CTL_MOD, socket, read | write, Key::socket);
}

void EventLoop::ring() noexcept {
  const std::uint64_t one = 1;
  if (bell_.is_ours()) [[maybe_unused]]
    const ssize_t put = ::write(bell_.get(), &one, sizeof one);
}

void EventLoop::wake_at(std::int64_t monotonic_ns) noexcept {
  itimerspec when{};
  when.it_value = {monotonic_ns / ns_per_s, monotonic_ns % ns_per_s};
  if (timer_.is_ours()) ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

EventLoop::Ready EventLoop::wait(bool sleep) noexcept {
  Ready ready;
  epoll_event events[4];
  const int count = ::epoll_wait(epoll_.get(), events, 4, sleep ? -1 : 0);
  ready.broken = count < 0 && errno != EINTR;
  for (int i = 0; i < count; ++i) {
    const std::uint32_t what = events[i].events;
    switch (static_cast<Key>(events[i].data.u64)) {
      case Key::bell:
        empty(bell_);
        ready.rung = true;
        break;
      case Key::timer:
        empty(timer_);
        ready.timer = true;
        break;
      case Key::socket:
        ready.readable = (what & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
        ready.writable = (what & (EPOLLOUT | EPOLLERR)) != 0;
        break;
      case Key::process: ready.process_ended = true; break;
    }
  }
  return ready;
}

}  // namespace dlog::os
