// The writers' side of the records: each thread that logs has a lane, a row of blocks that it alone fills. A lane has a few blocks of
// its own; what it needs beyond them is counted against the bound of the backlog until it has been read.
//
// Threads: the members under "callers" any; the rest the log thread. Lifetimes: lanes are handed, with their blocks, from threads that
// end to threads that start; blocks that a burst took are kept for all until trim().
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "dlog/atomic.hpp"
#include "log/hub/backlog.hpp"
#include "log/hub/block.hpp"
#include "log/hub/queue.hpp"

namespace dlog::hub {

inline constexpr std::size_t block_bytes_max = std::size_t{16} << 10;
inline constexpr std::size_t block_bytes_min = std::size_t{1} << 10;
inline constexpr std::size_t blocks_in_queue = 32;  // at least so many make the bound, where it is small
// Only so many lanes have blocks and a producer of their own. Where more threads log, the others' blocks all count, and they share a
// producer: what many threads hold is bounded, and who looks at all producers does not look at thousands.
inline constexpr std::size_t rich_lanes_max = 64;
// A lane's own blocks: it fills one while the other is read. A page turn costs a caller as much as a hundred calls, so they are large
// for the first threads: all together as much as the bound of the backlog.
inline constexpr std::size_t own_blocks = 2;
inline constexpr std::size_t wide_lanes_max = 16;
inline constexpr std::size_t wide_block_bytes_max = std::size_t{256} << 10;

// What a lane has for itself: large blocks, small ones, or nothing.
enum class LaneKind : unsigned char { wide, narrow, poor };
inline constexpr std::size_t lane_kinds = 3;

struct Lane {
  LaneKind kind = LaneKind::poor;
  // The writer's.
  Queue::ProducerOwner producer;  // null: it shares one
  Block* current = nullptr;
  std::array<Block*, own_blocks> spares{};
  std::size_t spare_count = 0;
  std::uint32_t taken_back = 0;
  capture::Atomic<std::uint64_t> written{0};
  // From the log thread to the writer: blocks that were read. One cache line.
  struct alignas(64) Returned {
    std::array<std::atomic<Block*>, own_blocks> blocks{};
    std::atomic<std::uint32_t> count{0};  // of all that ever came
  } returned;
  // What the log thread looks at, and the writer does not while it writes: blocks that were announced and not read, and how far
  // the first was.
  alignas(64) Block* first = nullptr;
  Block* last = nullptr;
  char* at = nullptr;
  std::array<Block*, own_blocks> own{};
  std::uint64_t thread = 0;  // whose records these are; it changes only when all of them were read
  bool listed = false;
  bool ended = false;
};

class Lanes {
 public:
  Lanes(std::size_t queue_bytes, bool wait, std::chrono::milliseconds wait_limit);
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // ---- callers
  // A place for a record of `bytes`, a multiple of record_align, of the calling thread, to be committed there (capture::cursor).
  // Null: dropped, and counted. `full` wakes the log thread: see Backlog::admit().
  char* place(std::size_t bytes, bool reserve, bool may_wait, const std::function<void()>& full) noexcept;
  // False: no memory; the item is still the caller's.
  bool push(Item* item) noexcept;
  // Room for what an item holds, to be released when it was delivered. False: dropped, and counted.
  bool admit(std::size_t bytes, bool may_wait, const std::function<void()>& full) noexcept;
  void release(std::size_t bytes) noexcept;
  // Records that were committed, by all threads.
  std::uint64_t written() const noexcept;
  const Backlog& backlog() const noexcept;
  void drop_for_memory(std::uint64_t records = 1) noexcept;
  void drop_for_room() noexcept;
  // After a fork, in the child: forgets the calling thread's lane, and touches nothing of it.
  static void forget_thread() noexcept;
  // The call that ends here was interrupted by a fork, and has written where nobody reads: the parent has its record. The next call
  // finds no room there.
  static bool end_interrupted() noexcept;
  // Has this thread a lane of the process that this one was forked from? Its last record was written there then, if it wrote one.
  static bool is_stray() noexcept;
  // That record; it forgets the lane.
  static std::vector<char> take_stray();

  // ---- the log thread
  void drain(std::vector<Parcel*>& out);
  bool nothing_announced() const noexcept;
  // Sees to it that what the lane's writer comes to next has its pages, before the writer does.
  static void touch_ahead(Lane& lane) noexcept;
  // The block was read as far as it goes, but not ended: it waits no more, though its writer may go on.
  void discount(Block& block) noexcept;
  // The block was read to its end.
  void give_back(Block* block) noexcept;
  // The lane was read to its end.
  void retire(Lane* lane) noexcept;
  // Gives memory back that a burst took.
  void trim() noexcept;

 private:
  struct Inside;
  struct Holder;
  static thread_local Holder* holder_;
  static thread_local bool thread_ended_;
  static thread_local Holder* forgotten_;
  static void end_thread() noexcept;

  Lane* here();
  char* place_last(std::size_t bytes, bool reserve, bool may_wait, const std::function<void()>& full);

  std::shared_ptr<Inside> inside_;
};

}  // namespace dlog::hub
