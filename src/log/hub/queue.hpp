// Items from many threads to one: moodycamel's ConcurrentQueue with a producer token a thread. The only room that sees it is
// queue.cpp.
//
// Threads: push() any, drain() the log thread. Items of one thread come out in the order they went in.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "log/hub/item.hpp"

namespace dlog::hub {

class Queue {
 public:
  Queue();
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Takes the item over. False: no memory; the item is still the caller's.
  bool push(Item* item) noexcept;

  // Appends all that is there to `out`.
  void drain(std::vector<ItemOwner>& out);

  // After a fork, in the child: forgets the calling thread's token without touching the queue, whose blocks may be half linked.
  static void forget_thread() noexcept;

 private:
  struct Inside;
  struct Lane;
  struct LaneEnd;
  static thread_local Lane* lane_;
  static thread_local bool lane_ended_;
  static thread_local LaneEnd lane_end_;

  std::shared_ptr<Inside> inside_;
};

}  // namespace dlog::hub
