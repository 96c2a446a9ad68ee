// The log thread's side of the records of this process: the blocks of all lanes, read in the order of time behind a cut-off.
//
// Threads: the log thread. Lifetimes: a record's bytes are there until the next one is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "dlog/level.hpp"
#include "log/hub/lanes.hpp"

namespace dlog::hub {

struct OwnRecord {
  Level level = Level::info;
  std::uint32_t site = 0;
  std::uint64_t ticks = 0;
  std::uint64_t thread = 0;
  const char* arguments = nullptr;
};

class OwnRecords {
 public:
  explicit OwnRecords(Lanes& lanes) : lanes_(lanes) {}

  // A block that was announced.
  void add(Block* block);

  // Is there something to read, whatever its time? Certain only where all threads' writes can be seen.
  bool waiting() const noexcept;

  // Is a block full that was not read to its end?
  bool behind() const noexcept { return behind_ != 0; }

  // From now on up to the next begin(), records that are younger than `cut` are not there; but those that are younger by more than
  // `far` are, as if of the cut's time: the counter went back, with the machine that it counts for.
  void begin(std::uint64_t cut, std::uint64_t far);
  static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t earliest() const noexcept { return heads_.empty() ? none : heads_.front().ticks; }

  // Hands out all that are not younger than `limit`, those of one time in the order of their threads; or stops behind the one
  // after which `enough()`: then false.
  template <class Deliver, class Enough = std::false_type>
  bool deliver_until(std::uint64_t limit, Deliver deliver, Enough enough = {}) {
    while (!heads_.empty() && heads_.front().ticks <= limit) {
      Lane& lane = take_first();
      const std::uint64_t next = earliest();
      const std::uint64_t until = next < limit ? next : limit;
      std::uint64_t ticks = none;
      bool stop = false;
      do {
        // Past it first: whatever becomes of it, it is handed out once.
        deliver(step(lane));
        stop = enough();
        ticks = head(lane);
      } while (!stop && ticks <= until);
      if (ticks != none) put(lane, ticks);
      if (stop) return false;
    }
    return true;
  }

 private:
  struct Head {
    std::uint64_t ticks;
    Lane* lane;
    bool operator<(const Head& other) const noexcept { return ticks > other.ticks; }  // the greatest is taken first
  };

  Lane& take_first() noexcept;
  void put(Lane& lane, std::uint64_t ticks);
  // The time of the lane's next record; none: not yet, or younger than the cut.
  std::uint64_t head(Lane& lane) noexcept;
  OwnRecord step(Lane& lane) noexcept;
  // The first block was read; false: it was the lane's last.
  bool next_block(Lane& lane, bool last) noexcept;

  Lanes& lanes_;
  std::vector<Lane*> listed_;  // that have blocks, or had
  std::vector<Head> heads_;    // a heap
  std::size_t behind_ = 0;     // blocks that stand behind others of their lanes
  std::uint64_t cut_ = 0;
  std::uint64_t far_ = none;
  std::uint64_t time_of(std::uint64_t ticks) const noexcept {
    return ticks > cut_ && ticks - cut_ > far_ ? cut_ : ticks;
  }
};

}  // namespace dlog::hub
