// Two sinks where one is asked for: a child whose parent is gone has a console and a file, in the place of a connection.
//
// Threads, as those of the two. What was lost is counted by the first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "log/event/outlet.hpp"

namespace dlog::sink {

class Both : public event::Outlet {
 public:
  Both(std::unique_ptr<event::Outlet> first, std::unique_ptr<event::Outlet> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  void accept(const Event& event) override;
  void flush() override;
  std::int64_t due_ns() const override { return std::min(first_->due_ns(), second_->due_ns()); }
  void settle() override;
  void leave(bool for_good) override;
  void suspend(bool on) override;
  bool owes() const override { return first_->owes() || second_->owes(); }
  bool full() const override { return first_->full() || second_->full(); }
  bool live() const override { return first_->live() || second_->live(); }
  std::uint64_t undelivered() const override { return first_->undelivered(); }
  std::uint64_t undelivered_of(std::uint64_t source_id) const override { return first_->undelivered_of(source_id); }
  std::uint64_t waiting() const override { return first_->waiting(); }
  std::uint64_t taken() const noexcept override { return first_->taken() + second_->taken(); }
  void abandon() noexcept override;
  // Of the first, or else of the second.
  std::string take_complaint() override;

 private:
  std::unique_ptr<event::Outlet> first_;
  std::unique_ptr<event::Outlet> second_;
};

}  // namespace dlog::sink
