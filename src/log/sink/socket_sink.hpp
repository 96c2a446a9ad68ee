// A child's sink: events as frames, in batches, to the parent; when the parent is gone, to a successor.
//
// Threads: the log thread. Loss: what the kernel has taken arrives or dies with the parent; what it has not taken is handed to the
// successor.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "log/event/outlet.hpp"
#include "log/sink/event_encoder.hpp"
#include "log/wire/encoder.hpp"
#include "os/descriptor.hpp"

namespace dlog::sink {

class SocketSink : public event::Outlet {
 public:
  // Called once, when the parent is gone: whole frames that it did not take, behind what must be read before them, and why.
  // Returns where events go from now on.
  using Succession =
      std::function<std::unique_ptr<event::Outlet>(std::span<const std::byte> frames, const std::string& reason)>;

  SocketSink(os::Descriptor socket, std::unique_ptr<EventEncoder> encoder, Succession succession);

  void accept(const Event& event) override;
  void flush() override;
  std::int64_t due_ns() const override;
  void settle() override;
  void leave(bool for_good) override;
  void suspend(bool on) override;
  bool owes() const override { return successor_ && successor_->owes(); }
  bool full() const override { return successor_ && successor_->full(); }
  bool live() const override { return successor_ && successor_->live(); }
  std::uint64_t undelivered() const override;
  std::uint64_t taken() const noexcept override;
  std::string take_complaint() override;

  // After a fork, in the child: the connection is the parent's.
  void abandon() noexcept override {
    socket_.reset();
    if (successor_) successor_->abandon();
  }

  static constexpr std::size_t batch_bytes = std::size_t{64} << 10;

 private:
  // The latest event of a bar, with texts of its own.
  struct Known {
    Event event{};
    Bar bar{};
    std::string description{};
    std::string message{};
    std::string bar_template{};
    Bar current() const;
  };
  void encode_bar(const Event& event);
  void send_all();
  void succeed(const std::string& reason);
  void tell_successor(const Known& known);

  os::Descriptor socket_;
  std::unique_ptr<EventEncoder> encoder_;
  Succession succession_;
  std::unique_ptr<event::Outlet> successor_;
  std::atomic<const event::Outlet*> successor_seen_{nullptr};  // the same, for other threads
  wire::Bytes batch_;
  std::map<std::uint64_t, Known> bars_;  // that are live; what the parent knows
  std::vector<Known> ended_in_batch_;
  int suspended_ = 0;
};

}  // namespace dlog::sink
