// The sinks that programs add: a list that is there before dlog is started.
//
// Threads: add() any; for_each() the log thread. A sink that throws is told of once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "dlog/sink.hpp"

namespace dlog::hub {

class SinkList {
 public:
  void add(std::shared_ptr<Sink> sink);

  void accept(const Event& event) {
    if (count_.load(std::memory_order_relaxed) != 0) accept_some(event);
  }
  void flush();
  // A sink threw since the last call: in words, once for each sink.
  std::string take_complaint();

 private:
  struct Entry {
    std::shared_ptr<Sink> sink;
    bool told = false;
  };
  void accept_some(const Event& event);
  template <class Call>
  void for_each(Call call);

  std::mutex mutex_;
  std::vector<std::shared_ptr<Sink>> added_;  // under the mutex
  std::atomic<std::size_t> count_{0};
  std::vector<Entry> entries_;  // the log thread's copy
  std::string complaint_;
};

}  // namespace dlog::hub
