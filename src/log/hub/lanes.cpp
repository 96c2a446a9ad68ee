// The writers' side of the records: see lanes.hpp.
#include "log/hub/lanes.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include "os/process.hpp"

namespace dlog {

constinit thread_local capture::Cursor capture::cursor{};

namespace hub {
namespace {

constexpr std::size_t page_bytes = 4096;

void destroy_list(Block* block) noexcept {
  while (block != nullptr) Block::destroy(std::exchange(block, block->next));
}

// Memory that was never touched costs its first writer a fault a page.
void touch(Block& block) noexcept {
  volatile char* const records = block.records();
  for (std::size_t at = 0; at < block.bytes; at += page_bytes) records[at] = 0;
}

void end_block(char* at, std::uint32_t how) noexcept { capture::size_word(at).store(how, std::memory_order_release); }

}  // namespace

struct Lanes::Inside {
  Inside(std::size_t queue_bytes, bool wait, std::chrono::milliseconds wait_limit)
      : backlog(queue_bytes, wait, wait_limit),
        block_bytes(std::clamp(queue_bytes / blocks_in_queue, block_bytes_min, block_bytes_max) /
                    capture::record_align * capture::record_align) {}
  ~Inside();

  Lane& take_lane();
  Block* take_block(Lane& lane, std::size_t bytes) noexcept;
  void give(Lane& lane, Block* block) noexcept;
  bool announce(Lane& lane, Block* block) noexcept;
  void end_lane(Lane& lane) noexcept;

  Queue queue;
  Backlog backlog;
  const std::size_t block_bytes;
  std::mutex mutex;  // of all below
  std::vector<std::unique_ptr<Lane>> lanes{};
  std::vector<Lane*> free_lanes{};
  Block* pool = nullptr;
};

Lanes::Inside::~Inside() {
  std::vector<Parcel*> rest;
  queue.drain(rest);
  for (Parcel* parcel : rest) {
    if (parcel->kind == Parcel::Kind::block) Block::destroy(static_cast<Block*>(parcel));
    else ItemDeleter{}(static_cast<Item*>(parcel));
  }
  for (const auto& lane : lanes) {
    destroy_list(lane->first);
    destroy_list(lane->spare);
    destroy_list(lane->returned.load(std::memory_order_acquire));
  }
  destroy_list(pool);
}

Lane& Lanes::Inside::take_lane() {
  {
    const std::lock_guard lock(mutex);
    if (!free_lanes.empty()) {
      Lane& lane = *free_lanes.back();
      free_lanes.pop_back();
      return lane;
    }
  }
  auto made = std::make_unique<Lane>();
  made->producer = queue.make_producer();
  Lane& lane = *made;
  const std::lock_guard lock(mutex);
  free_lanes.reserve(lanes.size() + 1);  // a lane that ends always finds its place
  lanes.push_back(std::move(made));
  return lane;
}

Block* Lanes::Inside::take_block(Lane& lane, std::size_t bytes) noexcept {
  if (bytes > block_bytes) return Block::make(bytes);
  if (lane.spare == nullptr) lane.spare = lane.returned.exchange(nullptr, std::memory_order_acquire);
  if (lane.spare != nullptr) {
    lane.spares.fetch_sub(1, std::memory_order_relaxed);
    Block* const block = lane.spare;
    lane.spare = block->next;
    return block;
  }
  {
    const std::lock_guard lock(mutex);
    if (pool != nullptr) return std::exchange(pool, pool->next);
  }
  return Block::make(block_bytes);
}

// To its lane where that has few, else to all.
void Lanes::Inside::give(Lane& lane, Block* block) noexcept {
  if (block->bytes != block_bytes + capture::record_align) return Block::destroy(block);
  block->single = false;
  if (lane.spares.load(std::memory_order_relaxed) < lane_spares_max) {
    lane.spares.fetch_add(1, std::memory_order_relaxed);
    block->next = lane.returned.load(std::memory_order_relaxed);
    while (!lane.returned.compare_exchange_weak(block->next, block, std::memory_order_release,
                                                std::memory_order_relaxed)) {
    }
    return;
  }
  const std::lock_guard lock(mutex);
  block->next = std::exchange(pool, block);
}

bool Lanes::Inside::announce(Lane& lane, Block* block) noexcept {
  block->lane = &lane;
  block->next = nullptr;
  block->thread = os::thread_id();
  capture::size_word(block->records()).store(0, std::memory_order_relaxed);
  return queue.push(lane.producer.get(), block);
}

void Lanes::Inside::end_lane(Lane& lane) noexcept {
  if (lane.current == nullptr) {  // nothing of it is in anyone's hands
    const std::lock_guard lock(mutex);
    free_lanes.push_back(&lane);
    return;
  }
  backlog.take(lane.current->bytes);
  lane.current = nullptr;
  end_block(std::exchange(capture::cursor, {}).next, capture::end_of_lane);
}

// What a thread holds: its lane, and the lanes that it is one of, which it keeps alive.
struct Lanes::Holder {
  std::shared_ptr<Inside> inside;
  Lane* lane = nullptr;
  Holder* forgotten = nullptr;

  static void let_go(Holder* holder) noexcept {
    if (holder == nullptr) return;
    holder->inside->end_lane(*holder->lane);
    delete holder;
  }
};

// Kept apart from the object that clears them: what a destructor writes into its own object need not be there afterwards, and
// other destructors of the thread, and exit handlers, still log.
thread_local Lanes::Holder* Lanes::holder_ = nullptr;
thread_local bool Lanes::thread_ended_ = false;

// Ends with its thread. What is logged after that has a lane for itself.
struct Lanes::ThreadEnd {
  Holder* forgotten =
      nullptr;  // of the process this one was forked from; kept in sight of leak checkers, never touched
  ~ThreadEnd() {
    Holder::let_go(std::exchange(holder_, nullptr));
    thread_ended_ = true;
  }
};
thread_local Lanes::ThreadEnd Lanes::thread_end_;

Lanes::Lanes(std::size_t queue_bytes, bool wait, std::chrono::milliseconds wait_limit)
    : inside_(std::make_shared<Inside>(queue_bytes, wait, wait_limit)) {}

Lane& Lanes::here() {
  if (holder_ != nullptr && holder_->inside == inside_) return *holder_->lane;
  static_cast<void>(&thread_end_);  // its destructor is registered on first use
  Holder::let_go(std::exchange(holder_, nullptr));
  auto holder = std::make_unique<Holder>();
  holder->inside = inside_;
  holder->lane = &inside_->take_lane();
  holder_ = holder.release();
  return *holder_->lane;
}

char* Lanes::place(std::size_t bytes, bool reserve, bool may_wait, const std::function<void()>& full) noexcept {
  try {
    if (thread_ended_) return place_last(bytes, reserve, may_wait, full);
    Lane& lane = here();
    capture::Cursor& at = capture::cursor;
    if (static_cast<std::size_t>(at.end - at.next) >= bytes) return at.next;

    Inside& inside = *inside_;
    Block* const before = lane.current;
    if (before == nullptr) {
      // The first of this lane, or the first for its thread.
      while (lane.spares.load(std::memory_order_relaxed) < lane_spares_max) {
        Block* const block = Block::make(inside.block_bytes);
        if (block == nullptr) break;
        touch(*block);
        inside.give(lane, block);
      }
    } else if (!inside.backlog.admit(before->bytes, reserve, may_wait, full)) {
      return nullptr;
    }
    Block* const block = inside.take_block(lane, bytes);
    if (block == nullptr || !inside.announce(lane, block)) {
      if (block != nullptr) inside.give(lane, block);
      if (before != nullptr) inside.backlog.release(before->bytes);
      drop();
      return nullptr;
    }
    // Announced first: where the log thread has read the one to its end, the other is there, or will be by its next turn.
    if (before != nullptr) end_block(at.next, capture::end_of_block);
    lane.current = block;
    at = {block->records(), block->records() + block->bytes - capture::record_align, &lane.written};
    return at.next;
  } catch (const std::exception&) {  // std::bad_alloc
    drop();
    return nullptr;
  }
}

// The thread has ended as far as we were told, but its last destructors and exit handlers log: each record has a lane for itself.
char* Lanes::place_last(std::size_t bytes, bool reserve, bool may_wait, const std::function<void()>& full) {
  Inside& inside = *inside_;
  Block* const block = Block::make(bytes);
  if (block == nullptr) return drop(), nullptr;
  if (!inside.backlog.admit(block->bytes, reserve, may_wait, full)) return Block::destroy(block), nullptr;
  Lane& lane = inside.take_lane();
  block->single = true;
  if (!inside.announce(lane, block)) {
    inside.backlog.release(block->bytes);
    Block::destroy(block);
    retire(&lane);
    return drop(), nullptr;
  }
  capture::cursor = {block->records(), block->records() + bytes, &lane.written};
  return capture::cursor.next;
}

bool Lanes::push(Item* item) noexcept {
  try {
    return inside_->queue.push(thread_ended_ ? nullptr : here().producer.get(), item);
  } catch (const std::exception&) {  // std::bad_alloc
    return false;
  }
}

std::uint64_t Lanes::written() const noexcept {
  const std::lock_guard lock(inside_->mutex);
  std::uint64_t sum = 0;
  for (const auto& lane : inside_->lanes) sum += lane->written.load(std::memory_order_relaxed);
  return sum;
}

const Backlog& Lanes::backlog() const noexcept { return inside_->backlog; }
void Lanes::drop() noexcept { inside_->backlog.drop(); }

void Lanes::forget_thread() noexcept {
  capture::cursor = {};
  if (holder_ == nullptr) return;
  holder_->forgotten = std::exchange(thread_end_.forgotten, holder_);
  holder_ = nullptr;
}

void Lanes::drain(std::vector<Parcel*>& out) { inside_->queue.drain(out); }
bool Lanes::nothing_announced() const noexcept { return inside_->queue.empty(); }

void Lanes::give_back(Block* block) noexcept {
  const std::size_t bytes = block->bytes;
  inside_->give(*block->lane, block);
  inside_->backlog.release(bytes);
}

void Lanes::retire(Lane* lane) noexcept {
  const std::lock_guard lock(inside_->mutex);
  inside_->free_lanes.push_back(lane);
}

void Lanes::trim() noexcept {
  Block* all = nullptr;
  {
    const std::lock_guard lock(inside_->mutex);
    all = std::exchange(inside_->pool, nullptr);
  }
  destroy_list(all);
}

}  // namespace hub
}  // namespace dlog
