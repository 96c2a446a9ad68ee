// The sinks that programs add: a list that is there before dlog is started.
//
// Threads: add() any, without a lock, so that a fork may meet it; keep_out() and let_in() those that fork; the rest the log thread. A
// sink that throws is told of once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dlog/sink.hpp"

namespace dlog::hub {

class SinkList {
 public:
  SinkList();
  ~SinkList();
  SinkList(const SinkList&) = delete;
  SinkList& operator=(const SinkList&) = delete;

  void add(std::shared_ptr<Sink> sink);

  void accept(const Event& event) {
    if (last_.load(std::memory_order_relaxed) != nullptr) accept_some(event);
  }
  void flush();
  // A sink threw since the last call: in words, once for each sink.
  std::string take_complaint();
  // Before a fork: until let_in() the log thread stays out of the sinks, for a second at most, so that it holds none of their locks.
  // False: after `wait` it is inside one.
  bool keep_out(std::chrono::milliseconds wait) noexcept;
  void let_in() noexcept;
  // After a fork, in the child: the log thread, which is not here, may have been about to change what is its own. Unless it was
  // `kept_out`, the sinks that are there are not called again: it may have been inside one, and hold its locks for ever.
  void renew(bool kept_out) noexcept;

 private:
  struct Added {
    std::shared_ptr<Sink> sink;
    Added* before;
  };
  struct Entry {
    Sink* sink;
    bool told = false;
  };
  // While the log thread is inside a sink.
  class Visit;
  void accept_some(const Event& event);
  void complain(Entry& entry, const char* reason) noexcept;
  template <class Call>
  void for_each(Call call);

  void take_added();

  std::atomic<Added*> last_{nullptr};
  std::atomic<bool> inside_{false};
  std::atomic<int> kept_out_{0};           // how many threads are about to fork
  std::atomic<std::uint32_t> generation_;  // of the process
  const Added* passed_over_ = nullptr;     // this one, and those before it: of another process, never called
  std::atomic<bool> tell_passed_over_{false};
  // The log thread's:
  const Added* taken_ = nullptr;
  std::vector<Entry> entries_;  // in the order they were added
  std::string complaint_;
};

}  // namespace dlog::hub
