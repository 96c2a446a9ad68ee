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
  bool watch(const Descriptor& descriptor, std::uint64_t key) noexcept;
  void forget(const Descriptor& descriptor) noexcept;

  static constexpr std::int64_t for_ever = -1;
  // Sleeps at most `timeout_ns`; less where a descriptor is readable or broken, where wake() was called since the last sleep, and
  // where a signal came.
  void sleep(std::int64_t timeout_ns) noexcept;
  // The same, but whatever is readable.
  void sleep_unless_woken(std::int64_t timeout_ns) noexcept;

  // Fills `keys` with those of descriptors that are readable or broken now, and returns how many. Where there are more than have
  // room, each gets its turn from call to call.
  std::size_t ready(std::span<std::uint64_t> keys) noexcept;

  void wake() noexcept;

  // After a fork, in the child: closes without touching what the parent watches.
  void abandon() noexcept;

 private:
  Poller(Descriptor epoll, Descriptor event) noexcept;
  void sleep(std::int64_t timeout_ns, bool unless_readable) noexcept;
  Descriptor epoll_;
  Descriptor event_;
};

}  // namespace dlog::os
