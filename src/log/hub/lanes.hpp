// The writers' side of the records: each thread that logs has a lane, a row of blocks that it alone fills. What is full is counted
// against the bound of the backlog until it has been read.
//
// Threads: the members under "callers" any; the rest the log thread. Lifetimes: lanes are handed from threads that end to threads
// that start; blocks that were read are kept for their lane, a few, or for all, until trim().
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "log/hub/backlog.hpp"
#include "log/hub/block.hpp"
#include "log/hub/queue.hpp"

namespace dlog::hub {

inline constexpr std::size_t block_bytes_max = std::size_t{16} << 10;
inline constexpr std::size_t block_bytes_min = std::size_t{1} << 10;
inline constexpr std::size_t blocks_in_queue = 32;  // at least so many make the bound, where it is small
inline constexpr unsigned lane_spares_max =
    4;  // blocks that a lane keeps, and is given at its start: touched, and in reach

struct Lane {
  // The writer's.
  Queue::ProducerOwner producer;
  Block* current = nullptr;
  Block* spare = nullptr;
  std::atomic<std::uint64_t> written{0};
  // Between both.
  alignas(64) std::atomic<Block*> returned{nullptr};
  std::atomic<unsigned> spares{0};
  // The log thread's: blocks that were announced and not read, and how far the first was.
  alignas(64) Block* first = nullptr;
  Block* last = nullptr;
  char* at = nullptr;
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
  // Null: no room and not dropped yet counted, see Backlog::admit(); `full` is called before a wait, and at high water.
  char* place(std::size_t bytes, bool reserve, bool may_wait, const std::function<void()>& full) noexcept;
  // False: no memory; the item is still the caller's.
  bool push(Item* item) noexcept;
  // Records that were committed, by all threads.
  std::uint64_t written() const noexcept;
  const Backlog& backlog() const noexcept;
  void drop() noexcept;
  // After a fork, in the child: forgets the calling thread's lane, and touches nothing of it.
  static void forget_thread() noexcept;

  // ---- the log thread
  void drain(std::vector<Parcel*>& out);
  bool nothing_announced() const noexcept;
  // The block was read to its end; its lane may have come to its end with it.
  void give_back(Block* block) noexcept;
  void retire(Lane* lane) noexcept;
  // Gives memory back that a burst took.
  void trim() noexcept;

 private:
  struct Inside;
  struct Holder;
  struct ThreadEnd;
  static thread_local Holder* holder_;
  static thread_local bool thread_ended_;
  static thread_local ThreadEnd thread_end_;

  Lane& here();
  char* place_last(std::size_t bytes, bool reserve, bool may_wait, const std::function<void()>& full);

  std::shared_ptr<Inside> inside_;
};

}  // namespace dlog::hub
