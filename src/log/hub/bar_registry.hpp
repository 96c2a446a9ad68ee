// The progress bars of this process: what their owners' threads and the log thread share.
//
// Threads: a cell's counter any thread, relaxed; its texts under its mutex. The registry itself: the log thread. Changes that have
// an order among the records (start, end) come through the queue as items; values and messages are sampled.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "dlog/counter.hpp"
#include "dlog/event.hpp"
#include "log/hub/item.hpp"

namespace dlog::hub {

struct BarCell : progress::Counter {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;  // 0: part of no other
  std::string description;
  std::atomic<std::uint64_t> total{0};
  std::atomic<Unit> unit{Unit::items};
  std::atomic<bool> paused{false};
  std::atomic<std::uint32_t> estimate{0};
  std::atomic<bool> ended{false};
  std::atomic<bool> refused{false};  // there was no room for its start: nobody hears of it
  const void* owner = nullptr;       // the log thread that it was told to
  std::mutex mutex;
  BarTexts texts;  // under the mutex
  std::atomic<std::uint32_t> texts_version{0};
  std::shared_ptr<BarCell> self;  // held by the handle; released with it

  BarFigures figures() const noexcept;
};

class BarRegistry {
 public:
  using Tell = std::function<void(const Bar&)>;

  // A change that came through the queue.
  void apply(const BarChange& change, const Tell& tell);

  // The live bars of which something changed since they were told last.
  void sample(const Tell& tell);

  // The process ends: every live bar ends with it, abandoned.
  void end_all(const Tell& tell);

  bool empty() const noexcept { return live_.empty(); }

 private:
  struct Live {
    std::shared_ptr<BarCell> cell;
    BarTexts texts{};
    std::uint32_t texts_version = 0;
    BarFigures figures{};
    Bar bar(BarState state) const noexcept;
  };
  std::map<std::uint64_t, Live> live_;  // by id: in the order of creation
};

}  // namespace dlog::hub
