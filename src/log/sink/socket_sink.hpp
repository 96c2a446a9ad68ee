// A child's sink: events as frames, in batches, to the parent; when the parent is gone, to a successor.
//
// Threads: the log thread, but for taken() and unsent(). Nothing here waits for a parent that takes nothing, but for some
// milliseconds where it is only slow: what is left is sent by later calls of settle(), and full() says when it is too much.
// Loss: a parent of ours confirms what it has written. What it had not confirmed when it went away is handed to the successor, as
// far as it is kept (Unconfirmed::bytes_max), and what was not sent, all of it. Of a parent that speaks the seed protocol only, what
// the kernel has taken arrives or dies with it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "log/event/outlet.hpp"
#include "log/sink/event_encoder.hpp"
#include "log/sink/unconfirmed.hpp"
#include "log/wire/decoder.hpp"
#include "log/wire/encoder.hpp"
#include "os/descriptor.hpp"

namespace dlog::sink {

// What a parent that is gone leaves. Frames are whole, and begin with what must be read before them.
struct Estate {
  wire::Bytes unconfirmed{};  // may have been shown
  std::uint64_t unconfirmed_records = 0;
  std::uint64_t forgotten_records = 0;  // were not confirmed either, before these, and are kept nowhere
  bool had_last_word = false;           // it said how far it came: what is not confirmed it has not shown
  wire::Bytes unsent{};
  std::string reason{};
};

class SocketSink : public event::Outlet {
 public:
  // Called once, when the parent is gone. Returns where events go from now on.
  using Succession = std::function<std::unique_ptr<event::Outlet>(const Estate& estate)>;
  // The parent has changed its level; none: it is gone, and says no other any more.
  using LevelTold = std::function<void(std::optional<Level> level)>;

  SocketSink(os::Descriptor socket, std::unique_ptr<EventEncoder> encoder, Succession succession,
             LevelTold level_told = {});

  void accept(const Event& event) override;
  void flush() override;
  std::int64_t due_ns() const override;
  void settle() override;
  void leave(bool for_good) override;
  void suspend(bool on) override;
  bool owes() const override;
  bool full() const override {
    return successor_ ? successor_->full() : !gone_ && batch_.size() - sent_ > kept_bytes_max;
  }
  bool live() const override { return successor_ && successor_->live(); }
  std::uint64_t undelivered() const override;
  std::uint64_t waiting() const override { return successor_ ? successor_->waiting() : batch_own_; }
  std::uint64_t taken() const noexcept override;
  int input() const noexcept override { return gone_ || successor_ || !socket_.is_ours() ? -1 : socket_.get(); }
  void input_forgotten() noexcept override;
  std::string take_complaint() override;

  // Records of this process that the kernel has not taken whole. Any thread.
  std::uint64_t unsent() const noexcept { return unsent_.load(std::memory_order_relaxed); }

  // After a fork, in the child: the connection is the parent's.
  void abandon() noexcept override {
    socket_.reset();
    if (successor_) successor_->abandon();
  }

  static constexpr std::size_t batch_bytes = std::size_t{64} << 10;
  // What the kernel did not take: more is not asked for.
  static constexpr std::size_t kept_bytes_max = std::size_t{1} << 20;
  // So much that is not confirmed is asked for by the way, not more often than this: little is shown again when the parent is gone.
  static constexpr std::size_t ask_bytes = std::size_t{64} << 10;
  static constexpr std::int64_t ask_every_ns = 100'000'000;
  // At the end of the process an answer is awaited no longer once all is sent: it arrives without us. A parent that answers nothing
  // is given so long to take the connection, at the end and when it is flushed first: it may ask whose it is, which nobody knows any
  // more once we are gone.
  static constexpr std::int64_t last_answer_ns_max = 250'000'000;
  static constexpr std::int64_t last_look_ns_max = 100'000'000;

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
  void make_room_for_log();
  void encode_bar(const Event& event);
  void ask(bool last);
  void ask_by_the_way();
  void add_question(bool last);
  void send_on();
  void pause(bool moves);
  void let_go_of_sent();
  void empty_batch() noexcept;
  bool owes_bytes() const noexcept { return sent_ < owed_end_; }
  void all_sent() noexcept;
  void count_unsent() noexcept { unsent_.store(batch_own_, std::memory_order_relaxed); }
  void hear();
  void hear(const wire::Frame& frame);
  void hear(const wire::FlushedFrame& flushed);
  void hear(const wire::NewsFrame& news);
  void confirm(std::uint64_t records, std::uint64_t lost);
  void parent_is_gone(std::string reason);
  void succeed();
  void tell_successor(const Known& known);
  void look_after_last() noexcept;
  bool awaits_answer() const noexcept { return answered_ < awaited_; }

  os::Descriptor socket_;
  std::unique_ptr<EventEncoder> encoder_;
  Succession succession_;
  LevelTold level_told_;
  std::unique_ptr<event::Outlet> successor_;
  std::atomic<const event::Outlet*> successor_seen_{nullptr};  // the same, for other threads

  wire::Bytes batch_;
  enum class Log : std::uint8_t { own_record, notice, of_a_bar };
  std::vector<Log> logs_;            // what the Log frames of the batch are
  std::size_t sent_ = 0;             // of the batch: no whole frame after a pause
  std::uint64_t batch_records_ = 0;  // in the batch
  std::uint64_t batch_own_ = 0;      // of these: of this process
  std::atomic<std::uint64_t> unsent_{0};
  std::int64_t retry_ns_ = 0;  // when the rest is tried again
  std::int64_t pause_ns_ = 0;  // that was before it; 0: it moves
  std::size_t owed_end_ = 0;   // of the batch: what was asked for stands before it
  bool owed_ = false;          // something was when the parent went
  wire::Decoder answers_;
  std::uint64_t asked_ = 0;    // the number of the latest question
  std::uint64_t awaited_ = 0;  // of the latest one that somebody waits for
  std::uint64_t answered_ = 0;
  std::int64_t ask_ns_ = 0;               // not by the way before
  std::int64_t answer_until_ns_ = never;  // no longer awaited then
  bool looks_ = false;                    // whether a parent that answers nothing has read all
  std::int64_t look_until_ns_ = 0;        // no longer; 0: not since all is sent
  std::int64_t next_look_ns_ = 0;
  bool looked_ = false;
  Unconfirmed unconfirmed_;
  std::uint64_t own_records_ = 0;  // of this process, that were encoded
  std::uint64_t lost_ = 0;         // as the parent says, and what is not known to have been shown
  bool told_missing_ = false;
  bool had_last_word_ = false;
  std::string complaint_;
  std::size_t watch_end_ = 0;  // of the latest Watch in the batch: until it is sent no other is needed
  bool gone_ = false;
  std::string gone_reason_;
  bool leaves_something_ = false;  // for a successor

  std::map<std::uint64_t, Known> bars_;  // that are live; what the parent knows
  std::vector<Known> ended_;             // whose end is not confirmed, the latest last
  std::size_t ended_when_asked_ = 0;     // of these, those before the latest question
  std::uint64_t records_when_asked_ = 0;
  int suspended_ = 0;
};

}  // namespace dlog::sink
