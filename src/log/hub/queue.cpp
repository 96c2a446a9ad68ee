// Items from many threads to one: see queue.hpp.
#include "log/hub/queue.hpp"

#include <concurrentqueue.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace dlog::hub {

struct Queue::Inside {
  moodycamel::ConcurrentQueue<Item*> items;
  moodycamel::ConsumerToken reader{items};
};

// A thread's token and the queue that it belongs to, which it keeps alive.
struct Queue::Lane {
  std::shared_ptr<Inside> inside;
  moodycamel::ProducerToken token;
  Lane* forgotten = nullptr;
};

// Kept apart from the object that clears them: what a destructor writes into its own object need not be there afterwards, and
// other destructors of the thread, and exit handlers, still log.
thread_local Queue::Lane* Queue::lane_ = nullptr;
thread_local bool Queue::lane_ended_ = false;

// Ends with its thread. What is logged after that goes without a token.
struct Queue::LaneEnd {
  Lane* forgotten = nullptr;  // of the process this one was forked from; kept in sight of leak checkers, never touched
  ~LaneEnd() {
    delete std::exchange(lane_, nullptr);
    lane_ended_ = true;
  }
};
thread_local Queue::LaneEnd Queue::lane_end_;

Queue::Queue() : inside_(std::make_shared<Inside>()) {}

Queue::~Queue() {
  std::vector<ItemOwner> rest;
  drain(rest);
}

bool Queue::push(Item* item) noexcept {
  try {
    if (lane_ended_) return inside_->items.enqueue(item);
    if (lane_ == nullptr || lane_->inside != inside_) {
      static_cast<void>(&lane_end_);  // its destructor is registered on first use
      delete std::exchange(lane_, nullptr);
      lane_ = new Lane{inside_, moodycamel::ProducerToken(inside_->items), nullptr};
    }
    return inside_->items.enqueue(lane_->token, item);
  } catch (const std::exception&) {  // std::bad_alloc
    return false;
  }
}

void Queue::drain(std::vector<ItemOwner>& out) {
  std::array<Item*, 256> some;
  for (;;) {
    // Room first: what has left the queue must find a place.
    if (out.capacity() - out.size() < some.size()) out.reserve(std::max(out.size() * 2, out.size() + some.size()));
    const std::size_t got = inside_->items.try_dequeue_bulk(inside_->reader, some.begin(), some.size());
    if (got == 0) return;
    for (std::size_t i = 0; i < got; ++i) out.emplace_back(some[i]);
  }
}

void Queue::forget_thread() noexcept {
  if (lane_ == nullptr) return;
  lane_->forgotten = std::exchange(lane_end_.forgotten, lane_);
  lane_ = nullptr;
}

}  // namespace dlog::hub
