// A child's sink: see socket_sink.hpp.
#include "log/sink/socket_sink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/big_endian.hpp"
#include "base/civil_time.hpp"
#include "log/wire/format.hpp"
#include "os/clock.hpp"
#include "os/output.hpp"
#include "os/socket.hpp"
#include "os/socket_owner.hpp"

namespace dlog::sink {
namespace {

// A parent that is slow is waited for so long at a time, one that has stopped not at all.
constexpr std::int64_t wait_ns_max = 20 * ns_per_ms;
constexpr std::int64_t pause_ns_min = 1 * ns_per_ms;
constexpr std::int64_t pause_ns_max = 32 * ns_per_ms;
constexpr std::int64_t look_every_ns = 100'000;
constexpr std::size_t ended_max = 256;  // bars
constexpr std::size_t answer_bytes = 512;
constexpr int answers_max = 64;  // at a time

// The whole frames at or before `bytes`: what the kernel took of a frame that it did not take whole is lost with the connection, and
// the frame is sent again.
struct Whole {
  std::size_t bytes = 0;
  std::uint64_t records = 0;      // Record frames
  std::uint64_t own_records = 0;  // of these: no notices
  std::size_t logs = 0;           // Log frames, which do not say what they are
};
Whole whole_frames(std::span<const std::byte> frames, std::size_t bytes) {
  Whole whole;
  while (whole.bytes + wire::header_bytes < frames.size()) {
    const std::byte* const payload = frames.data() + whole.bytes + wire::header_bytes;
    const std::size_t payload_bytes = load_big_endian<std::uint32_t>(payload - wire::header_bytes);
    if (whole.bytes + wire::header_bytes + payload_bytes > bytes) break;
    const auto type = static_cast<wire::FrameType>(payload[0]);
    if (type == wire::FrameType::log) ++whole.logs;
    if (type == wire::FrameType::record) {
      ++whole.records;
      if ((static_cast<std::uint8_t>(payload[1]) & wire::record_is_notice) == 0) ++whole.own_records;
    }
    whole.bytes += wire::header_bytes + payload_bytes;
  }
  return whole;
}

std::string reason_of(const os::Received& ended) {
  if (!ended.error) return "it closed the connection";
  return ended.error == EBADF ? "this program closed the connection" : os::error_text(ended.error);
}

wire::Bytes joined(wire::Bytes front, std::span<const std::byte> back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

}  // namespace

Bar SocketSink::Known::current() const {
  Bar copy = bar;
  copy.description = description;
  copy.message = message;
  copy.bar_template = bar_template;
  return copy;
}

SocketSink::SocketSink(os::Descriptor socket, std::unique_ptr<EventEncoder> encoder, Succession succession,
                       LevelTold level_told)
    : socket_(std::move(socket)),
      encoder_(std::move(encoder)),
      succession_(std::move(succession)),
      level_told_(std::move(level_told)) {
  if (!encoder_->is_answered()) return;
  // At once: a parent may want to know who it is that connected.
  encoder_->greet(batch_);
  encoder_->add_watch(batch_);
  watch_end_ = batch_.size();
}

void SocketSink::accept(const Event& event) {
  if (gone_ && !successor_) succeed();
  if (successor_) return successor_->accept(event);
  if (event.record != nullptr) {
    const bool own = event::is_own_record(event);
    make_room_for_log();  // first: what is in the batch is sent
    encoder_->add_record(batch_, event);
    if (!encoder_->is_answered()) logs_.push_back(own ? Log::own_record : Log::notice);
    if (own) ++batch_own_, ++own_records_;
    ++batch_records_;
    count_unsent();
  } else {
    encode_bar(event);
  }
  if (batch_.size() - sent_ >= batch_bytes && pause_ns_ == 0) send_on();
}

// An event becomes one at most.
void SocketSink::make_room_for_log() {
  if (logs_.size() == logs_.capacity()) logs_.reserve(std::max<std::size_t>(64, 2 * logs_.size()));
}

void SocketSink::encode_bar(const Event& event) {
  const Bar& bar = *event.bar;
  const auto [entry, is_new] = bars_.try_emplace(bar.id);
  Known& known = entry->second;
  const Bar before = known.current();
  make_room_for_log();
  const std::size_t begin = batch_.size();
  encoder_->add_bar(batch_, event, is_new ? nullptr : &before);
  const std::span<const std::byte> added = std::span(batch_).subspan(begin);
  logs_.resize(logs_.size() + whole_frames(added, added.size()).logs, Log::of_a_bar);
  known = {event, bar, std::string(bar.description), std::string(bar.message), std::string(bar.bar_template)};
  if (bar.state == BarState::running) return;
  if (ended_.size() == ended_max) {
    ended_.erase(ended_.begin());
    ended_when_asked_ -= std::min<std::size_t>(ended_when_asked_, 1);
  }
  ended_.push_back(std::move(known));
  bars_.erase(entry);
}

void SocketSink::settle() {
  if (successor_) return successor_->settle();
  if (gone_ && leaves_something_) {  // there was no memory for it before
    succeed();
    return successor_->settle();
  }
  hear();
  if (!successor_) send_on();
  if (!successor_ && !gone_) ask_by_the_way();
  if (!successor_ && looks_) look_after_last();
}

// From when all that was asked for is sent.
void SocketSink::look_after_last() noexcept {
  const std::int64_t now_ns = os::monotonic_ns();
  if (!gone_ && (owes_bytes() || now_ns < next_look_ns_)) return;
  next_look_ns_ = now_ns + look_every_ns;
  if (look_until_ns_ == 0) look_until_ns_ = now_ns + last_look_ns_max;
  if (gone_ || now_ns >= look_until_ns_ || os::is_read_by_peer(socket_)) looks_ = false;
}

void SocketSink::ask(bool last) {
  if (successor_ || gone_) return;
  owed_end_ = batch_.size();
  if (!encoder_->is_answered()) {
    // The first time too: after a flush a program may close all, or become another one.
    if (encoder_->records() != 0 && (!std::exchange(looked_, true) || last)) {
      looks_ = true;
      look_until_ns_ = 0;
    }
    return;
  }
  if (last) answer_until_ns_ = os::monotonic_ns() + last_answer_ns_max;
  add_question(last);
  owed_end_ = batch_.size();
  awaited_ = asked_;
}

// Not while our kernel still has something for the parent: should this process be killed before it has read the answer, that would
// be lost.
void SocketSink::ask_by_the_way() {
  if (!encoder_->is_answered() || answered_ != asked_ || unconfirmed_.frames().size() < ask_bytes) return;
  if (sent_ != batch_.size() || !os::is_taken_by_peer(socket_)) return;
  const std::int64_t now_ns = os::monotonic_ns();
  if (now_ns < ask_ns_) return;
  ask_ns_ = now_ns + ask_every_ns;
  add_question(false);
  send_on();
}

void SocketSink::add_question(bool last) {
  encoder_->add_flush(batch_, last, ++asked_);
  ended_when_asked_ = ended_.size();
  records_when_asked_ = encoder_->records();
}

void SocketSink::flush() {
  ask(false);
  if (!successor_) settle();
  if (successor_) successor_->flush();
}

void SocketSink::leave(bool for_good) {
  ask(for_good);
  if (!successor_) settle();
  if (successor_) successor_->leave(for_good);
}

bool SocketSink::owes() const {
  if (successor_) return successor_->owes();
  if (gone_) return false;
  if (looks_) return true;
  return owes_bytes() || (awaits_answer() && os::monotonic_ns() < answer_until_ns_);
}

std::int64_t SocketSink::due_ns() const {
  if (successor_) return successor_->due_ns();
  if (gone_) return leaves_something_ ? os::monotonic_ns() + pause_ns_min : never;
  std::int64_t due = sent_ == batch_.size() ? never : retry_ns_;
  if (looks_ && !owes_bytes()) due = std::min(due, next_look_ns_);
  if (awaits_answer() && answer_until_ns_ > os::monotonic_ns()) due = std::min(due, answer_until_ns_);
  return due;
}

void SocketSink::send_on() {
  if (sent_ == batch_.size()) return;
  const std::int64_t begun_ns = os::monotonic_ns();
  if (begun_ns < retry_ns_) return;
  hear();  // after the parent's end the kernel would still take one batch, and lose it
  if (successor_ || gone_) return;
  bool moves = pause_ns_ == 0;  // at the last try, or in this one
  while (sent_ != batch_.size()) {
    const os::Received got = os::send(socket_, std::span(batch_).subspan(sent_));
    sent_ += got.bytes;
    took(got.bytes);
    moves |= got.bytes != 0;
    if (got.outcome == os::Transfer::done) continue;
    if (got.outcome != os::Transfer::would_block) {
      hear();  // how far it came, which it may have said last
      return gone_ ? void() : parent_is_gone(reason_of(got));
    }
    const std::int64_t left_ns = begun_ns + wait_ns_max - os::monotonic_ns();
    if (!moves || left_ns < ns_per_ms || !os::wait_writable(socket_, std::chrono::milliseconds(left_ns / ns_per_ms)))
      return pause(moves);
  }
  all_sent();
}

void SocketSink::pause(bool moves) {
  pause_ns_ = moves ? pause_ns_min : std::min(2 * pause_ns_, pause_ns_max);
  retry_ns_ = os::monotonic_ns() + pause_ns_;
  let_go_of_sent();
}

// What the kernel took whole is no longer ours to send: while more and more is logged the batch may never come to its end.
void SocketSink::let_go_of_sent() {
  const Whole whole = whole_frames(batch_, sent_);
  if (encoder_->is_answered()) unconfirmed_.add(std::span(batch_).first(whole.bytes));
  batch_.erase(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(whole.bytes));
  sent_ -= whole.bytes;
  watch_end_ -= std::min(watch_end_, whole.bytes);
  owed_end_ -= std::min(owed_end_, whole.bytes);
  const auto logs_end = logs_.begin() + static_cast<std::ptrdiff_t>(std::min(whole.logs, logs_.size()));
  const auto own_logs = static_cast<std::uint64_t>(std::count(logs_.begin(), logs_end, Log::own_record));
  const auto notices = static_cast<std::uint64_t>(std::count(logs_.begin(), logs_end, Log::notice));
  logs_.erase(logs_.begin(), logs_end);
  batch_records_ -= std::min(batch_records_, whole.records + own_logs + notices);
  batch_own_ -= std::min(batch_own_, whole.own_records + own_logs);
  count_unsent();
}

void SocketSink::empty_batch() noexcept {
  batch_.clear();
  logs_.clear();
  sent_ = watch_end_ = owed_end_ = 0;
  batch_records_ = batch_own_ = 0;
  count_unsent();
}

void SocketSink::all_sent() noexcept {
  if (encoder_->is_answered()) unconfirmed_.add(batch_);
  else ended_.clear();
  empty_batch();
  pause_ns_ = retry_ns_ = 0;
}

// What the parent answers. Unread bytes would turn our own close into a reset, and hide the parent's end behind them.
void SocketSink::hear() {
  if (gone_) return;
  for (int i = 0; i < answers_max; ++i) {
    const os::Received got = os::receive(socket_, answers_.space(answer_bytes));
    if (got.outcome == os::Transfer::would_block) return;
    if (got.outcome != os::Transfer::done) return parent_is_gone(reason_of(got));
    if (!encoder_->is_answered()) continue;  // nobody asked
    answers_.filled(got.bytes);
    wire::Frame frame;
    while (answers_.next(frame) == wire::Decoder::Step::frame) {
      hear(frame);
      if (successor_) return;
    }
    // What is no answer of a parent of ours cannot be waited for.
    if (!answers_.fault().empty()) return parent_is_gone("it answers in no known words");
  }
}

void SocketSink::hear(const wire::Frame& frame) {
  if (const auto* flushed = std::get_if<wire::FlushedFrame>(&frame)) hear(*flushed);
  else if (const auto* news = std::get_if<wire::NewsFrame>(&frame)) hear(*news);
}

void SocketSink::hear(const wire::FlushedFrame& flushed) {
  if (flushed.number > asked_ || flushed.number <= answered_) return;
  answered_ = flushed.number;
  std::uint64_t missing = 0;
  if (answered_ == asked_) {
    ended_.erase(ended_.begin(), ended_.begin() + static_cast<std::ptrdiff_t>(ended_when_asked_));
    ended_when_asked_ = 0;
    missing = records_when_asked_ - std::min(records_when_asked_, flushed.records);
  }
  // What did not come was not written either.
  confirm(flushed.records, std::min(flushed.lost, own_records_) + missing);
  took(1);  // who waits for an answer sees that something moves
  if (missing != 0 && !std::exchange(told_missing_, true))
    complaint_ = fmt::format("the parent says that {} of {} records came; the others are counted as lost",
                             flushed.records, records_when_asked_);
}

void SocketSink::hear(const wire::NewsFrame& news) {
  if ((news.flags & wire::news_is_last) != 0) {
    confirm(news.records, news.lost);
    had_last_word_ = true;
    return ended_.clear();
  }
  // It goes on: what it has heard it may not have written yet.
  if (level_told_) level_told_(static_cast<Level>(std::min(news.level, static_cast<std::uint8_t>(Level::off))));
  if (sent_ < watch_end_) return;  // it said so unasked
  encoder_->add_watch(batch_);
  watch_end_ = batch_.size();
}

// A parent cannot have lost more than it was sent.
void SocketSink::confirm(std::uint64_t records, std::uint64_t lost) {
  let_go_of_sent();  // it may speak of the front of a batch that is on its way
  unconfirmed_.confirm(records);
  lost_ = std::max(lost_, std::min(lost, own_records_));
}

// Where nothing would be shown twice or be missed, it is said when there is something to say.
void SocketSink::parent_is_gone(std::string reason) {
  gone_ = true;
  gone_reason_ = std::move(reason);
  if (level_told_) level_told_(std::nullopt);
  owed_ = owes_bytes();
  let_go_of_sent();
  sent_ = 0;  // a frame that was not taken whole is sent again
  const bool records_are_left = unconfirmed_.records() != 0 || batch_records_ != 0 || unconfirmed_.forgotten() != 0;
  leaves_something_ = records_are_left || !ended_.empty() || !bars_.empty();
  if (leaves_something_) succeed();
  else empty_batch();  // questions that nobody answers
}

void SocketSink::succeed() {
  Estate estate;
  const auto opening = encoder_->said_once();
  if (unconfirmed_.records() != 0) estate.unconfirmed = joined(opening, unconfirmed_.frames());
  estate.unconfirmed_records = unconfirmed_.records();
  estate.forgotten_records = unconfirmed_.forgotten();
  if (!batch_.empty()) estate.unsent = joined(opening, batch_);
  estate.had_last_word = had_last_word_;
  estate.reason = gone_reason_;
  successor_ = succession_(estate);
  lost_ = std::min(lost_ + estate.forgotten_records, own_records_);
  successor_seen_.store(successor_.get(), std::memory_order_release);
  for (int depth = 0; depth < suspended_; ++depth) successor_->suspend(true);
  unconfirmed_.clear();
  empty_batch();
  batch_ = {};
  // Bars that ended unseen, and those that go on: the successor has not met them.
  for (const Known& known : ended_) tell_successor(known);
  for (const auto& [id, known] : bars_) tell_successor(known);
  ended_.clear();
  bars_.clear();
  successor_->settle();
  if (owed_ || awaits_answer()) successor_->flush();
}

void SocketSink::tell_successor(const Known& known) {
  const Bar bar = known.current();
  Event event = known.event;
  event.bar = &bar;
  successor_->accept(event);
}

void SocketSink::input_forgotten() noexcept { socket_.reset(); }

void SocketSink::suspend(bool on) {
  suspended_ += on ? 1 : -1;  // the parent's screen is out of reach; a successor's is not
  if (successor_) successor_->suspend(on);
}

std::uint64_t SocketSink::taken() const noexcept {
  const event::Outlet* successor = successor_seen_.load(std::memory_order_acquire);
  return Outlet::taken() + (successor == nullptr ? 0 : successor->taken());
}

std::uint64_t SocketSink::undelivered() const { return lost_ + (successor_ ? successor_->undelivered() : 0); }

std::string SocketSink::take_complaint() {
  if (!complaint_.empty()) return std::exchange(complaint_, {});
  return successor_ ? successor_->take_complaint() : std::string();
}

}  // namespace dlog::sink
