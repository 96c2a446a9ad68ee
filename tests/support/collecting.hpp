// A sink that keeps what it is told, for the log thread's tests. Any thread may look at it.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "log/event/outlet.hpp"
#include "support/events.hpp"

namespace dlog::test {

// What was told. It is shared: the log thread keeps the outlet, the test keeps this.
class Collected {
 public:
  // For millions of events: none is kept from now on.
  void keep(bool on) { keep_.store(on, std::memory_order_relaxed); }
  bool keeps() const { return keep_.load(std::memory_order_relaxed); }
  void add(Told told) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(told));
  }
  // What the log thread asked for beside events, in order, as "flush", "leave", "leave for good", "suspend", "resume".
  void add_call(std::string call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }
  std::vector<Told> told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  std::vector<std::string> words() const { return words_of(told()); }
  std::vector<std::string> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return told_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Told> told_;
  std::vector<std::string> calls_;
  std::atomic<bool> keep_{true};
};

// Hands what it is told to a Collected that outlives it. `before` runs first, on the log thread, and may throw.
class CollectingOutlet : public event::Outlet {
 public:
  explicit CollectingOutlet(Collected& to, std::function<void(const Event&)> before = {})
      : to_(to), before_(std::move(before)) {}

  void accept(const Event& event) override {
    if (before_) before_(event);
    if (to_.keeps()) to_.add(copy_of(event));
  }
  void flush() override { to_.add_call("flush"); }
  void settle() override {}
  void leave(bool for_good) override { to_.add_call(for_good ? "leave for good" : "leave"); }
  void suspend(bool on) override { to_.add_call(on ? "suspend" : "resume"); }

 private:
  Collected& to_;
  std::function<void(const Event&)> before_;
};

// A sink of a program's own.
class CollectingSink : public Sink {
 public:
  void accept(const Event& event) override { collected.add(copy_of(event)); }
  void flush() override { collected.add_call("flush"); }

  Collected collected{};
};

}  // namespace dlog::test
