// What the log thread asks of the built-in sinks beyond what it asks of a sink: when to draw, and what was lost.
// All on the log thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "dlog/sink.hpp"

namespace dlog::event {

// A record of the program's own, as the counts mean it: none of a child's, none of dlog's.
inline bool is_own_record(const Event& event) noexcept {
  return event.source.id == 0 && event.record != nullptr && !event.record->notice;
}

// A record in which dlog itself speaks.
inline Record notice_record(Level level, std::string_view text) noexcept {
  Record record;
  record.level = level;
  record.wire_level = static_cast<std::uint8_t>(level);
  record.message = text;
  record.notice = true;
  return record;
}

class Outlet : public Sink {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  // The monotonic time at which settle() will have something to write though no event came.
  virtual std::int64_t due_ns() const { return never; }

  // After a batch of events: write what is due. flush() writes all, due or not. Neither waits for a descriptor that takes nothing:
  // what is left then is written by later calls of settle().
  virtual void settle() = 0;

  // What flush(), leave() or suspend() asked for is not written yet.
  virtual bool owes() const { return false; }

  // So much waits here that no more events should come. Those that come are kept.
  virtual bool full() const { return false; }

  // Rows that would be drawn again stand on the screen.
  virtual bool live() const { return false; }

  // The console is left tidy: nothing stays on the screen that would be redrawn. With `for_good` the process is about to end:
  // bars that are live are written in their last state.
  virtual void leave(bool /*for_good*/) {}

  // Bars off the screen, and back.
  virtual void suspend(bool /*on*/) {}

  // Records of this process that were accepted here and could not be delivered, since the start.
  virtual std::uint64_t undelivered() const { return 0; }

  // The same for records of a child.
  virtual std::uint64_t undelivered_of(std::uint64_t /*source_id*/) const { return 0; }

  // A descriptor that calls for settle() when it is readable; -1: none. It stays open until input_forgotten() is called, once
  // another one is returned.
  virtual int input() const noexcept { return -1; }
  virtual void input_forgotten() noexcept {}
  // Records of this process that were accepted and are neither: they are still here.
  virtual std::uint64_t waiting() const { return 0; }

  // Bytes that were taken from here, by a descriptor or a peer: any thread may see whether something moves.
  virtual std::uint64_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }

  // After a fork, in the child: lets go of what only the parent may use.
  virtual void abandon() noexcept {}

  // A failure to be told once, in words; empty: none since the last call.
  virtual std::string take_complaint() { return {}; }

 protected:
  void took(std::uint64_t bytes) noexcept { taken_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> taken_{0};
};

}  // namespace dlog::event
