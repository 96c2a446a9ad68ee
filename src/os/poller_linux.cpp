// Sleeping with epoll and an eventfd: see poller.hpp.
#include "os/poller.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <string>

#include "base/civil_time.hpp"

namespace dlog::os {
namespace {

constexpr std::size_t events_max = 256;

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
  if (!epoll || !event) return Error{std::string("epoll: ") + std::strerror(errno)};
  return Poller(std::move(epoll), std::move(event));
}

bool Poller::watch(const Descriptor& descriptor, std::uint64_t key) noexcept {
  return add(epoll_.get(), descriptor.get(), key);
}

void Poller::forget(const Descriptor& descriptor) noexcept {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor.get(), nullptr);
}

void Poller::sleep(std::int64_t timeout_ns) noexcept { sleep(timeout_ns, true); }
void Poller::sleep_unless_woken(std::int64_t timeout_ns) noexcept { sleep(timeout_ns, false); }

void Poller::sleep(std::int64_t timeout_ns, bool unless_readable) noexcept {
  // poll(), because waiting on the epoll descriptor would move those that are ready to the end of its list, unseen.
  pollfd entries[] = {{event_.get(), POLLIN, 0}, {epoll_.get(), POLLIN, 0}};
  const timespec time{timeout_ns / ns_per_second, timeout_ns % ns_per_second};
  const nfds_t watched = unless_readable ? std::size(entries) : 1;
  if (::ppoll(entries, watched, timeout_ns < 0 ? nullptr : &time, nullptr) <= 0 || entries[0].revents == 0) return;
  std::uint64_t ignored = 0;
  [[maybe_unused]] const ssize_t drained = ::read(event_.get(), &ignored, sizeof ignored);
}

std::size_t Poller::ready(std::span<std::uint64_t> keys) noexcept {
  std::array<epoll_event, events_max> events;
  const std::size_t room = std::min(keys.size(), events.size());
  if (room == 0) return 0;
  const int got = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(room), 0);
  for (int i = 0; i < got; ++i) keys[static_cast<std::size_t>(i)] = events[static_cast<std::size_t>(i)].data.u64;
  return static_cast<std::size_t>(std::max(got, 0));
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
