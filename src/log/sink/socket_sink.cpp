// A child's sink: see socket_sink.hpp.
#include "log/sink/socket_sink.hpp"

#include <utility>

#include "base/big_endian.hpp"
#include "log/wire/format.hpp"
#include "os/output.hpp"
#include "os/socket.hpp"

namespace dlog::sink {
namespace {

// A parent that takes nothing holds the log thread; callers are held no longer than their overflow policy says.
constexpr std::chrono::milliseconds stall_slice{1000};

// The end of the last whole frame at or before `bytes`: what the kernel took of a frame that it did not take whole is lost with
// the connection, and the frame is sent again.
std::size_t whole_frames(std::span<const std::byte> frames, std::size_t bytes) {
  std::size_t end = 0;
  while (end + wire::header_bytes <= frames.size()) {
    const std::size_t next = end + wire::header_bytes + load_big_endian<std::uint32_t>(frames.data() + end);
    if (next > bytes) break;
    end = next;
  }
  return end;
}

}  // namespace

Bar SocketSink::Known::current() const {
  Bar copy = bar;
  copy.description = description;
  copy.message = message;
  copy.bar_template = bar_template;
  return copy;
}

SocketSink::SocketSink(os::Descriptor socket, std::unique_ptr<EventEncoder> encoder, Succession succession)
    : socket_(std::move(socket)), encoder_(std::move(encoder)), succession_(std::move(succession)) {}

void SocketSink::accept(const Event& event) {
  if (successor_) return successor_->accept(event);
  if (event.record != nullptr) encoder_->add_record(batch_, event);
  else encode_bar(event);
  if (batch_.size() >= batch_bytes) send_all();
}

void SocketSink::encode_bar(const Event& event) {
  const Bar& bar = *event.bar;
  const auto [entry, is_new] = bars_.try_emplace(bar.id);
  Known& known = entry->second;
  const Bar before = known.current();
  encoder_->add_bar(batch_, event, is_new ? nullptr : &before);
  known = {event, bar, std::string(bar.description), std::string(bar.message), std::string(bar.bar_template)};
  if (bar.state == BarState::running) return;
  ended_in_batch_.push_back(std::move(known));
  bars_.erase(entry);
}

void SocketSink::settle() {
  if (successor_) return successor_->settle();
  send_all();
}

void SocketSink::flush() {
  if (!successor_) send_all();
  if (successor_) successor_->flush();
}

void SocketSink::send_all() {
  if (batch_.empty()) return;
  // After the parent's end the kernel would still take one batch, and lose it.
  if (os::peer_has_closed(socket_)) return succeed("it closed the connection");
  std::size_t sent = 0;
  while (sent < batch_.size()) {
    const os::Received got = os::send(socket_, std::span(batch_).subspan(sent));
    sent += got.bytes;
    took(got.bytes);
    if (got.outcome == os::Transfer::done) continue;
    if (got.outcome == os::Transfer::would_block) {
      os::wait_writable(socket_, stall_slice);
      continue;
    }
    const std::size_t whole = whole_frames(batch_, sent);
    batch_.erase(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(whole));
    return succeed(os::error_text(got.error));
  }
  batch_.clear();
  ended_in_batch_.clear();
}

void SocketSink::succeed(const std::string& reason) {
  socket_.reset();
  wire::Bytes frames = encoder_->said_once();
  frames.insert(frames.end(), batch_.begin(), batch_.end());
  successor_ = succession_(frames, reason);
  successor_seen_.store(successor_.get(), std::memory_order_release);
  for (int depth = 0; depth < suspended_; ++depth) successor_->suspend(true);
  batch_ = {};
  // Bars that ended unseen, and those that go on: the successor has not met them.
  for (const Known& known : ended_in_batch_) tell_successor(known);
  for (const auto& [id, known] : bars_) tell_successor(known);
  ended_in_batch_.clear();
  bars_.clear();
  successor_->settle();
}

void SocketSink::tell_successor(const Known& known) {
  const Bar bar = known.current();
  Event event = known.event;
  event.bar = &bar;
  successor_->accept(event);
}

std::int64_t SocketSink::due_ns() const { return successor_ ? successor_->due_ns() : never; }

void SocketSink::leave(bool for_good) {
  if (!successor_) send_all();
  if (successor_) successor_->leave(for_good);
}

void SocketSink::suspend(bool on) {
  suspended_ += on ? 1 : -1;  // the parent's screen is out of reach; a successor's is not
  if (successor_) successor_->suspend(on);
}

std::uint64_t SocketSink::taken() const noexcept {
  const event::Outlet* successor = successor_seen_.load(std::memory_order_acquire);
  return Outlet::taken() + (successor == nullptr ? 0 : successor->taken());
}

std::uint64_t SocketSink::undelivered() const { return successor_ ? successor_->undelivered() : 0; }

std::string SocketSink::take_complaint() { return successor_ ? successor_->take_complaint() : std::string(); }

}  // namespace dlog::sink
