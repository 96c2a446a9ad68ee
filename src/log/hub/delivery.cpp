// The last step of every event: see delivery.hpp.
#include "log/hub/delivery.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "log/event/captured.hpp"
#include "os/clock.hpp"

namespace dlog::hub {
namespace {

// `where` is an entry of the site table, or a place in the source.
template <class Where>
Record record_from(Level level, std::uint64_t thread, const Where& where) {
  Record record;
  record.level = level;
  record.wire_level = static_cast<std::uint8_t>(level);
  record.thread = thread;
  record.file = where.file;
  record.function = where.function;
  record.line = where.line;
  return record;
}

// Written by the log thread only.
void count(std::atomic<std::uint64_t>& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

Delivery::Delivery(Self self, const capture::Atomic<std::uint8_t>& threshold, const event::SiteTable& sites,
                   std::vector<std::unique_ptr<event::Outlet>> outlets, SinkList& sinks)
    : name_(std::move(self.name)),
      self_{0, name_, self.pid, 0},
      speaker_{0, "dlog", self.pid, 0},
      threshold_(threshold),
      sites_(sites),
      outlets_(std::move(outlets)),
      sinks_(sinks) {}

void Delivery::own_record(const OwnRecord& own, std::int64_t time_ns) {
  const event::SiteEntry& site = sites_.find(own.site);
  Record record = record_from(own.level, own.thread, site);
  if (site.is_text) {
    record.message = event::captured_text(own.arguments);
  } else {
    try {
      event::format_captured(message_, arguments_, site, own.arguments);
      record.message = event::text_in(message_);
    } catch (const std::exception&) {  // no memory: what the call says without its arguments
      record.message = site.format;
    }
  }
  hand_out({time_ns, self_, &record, nullptr});
  count(own_records_);
}

void Delivery::own_signal(const SignalText& said, std::int64_t time_ns) {
  Record record = record_from(said.level, said.thread, Location::of(said.spot));
  record.message = said.text;
  hand_out({time_ns, self_, &record, nullptr});
  count(own_records_);
}

void Delivery::own_notice(Level level, std::string_view text, std::int64_t time_ns) {
  const Record record = event::notice_record(level, text);
  hand_out({time_ns, speaker_, &record, nullptr});
}

void Delivery::own_bar(const Bar& bar, std::int64_t time_ns) { hand_out({time_ns, self_, nullptr, &bar}); }

// A child's record passed the child's level, and now ours. A level that we do not know is held back by `off` only. What our own
// dlog says of a child always passes.
void Delivery::of_child(const Event& event) {
  const bool own = event.source.id == 0;
  if (event.record == nullptr || own || shown(static_cast<unsigned>(event.record->level))) hand_out(event);
}

void Delivery::notice(Level level, std::string_view text) {
  if (!shown(static_cast<unsigned>(level))) return;
  const Record record = event::notice_record(level, text);
  hand_out({os::wall_ns(), speaker_, &record, nullptr});
}

void Delivery::hand_out(const Event& event) {
  count(events_);
  for (std::size_t i = 0; i < outlets_.size(); ++i) {
    try {
      outlets_[i]->accept(event);
    } catch (const std::exception&) {  // no memory; the other outlets may still have some
      if (i == 0 && event.record != nullptr) count_failed(event);
    }
  }
  if (!to_sinks_) return;
  try {
    sinks_.accept(event);
  } catch (const std::exception&) {
    // No memory to take in a sink that was just added: with the next event.
  }
}

void Delivery::count_failed(const Event& event) noexcept {
  if (event::is_own_record(event)) ++failed_;
  if (event.source.id == 0) return;
  ++failed_of_children_;
  try {
    ++failed_of_[event.source.id];
  } catch (const std::exception&) {
    ++failed_of_somebody_;  // nor memory to note whose it was
  }
}

std::uint64_t Delivery::undelivered_of(std::uint64_t source_id) const {
  const auto found = failed_of_.find(source_id);
  return (outlets_.empty() ? 0 : outlets_.front()->undelivered_of(source_id)) + failed_of_somebody_ +
         (found == failed_of_.end() ? 0 : found->second);
}

std::uint64_t Delivery::movement() const noexcept {
  std::uint64_t sum = events_.load(std::memory_order_relaxed);
  for (const auto& outlet : outlets_) sum += outlet->taken();
  return sum;
}

void Delivery::say_complaints() {
  if (const std::uint64_t failed = failed_ + failed_of_children_; failed != told_failed_) {
    notice(Level::warn, fmt::format("{} records not written: no memory", failed - told_failed_));
    told_failed_ = failed;
  }
  for (const auto& outlet : outlets_) {
    if (const std::string text = outlet->take_complaint(); !text.empty()) notice(Level::warn, text);
  }
  if (const std::string text = sinks_.take_complaint(); !text.empty()) notice(Level::warn, text);
}

std::int64_t Delivery::due_ns() const {
  std::int64_t due = event::Outlet::never;
  for (const auto& outlet : outlets_) due = std::min(due, outlet->due_ns());
  return due;
}

void Delivery::settle() {
  for (const auto& outlet : outlets_) outlet->settle();
}

bool Delivery::owes() const {
  return std::any_of(outlets_.begin(), outlets_.end(), [](const auto& outlet) { return outlet->owes(); });
}

bool Delivery::full() const {
  return std::any_of(outlets_.begin(), outlets_.end(), [](const auto& outlet) { return outlet->full(); });
}

bool Delivery::live() const {
  return std::any_of(outlets_.begin(), outlets_.end(), [](const auto& outlet) { return outlet->live(); });
}

void Delivery::abandon() noexcept {
  for (const auto& outlet : outlets_) outlet->abandon();
}

void Delivery::flush_sinks() {
  if (to_sinks_) sinks_.flush();
}

void Delivery::flush() {
  for (const auto& outlet : outlets_) outlet->flush();
  flush_sinks();
}

void Delivery::leave(bool for_good) {
  for (const auto& outlet : outlets_) outlet->leave(for_good);
  flush_sinks();
}

void Delivery::suspend(bool on) {
  for (const auto& outlet : outlets_) outlet->suspend(on);
}

}  // namespace dlog::hub
