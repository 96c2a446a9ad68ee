// Sleeping until a descriptor is readable, a time has come, or another thread calls wake().
//
// Threads: wake() any, and signal handlers; all else the owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "os/descriptor.hpp"

namespace dlog::os {

class Poller {
 public:
  static Result<Poller> create();

  // `key` comes back from ready(). False: the system refused.
  bool watch(const Descriptor& descriptor, std::uint64_t key) noexcept {
    return descriptor.is_ours() && watch(descriptor.get(), key);
  }
  void forget(const Descriptor& descriptor) noexcept {
    if (descriptor.is_ours()) forget(descriptor.get());
  }
  // The same for one that somebody else owns.
  bool watch(int descriptor, std::uint64_t key) noexcept;
  void forget(int descriptor) noexcept;

  static constexpr std::int64_t for_ever = -1;
  // Sleeps at most `timeout_ns`; less where a descriptor is readable or broken, where wake() was called since the last sleep, and
  // where a signal came.
  void sleep(std::int64_t timeout_ns) noexcept;
  // The same, but whatever is readable.
  void sleep_unless_woken(std::int64_t timeout_ns) noexcept;

  // Fills `keys` with those of descriptors that are readable or broken now, and returns how many. Where there are more than have
  // room, each gets its turn from call to call.
  std::size_t ready(std::span<std::uint64_t> keys) noexcept;

  // False: the system refused, or the program has closed what this works with; who sleeps does not know.
  bool wake() noexcept;

  // False: the program has closed what this works with. It ends a sleep at once, and from then on sleeps are short; another must be
  // made in its place.
  bool is_whole() const noexcept;

  // After a fork, in the child: closes without touching what the parent watches.
  void abandon() noexcept;

 private:
  Poller(Descriptor epoll, Descriptor bell, Descriptor rope) noexcept;
  void sleep(std::int64_t timeout_ns, bool unless_readable) noexcept;
  static void rest(std::int64_t timeout_ns) noexcept;
  Descriptor epoll_;
  // A pair of sockets and not an eventfd: to close the one end wakes who waits at the other; each is known from any other file; and
  // nothing can be written to a file that took their numbers.
  Descriptor bell_;
  Descriptor rope_;
  bool epoll_has_bell_;  // for no events: by it we know the epoll for ours
};

}  // namespace dlog::os
