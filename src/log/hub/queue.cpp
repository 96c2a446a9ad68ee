// Items from many threads to one: see queue.hpp.
#include "log/hub/queue.hpp"

#include <concurrentqueue.h>

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

// Ends with its thread. What is logged after that, by destructors of other thread_local objects, goes without a token.
struct Queue::LaneHolder {
  Lane* lane = nullptr;
  Lane* forgotten = nullptr;  // of the process this one was forked from; kept in sight of leak checkers, never touched
  bool ended = false;
  ~LaneHolder() {
    delete lane;
    lane = nullptr;
    ended = true;
  }
};
thread_local Queue::LaneHolder Queue::lane_;

Queue::Queue() : inside_(std::make_shared<Inside>()) {}

Queue::~Queue() {
  std::vector<ItemOwner> rest;
  drain(rest);
}

bool Queue::push(Item* item) noexcept {
  try {
    LaneHolder& holder = lane_;
    if (holder.ended) return inside_->items.enqueue(item);
    if (holder.lane == nullptr || holder.lane->inside != inside_) {
      delete holder.lane;
      holder.lane = nullptr;
      holder.lane = new Lane{inside_, moodycamel::ProducerToken(inside_->items), nullptr};
    }
    return inside_->items.enqueue(holder.lane->token, item);
  } catch (const std::exception&) {  // std::bad_alloc
    return false;
  }
}

void Queue::drain(std::vector<ItemOwner>& out) {
  std::array<Item*, 256> some;
  while (const std::size_t got = inside_->items.try_dequeue_bulk(inside_->reader, some.begin(), some.size())) {
    for (std::size_t i = 0; i < got; ++i) out.emplace_back(some[i]);
  }
}

void Queue::forget_thread() noexcept {
  LaneHolder& holder = lane_;
  if (holder.lane == nullptr) return;
  holder.lane->forgotten = holder.forgotten;
  holder.forgotten = std::exchange(holder.lane, nullptr);
}

}  // namespace dlog::hub
