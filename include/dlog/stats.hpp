// What dlog counts, for those who watch it. Plain values; any thread. A bar whose start found no room in the queue, or a remark of
// dlog's own, counts as a record that was dropped.
#pragma once

#include <cstdint>

namespace dlog {

struct Stats {
  std::uint64_t enqueued;  // records logged by this process at a level that is on, dropped ones included
  std::uint64_t
      shown;  // of these: written to the console; in a child, its parent's: what it has not confirmed yet counts
              // as shown when the kernel has it, and as undeliverable once the parent says that it was lost
  std::uint64_t dropped;        // of these: given up for want of room in the queue, or of memory
  std::uint64_t undeliverable;  // of these: taken from the queue, but the console or the connection refused them
  std::uint64_t children;       // connections that are open now
  std::uint64_t refused;        // connections refused since the start: see DLOG_TRUST, and limits in docs/guarantees.md
};

}  // namespace dlog
