// The last step of every event: words for captured arguments, the level filter for children, and then each sink in turn.
//
// Threads: the log thread; the counts any.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dlog/atomic.hpp"
#include "dlog/event.hpp"
#include "log/event/captured.hpp"
#include "log/event/outlet.hpp"
#include "log/event/site_table.hpp"
#include "log/hub/own_records.hpp"
#include "log/hub/signal_ring.hpp"
#include "log/hub/sink_list.hpp"

namespace dlog::hub {

class Delivery {
 public:
  struct Self {
    std::string name;  // of this process
    std::uint32_t pid = 0;
  };
  // The first outlet's losses are counted. `threshold` is 1 + the lowest level that is shown.
  Delivery(Self self, const capture::Atomic<std::uint8_t>& threshold, const event::SiteTable& sites,
           std::vector<std::unique_ptr<event::Outlet>> outlets, SinkList& sinks);

  void own_record(const OwnRecord& own, std::int64_t time_ns);
  void own_signal(const SignalText& said, std::int64_t time_ns);
  // dlog itself spoke, in a caller's thread.
  void own_notice(Level level, std::string_view text, std::int64_t time_ns);
  void own_bar(const Bar& bar, std::int64_t time_ns);
  void of_child(const Event& event);
  // dlog itself speaks.
  void notice(Level level, std::string_view text);
  // Notices for what sinks complain of.
  void say_complaints();

  // See event::Outlet; `flush` and `leave` reach the program's own sinks as well.
  std::int64_t due_ns() const;
  void settle();
  bool owes() const;
  bool full() const;
  bool live() const;
  void abandon() noexcept;
  void flush_sinks();
  void flush();
  void leave(bool for_good);
  void suspend(bool on);
  // From now on only the outlets are called.
  void pass_over_sinks() noexcept { to_sinks_ = false; }

  // Who speaks in notices.
  const Source& speaker() const noexcept { return speaker_; }
  // Records of this process that were handed to the sinks, and those of them that the first outlet could not deliver.
  std::uint64_t own_records() const noexcept { return own_records_.load(std::memory_order_relaxed); }
  std::uint64_t undelivered() const { return failed_ + (outlets_.empty() ? 0 : outlets_.front()->undelivered()); }
  // Records of a child that the first outlet could not deliver.
  std::uint64_t undelivered_of(std::uint64_t source_id) const;
  // See event::Outlet: of the first outlet, the only one that hears something.
  int input() const noexcept { return outlets_.empty() ? -1 : outlets_.front()->input(); }
  void input_forgotten() noexcept {
    if (!outlets_.empty()) outlets_.front()->input_forgotten();
  }
  // Those that wait in it.
  std::uint64_t waiting() const { return outlets_.empty() ? 0 : outlets_.front()->waiting(); }
  // That were handed to the sinks.
  std::uint64_t events() const noexcept { return events_.load(std::memory_order_relaxed); }
  // Grows as long as something moves: events handed to the sinks, bytes taken from them.
  std::uint64_t movement() const noexcept;

 private:
  bool shown(unsigned rank) const noexcept { return rank + 1 >= threshold_.load_relaxed(); }
  void hand_out(const Event& event);
  void count_failed(const Event& event) noexcept;

  const std::string name_;
  const Source self_;
  const Source speaker_;
  const capture::Atomic<std::uint8_t>& threshold_;
  const event::SiteTable& sites_;
  std::vector<std::unique_ptr<event::Outlet>> outlets_;
  SinkList& sinks_;
  bool to_sinks_ = true;
  event::Arguments arguments_;  // both kept for their memory
  fmt::memory_buffer message_;
  std::uint64_t failed_ = 0;  // records of this process that the first outlet had no memory for
  std::uint64_t failed_of_children_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> failed_of_;  // the same, of each: few ever fail
  std::uint64_t failed_of_somebody_ = 0;  // the same, where it is not known whose they were: everybody's
  std::uint64_t told_failed_ = 0;
  std::atomic<std::uint64_t> own_records_{0};
  std::atomic<std::uint64_t> events_{0};
};

}  // namespace dlog::hub
