// The writers' side of the records: see lanes.hpp.
#include "log/hub/lanes.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <mutex>
#include <utility>

#include "os/memory.hpp"
#include "os/process.hpp"
#include "os/thread.hpp"

namespace dlog {

constinit thread_local capture::Cursor capture::cursor{};

namespace hub {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t touched_at_first = std::size_t{32}
                                         << 10;  // by the thread itself, when it begins: the dearest of its first call
constexpr std::size_t touched_at_once = std::size_t{64} << 10;
constexpr std::size_t touched_ahead = std::size_t{16} << 10;

void destroy_list(Block* block) noexcept {
  while (block != nullptr) Block::destroy(std::exchange(block, block->next));
}

// Memory that was never touched costs its first writer a fault a page.
void touch_first(Block& block) noexcept {
  block.touched = std::min(block.bytes, touched_at_first);
  volatile char* const records = block.records();
  for (std::size_t at = 0; at < block.touched; at += page_bytes) records[at] = 0;
}

void touch_up_to(Block& block, std::size_t wanted) noexcept {
  if (wanted <= block.touched || block.touched == block.bytes) return;
  const std::size_t bytes = std::min(block.bytes - block.touched, touched_at_once);
  os::populate(block.records() + block.touched, bytes);
  block.touched += bytes;
}

// All that came back since the last look: the line that they stand in is the log thread's, and dear.
void take_returned(Lane& lane) noexcept {
  const std::uint32_t count = lane.returned.count.load(std::memory_order_acquire);
  while (lane.taken_back != count) {
    lane.spares[lane.spare_count++] =
        lane.returned.blocks[lane.taken_back % own_blocks].load(std::memory_order_relaxed);
    ++lane.taken_back;
  }
}

}  // namespace

struct Lanes::Inside {
  Inside(std::size_t queue_bytes, bool wait, std::chrono::milliseconds wait_limit)
      : backlog(queue_bytes, wait, wait_limit),
        block_bytes(std::clamp(queue_bytes / blocks_in_queue, block_bytes_min, block_bytes_max) /
                    capture::record_align * capture::record_align),
        wide_block_bytes(std::clamp(queue_bytes / own_blocks / wide_lanes_max, block_bytes, wide_block_bytes_max) /
                         capture::record_align * capture::record_align) {}
  ~Inside();

  Lane& take_lane();
  void make_rich(Lane& lane, LaneKind kind, std::size_t own_block_bytes);
  bool push(Lane* lane, Parcel* parcel) noexcept;
  // What Backlog::admit() is told.
  struct Terms {
    bool reserve;
    bool may_wait;
    const std::function<void()>& full;
  };
  Block* open_counted(Lane& lane, std::size_t bytes, bool single, const Terms& terms) noexcept;
  Block* take_more(std::size_t bytes) noexcept;
  void put_back(Block* block) noexcept;
  bool announce(Lane& lane, Block* block) noexcept;
  void end_lane(Lane& lane) noexcept;
  void retire(Lane& lane) noexcept;

  Queue queue;
  Backlog backlog;
  const std::size_t block_bytes;
  const std::size_t wide_block_bytes;
  std::mutex shared_producer_mutex;
  Queue::ProducerOwner shared_producer = queue.make_producer();
  std::mutex mutex;  // of all below
  std::vector<std::unique_ptr<Lane>> lanes{};
  std::array<std::vector<Lane*>, lane_kinds> free{};  // by kind: the best is taken first
  Block* pool = nullptr;
};

Lanes::Inside::~Inside() {
  for (Parcel* parcel = nullptr; queue.take({&parcel, 1}) != 0;) {
    if (parcel->kind == Parcel::Kind::block) Block::destroy(static_cast<Block*>(parcel));
    else ItemDeleter{}(static_cast<Item*>(parcel));
  }
  for (const auto& lane : lanes) {
    destroy_list(lane->first);
    take_returned(*lane);
    for (std::size_t i = 0; i < lane->spare_count; ++i) Block::destroy(lane->spares[i]);
  }
  destroy_list(pool);
}

Lane& Lanes::Inside::take_lane() {
  {
    const std::lock_guard lock(mutex);
    for (std::vector<Lane*>& of_kind : free) {
      if (of_kind.empty()) continue;
      Lane& lane = *of_kind.back();
      of_kind.pop_back();
      return lane;
    }
  }
  auto made = std::make_unique<Lane>();
  Lane& lane = *made;
  const std::lock_guard lock(mutex);
  if (lanes.size() == lanes.capacity()) lanes.reserve(lanes.size() * 2 + rich_lanes_max);
  for (std::vector<Lane*>& of_kind : free)
    of_kind.reserve(lanes.capacity());  // a lane that ends always finds its place
  if (lanes.size() < wide_lanes_max) make_rich(lane, LaneKind::wide, wide_block_bytes);
  else if (lanes.size() < rich_lanes_max) make_rich(lane, LaneKind::narrow, block_bytes);
  lanes.push_back(std::move(made));
  return lane;
}

void Lanes::Inside::make_rich(Lane& lane, LaneKind kind, std::size_t own_block_bytes) {
  lane.producer = queue.make_producer();
  lane.kind = kind;
  while (lane.spare_count < own_blocks) {
    Block* const block = Block::make(own_block_bytes);
    if (block == nullptr) break;
    block->own = true;
    lane.own[lane.spare_count] = block;
    lane.spares[lane.spare_count++] = block;
  }
  // The one that is taken first.
  if (lane.spare_count != 0) touch_first(*lane.spares[lane.spare_count - 1]);
}

// Opens a block beyond the lane's own. Null: no room or no memory; counted as dropped.
Block* Lanes::Inside::open_counted(Lane& lane, std::size_t bytes, bool single, const Terms& terms) noexcept {
  const std::size_t needed = std::max(bytes, block_bytes) + capture::record_align;
  if (!backlog.admit(needed, terms.reserve, terms.may_wait, terms.full)) return nullptr;
  if (Block* const block = take_more(bytes); block != nullptr) {
    block->single = single;
    if (announce(lane, block)) return block;
    put_back(block);
  }
  backlog.release(needed);
  backlog.drop_for_memory();
  return nullptr;
}

Block* Lanes::Inside::take_more(std::size_t bytes) noexcept {
  Block* block = nullptr;
  if (bytes <= block_bytes) {
    const std::lock_guard lock(mutex);
    if (pool != nullptr) block = std::exchange(pool, pool->next);
  }
  if (block == nullptr) block = Block::make(std::max(bytes, block_bytes));
  if (block != nullptr) block->counted = true;
  return block;
}

void Lanes::Inside::put_back(Block* block) noexcept {
  block->single = false;
  block->counted = false;
  if (block->bytes != block_bytes + capture::record_align) return Block::destroy(block);
  const std::lock_guard lock(mutex);
  block->next = std::exchange(pool, block);
}

[[gnu::hot]] bool Lanes::Inside::announce(Lane& lane, Block* block) noexcept {
  if (block->lane != &lane) block->lane = &lane;
  capture::clear_size_word(block->records());
  return push(&lane, block);
}

[[gnu::hot]] bool Lanes::Inside::push(Lane* lane, Parcel* parcel) noexcept {
  if (lane != nullptr && lane->producer) return queue.push(lane->producer.get(), parcel);
  const std::lock_guard lock(shared_producer_mutex);
  return queue.push(shared_producer.get(), parcel);
}

void Lanes::Inside::end_lane(Lane& lane) noexcept {
  if (std::exchange(lane.current, nullptr) != nullptr)
    return capture::store_size_word(std::exchange(capture::cursor, {}).next, capture::end_of_lane);
  retire(lane);  // nothing of it is in anyone's hands
}

void Lanes::Inside::retire(Lane& lane) noexcept {
  const std::lock_guard lock(mutex);
  free[static_cast<std::size_t>(lane.kind)].push_back(&lane);
}

// What a thread holds: its lane, and the lanes that it is one of, which it keeps alive.
struct Lanes::Holder {
  std::shared_ptr<Inside> inside;
  Lane* lane = nullptr;
  Holder* forgotten = nullptr;
  std::uint32_t generation = os::process_generation();

  static void let_go(Holder* holder) noexcept {
    if (holder == nullptr) return;
    holder->inside->end_lane(*holder->lane);
    delete holder;
  }
};

thread_local Lanes::Holder* Lanes::holder_ = nullptr;
thread_local bool Lanes::thread_ended_ = false;
// Of processes this one was forked from; kept in sight of leak checkers, never touched.
thread_local Lanes::Holder* Lanes::forgotten_ = nullptr;

// What is logged after that has a lane for itself.
void Lanes::end_thread() noexcept {
  if (is_stray()) forget_thread();
  Holder::let_go(std::exchange(holder_, nullptr));
  thread_ended_ = true;
}

Lanes::Lanes(std::size_t queue_bytes, bool wait, std::chrono::milliseconds wait_limit)
    : inside_(std::make_shared<Inside>(queue_bytes, wait, wait_limit)) {}

// Null: we should not hear of the thread's end.
[[gnu::hot]] Lane* Lanes::here() {
  if (holder_ != nullptr && holder_->inside == inside_) return holder_->lane;
  if (is_stray()) forget_thread();
  Holder::let_go(std::exchange(holder_, nullptr));
  if (!os::at_thread_end(end_thread)) return nullptr;
  auto holder = std::make_unique<Holder>();
  holder->inside = inside_;
  holder->lane = &inside_->take_lane();
  holder->lane->thread = os::thread_id();
  holder_ = holder.release();
  return holder_->lane;
}

[[gnu::hot]] char* Lanes::place(std::size_t bytes, bool reserve, bool may_wait,
                                const std::function<void()>& full) noexcept {
  try {
    Lane* const ours = thread_ended_ ? nullptr : here();
    if (ours == nullptr) return place_last(bytes, reserve, may_wait, full);
    Lane& lane = *ours;
    capture::Cursor& at = capture::cursor;
    if (static_cast<std::size_t>(at.end - at.next) >= bytes) return at.next;

    Inside& inside = *inside_;
    Block* block = nullptr;
    if (lane.spare_count == 0) take_returned(lane);
    if (lane.spare_count != 0 && bytes + capture::record_align <= lane.spares[lane.spare_count - 1]->bytes) {
      block = lane.spares[lane.spare_count - 1];
      if (!inside.announce(lane, block)) return drop_for_memory(), nullptr;
      --lane.spare_count;
    } else {
      block = inside.open_counted(lane, bytes, false, {reserve, may_wait, full});
      if (block == nullptr) return nullptr;
    }
    // Announced first: where the log thread has read the one to its end, the other is there, or will be by its next turn.
    if (lane.current != nullptr) capture::store_size_word(at.next, capture::end_of_block);
    lane.current = block;
    for (std::size_t i = 0; i <= capture::prefetch_bytes; i += 64) capture::fetch_to_write(block->records() + i);
    at = {block->records(), block->records() + block->bytes - capture::record_align, &lane.written};
    return at.next;
  } catch (const std::exception&) {  // std::bad_alloc
    drop_for_memory();
    return nullptr;
  }
}

// The thread has ended as far as we were told, but its last destructors log; or we should not be told: each record has a lane for
// itself.
char* Lanes::place_last(std::size_t bytes, bool reserve, bool may_wait, const std::function<void()>& full) {
  Inside& inside = *inside_;
  Lane& lane = inside.take_lane();
  lane.thread = os::thread_id();
  Block* const block = inside.open_counted(lane, bytes, true, {reserve, may_wait, full});
  if (block == nullptr) return retire(&lane), nullptr;
  capture::cursor = {block->records(), block->records() + bytes, &lane.written};
  return capture::cursor.next;
}

bool Lanes::push(Item* item) noexcept {
  try {
    return inside_->push(thread_ended_ ? nullptr : here(), item);
  } catch (const std::exception&) {  // std::bad_alloc
    return false;
  }
}

std::uint64_t Lanes::written() const noexcept {
  const std::lock_guard lock(inside_->mutex);
  std::uint64_t sum = 0;
  for (const auto& lane : inside_->lanes) sum += lane->written.load_relaxed();
  return sum;
}

bool Lanes::admit(std::size_t bytes, bool may_wait, const std::function<void()>& full) noexcept {
  return inside_->backlog.admit(bytes, false, may_wait, full);
}
void Lanes::release(std::size_t bytes) noexcept { inside_->backlog.release(bytes); }

const Backlog& Lanes::backlog() const noexcept { return inside_->backlog; }
void Lanes::drop_for_memory(std::uint64_t records) noexcept { inside_->backlog.drop_for_memory(records); }

void Lanes::drop_for_room() noexcept { inside_->backlog.drop(); }

// A fork in a signal handler may have interrupted a call of this thread: it goes on, in a block that nobody reads here, and its record
// is counted nowhere.
void Lanes::forget_thread() noexcept {
  static constinit capture::Atomic<std::uint64_t> nowhere{0};
  capture::cursor = {nullptr, nullptr, &nowhere};
  if (holder_ == nullptr) return;
  holder_->forgotten = std::exchange(forgotten_, holder_);
  holder_ = nullptr;
}

bool Lanes::end_interrupted() noexcept {
  const bool was_interrupted = capture::cursor.next != nullptr && capture::cursor.end == nullptr;
  if (was_interrupted) capture::cursor.next = nullptr;
  return was_interrupted;
}

bool Lanes::is_stray() noexcept { return holder_ != nullptr && holder_->generation != os::process_generation(); }

std::vector<char> Lanes::take_stray() {
  const Block* const block = holder_->lane->current;
  const char* const end = capture::cursor.next;
  forget_thread();
  const char* last = end;
  for (const char* at = block == nullptr ? end : block->records(); at < end;) {
    last = at;
    at += capture::load_size_word(at) & ~std::uint32_t{7};
  }
  return {last, end};
}

void Lanes::drain(std::vector<Parcel*>& out) { inside_->queue.drain(out); }
bool Lanes::nothing_announced() const noexcept { return inside_->queue.empty(); }

void Lanes::touch_ahead(Lane& lane) noexcept {
  Block* const read = lane.first;
  if (read == nullptr || !read->own) return;
  const std::size_t wanted = static_cast<std::size_t>(lane.at - read->records()) + touched_ahead;
  touch_up_to(*read, wanted);
  if (wanted <= read->bytes) return;
  for (Block* const other : lane.own)
    if (other != nullptr && other != read) touch_up_to(*other, wanted - read->bytes);
}

void Lanes::discount(Block& block) noexcept {
  block.counted = false;
  inside_->backlog.release(block.bytes);
}

void Lanes::give_back(Block* block) noexcept {
  if (block->own) {
    Lane::Returned& returned = block->lane->returned;
    const std::uint32_t count = returned.count.load(std::memory_order_relaxed);
    returned.blocks[count % own_blocks].store(block, std::memory_order_relaxed);
    returned.count.store(count + 1, std::memory_order_release);
    return;
  }
  const std::size_t bytes = block->bytes;
  const bool counted = block->counted;
  inside_->put_back(block);
  if (counted) inside_->backlog.release(bytes);
}

void Lanes::retire(Lane* lane) noexcept { inside_->retire(*lane); }

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
