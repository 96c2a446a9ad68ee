// Parcels from many threads to one: see queue.hpp.
#include "log/hub/queue.hpp"

#include <concurrentqueue.h>

#include <algorithm>
#include <array>
#include <exception>
#include <new>

namespace dlog::hub {

struct Queue::Inside {
  moodycamel::ConcurrentQueue<Parcel*> parcels;
  moodycamel::ConsumerToken reader{parcels};
};

class Queue::Producer {
 public:
  explicit Producer(moodycamel::ConcurrentQueue<Parcel*>& queue) : token(queue) {
    if (!token.valid()) throw std::bad_alloc();
  }
  moodycamel::ProducerToken token;
};

void Queue::ProducerDeleter::operator()(Producer* producer) const noexcept { delete producer; }

Queue::Queue() : inside_(std::make_unique<Inside>()) {}
Queue::~Queue() = default;

Queue::ProducerOwner Queue::make_producer() { return ProducerOwner(new Producer(inside_->parcels)); }

[[gnu::hot, gnu::flatten]] bool Queue::push(Producer* producer, Parcel* parcel) noexcept {
  try {
    // The enqueue that allocates: the one that does not starves a producer for ever once another has filled the queue.
    if (producer == nullptr) return inside_->parcels.enqueue(parcel);
    return inside_->parcels.enqueue(producer->token, parcel);
  } catch (const std::exception&) {  // std::bad_alloc
    return false;
  }
}

std::size_t Queue::take(std::span<Parcel*> out) noexcept {
  return inside_->parcels.try_dequeue_bulk(inside_->reader, out.begin(), out.size());
}

void Queue::drain(std::vector<Parcel*>& out) {
  std::array<Parcel*, 256> some;
  for (;;) {
    // Room first: what has left the queue must find a place.
    if (out.capacity() - out.size() < some.size()) out.reserve(std::max(out.size() * 2, out.size() + some.size()));
    const std::size_t got = take(some);
    if (got == 0) return;
    out.insert(out.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(got));
  }
}

bool Queue::empty() const noexcept { return inside_->parcels.size_approx() == 0; }

}  // namespace dlog::hub
