// What dlog counts, for those who watch it. Plain values; any thread.
#pragma once

#include <cstdint>

namespace dlog {

struct Stats {
  std::uint64_t enqueued;       // records logged by this process at a level that is on, dropped ones included
  std::uint64_t shown;          // of these: written to the console (child: handed to the kernel)
  std::uint64_t dropped;        // of these: given up for want of room in the queue
  std::uint64_t undeliverable;  // of these: taken from the queue, but the console or the connection refused them
  std::uint64_t children;       // connections that are open now
  std::uint64_t refused;        // connections refused since the start
};

}  // namespace dlog
