// Parcels from many threads to one: moodycamel's ConcurrentQueue, with a producer token a lane. The only room that sees it is
// queue.cpp.
//
// Threads: push() any, a producer one at a time; drain() the log thread. Parcels of one producer come out in the order they went in,
// and a drain has what was pushed before it began, whichever thread it is of. Nobody frees what was not drained: the owner drains.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "log/hub/item.hpp"

namespace dlog::hub {

class Queue {
 public:
  Queue();
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // A token; it must not outlive the queue. Throws std::bad_alloc.
  class Producer;
  struct ProducerDeleter {
    void operator()(Producer* producer) const noexcept;
  };
  using ProducerOwner = std::unique_ptr<Producer, ProducerDeleter>;
  ProducerOwner make_producer();

  // False: no memory; the parcel is still the caller's. Without a producer it is slower.
  bool push(Producer* producer, Parcel* parcel) noexcept;

  // Takes as many as are there and have room in `out`.
  std::size_t take(std::span<Parcel*> out) noexcept;
  // Appends all that is there to `out`.
  void drain(std::vector<Parcel*>& out);

  // Is nothing there? Certain only where all threads' writes can be seen.
  bool empty() const noexcept;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace dlog::hub
