// The part of a progress bar that its owner's threads touch. Any thread, relaxed.
#pragma once

#include <atomic>
#include <cstdint>

namespace dlog::progress {

struct Counter {
  std::atomic<std::uint64_t> value{0};
};

}  // namespace dlog::progress
