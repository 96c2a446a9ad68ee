// Sleeping with epoll and a pair of sockets: see poller.hpp.
#include "os/poller.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
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
constexpr std::int64_t rest_ns_max = 10 * ns_per_ms;
constexpr int interruptions_max = 1000;
constexpr int drains_max = 64;  // of what was rung while nobody slept

bool control(int epoll, int what, int fd, std::uint32_t events, std::uint64_t key) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  return ::epoll_ctl(epoll, what, fd, &event) == 0;
}

}  // namespace

Poller::Poller(Descriptor epoll, Descriptor bell, Descriptor rope) noexcept
    : epoll_(std::move(epoll)),
      bell_(std::move(bell)),
      rope_(std::move(rope)),
      epoll_has_bell_(control(epoll_.get(), EPOLL_CTL_ADD, bell_.get(), 0, 0)) {}

Result<Poller> Poller::create() {
  Descriptor epoll(clear_of_standard(::epoll_create1(EPOLL_CLOEXEC)));
  if (!epoll) return Error{std::string("epoll: ") + std::strerror(errno)};
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return Error{std::string("socketpair: ") + std::strerror(errno)};
  Descriptor bell(clear_of_standard(ends[0]));
  Descriptor rope(clear_of_standard(ends[1]));
  if (!bell || !rope) return Error{std::string("socketpair: ") + std::strerror(errno)};
  return Poller(std::move(epoll), std::move(bell), std::move(rope));
}

bool Poller::is_whole() const noexcept {
  if (!bell_.is_ours() || !rope_.is_ours()) return false;
  if (!epoll_has_bell_ || control(epoll_.get(), EPOLL_CTL_MOD, bell_.get(), 0, 0)) return true;
  return errno != EBADF && errno != EINVAL && errno != ENOENT && errno != EPERM;
}

bool Poller::watch(int descriptor, std::uint64_t key) noexcept {
  return control(epoll_.get(), EPOLL_CTL_ADD, descriptor, EPOLLIN | EPOLLRDHUP, key);
}

void Poller::forget(int descriptor) noexcept { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr); }

void Poller::sleep(std::int64_t timeout_ns) noexcept { sleep(timeout_ns, true); }
void Poller::sleep_unless_woken(std::int64_t timeout_ns) noexcept { sleep(timeout_ns, false); }

void Poller::sleep(std::int64_t timeout_ns, bool unless_readable) noexcept {
  // poll(), because waiting on the epoll descriptor would move those that are ready to the end of its list, unseen.
  if (!is_whole()) {
    errno = EBADF;
    return rest(timeout_ns);
  }
  pollfd entries[] = {{bell_.get(), POLLIN, 0}, {epoll_.get(), POLLIN, 0}};
  const timespec time{timeout_ns / ns_per_second, timeout_ns % ns_per_second};
  const nfds_t watched = unless_readable ? std::size(entries) : 1;
  const int got = ::ppoll(entries, watched, timeout_ns < 0 ? nullptr : &time, nullptr);
  if (got < 0) return rest(timeout_ns);
  if (got == 0 || entries[0].revents == 0) return;
  if (!bell_.is_ours()) return;
  char ignored[512];
  for (int i = 0; i < drains_max && ::recv(bell_.get(), ignored, sizeof ignored, MSG_DONTWAIT) == sizeof ignored; ++i) {
  }
}

// Instead of a sleep that failed: short, so that nobody waits for long, but no spinning.
void Poller::rest(std::int64_t timeout_ns) noexcept {
  const timespec time{0, timeout_ns < 0 ? rest_ns_max : std::min(timeout_ns, rest_ns_max)};
  if (errno != EINTR) ::nanosleep(&time, nullptr);
}

std::size_t Poller::ready(std::span<std::uint64_t> keys) noexcept {
  std::array<epoll_event, events_max> events;
  const std::size_t room = std::min(keys.size(), events.size());
  if (room == 0) return 0;
  const int got = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(room), 0);
  if (got < 0) rest(rest_ns_max);  // those that are readable will end the next sleep at once
  for (int i = 0; i < got; ++i) keys[static_cast<std::size_t>(i)] = events[static_cast<std::size_t>(i)].data.u64;
  return static_cast<std::size_t>(std::max(got, 0));
}

bool Poller::wake() noexcept {
  const int saved = errno;  // a signal handler may call this
  const char one = 1;
  bool woken = false;
  bool again = rope_.is_ours();
  for (int i = 0; again && i < interruptions_max; ++i) {
    // Where there is no room the sleeper is awake.
    woken = ::sendto(rope_.get(), &one, sizeof one, MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0) == sizeof one ||
            errno == EAGAIN;
    again = !woken && errno == EINTR;
  }
  errno = saved;
  return woken;
}

void Poller::abandon() noexcept {
  epoll_.reset();
  bell_.reset();
  rope_.reset();
}

}  // namespace dlog::os
