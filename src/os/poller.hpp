// Sleeping until a descriptor is readable, a time has come, or another thread calls wake().
//
// Threads: wait(), watch() and forget() by the owner; wake() by any thread and by signal handlers.
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

  // `key` comes back from wait(); 0 is taken. False: the system refused.
  bool watch(const Descriptor& descriptor, std::uint64_t key) noexcept;
  void forget(const Descriptor& descriptor) noexcept;

  static constexpr std::int64_t for_ever = -1;
  // Sleeps at most `timeout_ns` (rounded up to ms), and fills `ready` with the keys of descriptors that are readable or broken.
  // Returns how many.
  std::size_t wait(std::int64_t timeout_ns, std::span<std::uint64_t> ready) noexcept;

  void wake() noexcept;

  // After a fork, in the child: closes without touching what the parent watches.
  void abandon() noexcept;

 private:
  Poller(Descriptor epoll, Descriptor event) noexcept;
  Descriptor epoll_;
  Descriptor event_;
};

}  // namespace dlog::os
