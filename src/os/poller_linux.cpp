// Sleeping with epoll and an eventfd: see poller.hpp.
#include "os/poller.hpp"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace dlog::os {
namespace {

constexpr std::uint64_t wake_key = 0;
constexpr std::size_t events_max = 256;
constexpr std::int64_t ns_per_ms = 1'000'000;

bool add(int epoll, int fd, std::uint64_t key) noexcept {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.u64 = key;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Poller::Poller(Descriptor epoll, Descriptor event) noexcept : epoll_(std::move(epoll)), event_(std::move(event)) {}

Result<Poller> Poller::create() {
  Descriptor epoll(clear_of_standard(::epoll_create1(EPOLL_CLOEXEC)));
  Descriptor event(clear_of_standard(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  if (!epoll || !event || !add(epoll.get(), event.get(), wake_key))
    return Error{std::string("epoll: ") + std::strerror(errno)};
  return Poller(std::move(epoll), std::move(event));
}

bool Poller::watch(const Descriptor& descriptor, std::uint64_t key) noexcept {
  return add(epoll_.get(), descriptor.get(), key);
}

void Poller::forget(const Descriptor& descriptor) noexcept {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor.get(), nullptr);
}

std::size_t Poller::wait(std::int64_t timeout_ns, std::span<std::uint64_t> ready) noexcept {
  epoll_event events[events_max];
  // At least one, for the wake-up: none at all is an error, and would not sleep.
  const int room = static_cast<int>(std::clamp<std::size_t>(ready.size(), 1, events_max));
  const std::int64_t ms =
      timeout_ns < 0
          ? -1
          : std::min<std::int64_t>(timeout_ns / ns_per_ms + (timeout_ns % ns_per_ms != 0 ? 1 : 0), 3'600'000);
  const int got = ::epoll_wait(epoll_.get(), events, room, static_cast<int>(ms));
  std::size_t count = 0;
  for (int i = 0; i < got; ++i) {
    if (events[i].data.u64 != wake_key) {
      if (count < ready.size()) ready[count++] = events[i].data.u64;
      continue;
    }
    std::uint64_t ignored = 0;
    [[maybe_unused]] const ssize_t drained = ::read(event_.get(), &ignored, sizeof ignored);
  }
  return count;
}

void Poller::wake() noexcept {
  const int saved = errno;  // a signal handler may call this
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the sleeper is awake.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
  errno = saved;
}

void Poller::abandon() noexcept {
  epoll_.reset();
  event_.reset();
}

}  // namespace dlog::os
