// A sink that writes what a renderer says: see stream_sink.hpp.
#include "log/sink/stream_sink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "base/civil_time.hpp"
#include "os/clock.hpp"
#include "os/terminal.hpp"

namespace dlog::sink {
namespace {

// More than this is written at once, due or not, so that a burst does not pile up.
constexpr std::size_t waiting_bytes_max = std::size_t{64} << 10;
// One write() takes no more, so that it can be seen whether a slow reader still reads; less of it when the process ends.
constexpr std::size_t write_bytes_max = std::size_t{64} << 10;
constexpr std::size_t last_write_bytes_max = std::size_t{4} << 10;
// A reader that is slow is waited for so long at a time, one that has stopped not at all; then others have their turn.
constexpr std::int64_t wait_ns_max = 20 * ns_per_ms;
// Between two tries: the first soon, as the reader may only have been late.
constexpr std::int64_t pause_ns_min = 1 * ns_per_ms;
constexpr std::int64_t pause_ns_max = 32 * ns_per_ms;

// At most `bytes_max` from the front, but no half line: other programs may write to the same file in between.
std::string_view whole_lines(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t newline = text.rfind('\n', bytes_max - 1);
  if (newline == std::string_view::npos) newline = text.find('\n', bytes_max);
  return text.substr(0, newline == std::string_view::npos ? newline : newline + 1);
}

}  // namespace

StreamSink::StreamSink(std::unique_ptr<render::Renderer> renderer, int fd, os::Descriptor owned, std::string what,
                       std::string path)
    : renderer_(std::move(renderer)), output_(fd, std::move(owned), std::move(path)), what_(std::move(what)) {
  on_terminal_ = renderer_->draws_frames() && os::is_terminal(output_.fd());
  const os::TerminalSize size = os::terminal_size(output_.fd());
  renderer_->fit({size.columns, size.rows});
}

void StreamSink::accept(const Event& event) {
  if (event.record == nullptr) {
    if (event.bar->state != BarState::running)
      accepted_bytes_ += event.bar->description.size() + event.bar->message.size() + 64;
    return renderer_->accept(event, os::monotonic_ns());
  }
  const std::uint64_t source_id = event.record->notice && event.source.id == 0 ? nobody : event.source.id;
  waiting_.make_room(source_id);
  renderer_->accept(event, 0);  // a record needs no time but its own
  ++waiting_.all;
  if (source_id == 0) ++waiting_.own;
  accepted_bytes_ += event.record->message.size() + 64;
  if (accepted_bytes_ <= waiting_bytes_max || !rest_.empty()) return;
  try {
    draw(os::monotonic_ns());
  } catch (const std::exception&) {
    // No memory to draw with; the record is in, and drawn with the next ones.
  }
}

void StreamSink::settle() {
  const std::int64_t now_ns = os::monotonic_ns();
  if (!rest_.empty()) {
    if (now_ns < retry_ns_) return;
    write_on(now_ns);
    if (!rest_.empty()) return;
  }
  const std::int64_t due_ns = renderer_->due_ns();
  if (due_ns <= now_ns || (asked_ && due_ns != render::Renderer::never)) draw(now_ns);
  else asked_ = false;
}

void StreamSink::flush() {
  asked_ = true;
  settle();
}

void StreamSink::leave(bool for_good) {
  if (for_good) leaving_ = true;
  renderer_->leave(for_good);
  flush();
}

void StreamSink::suspend(bool on) {
  renderer_->suspend(on);
  flush();
}

void StreamSink::draw(std::int64_t now_ns) {
  bytes_.clear();
  const os::TerminalSize size = renderer_->draws_frames() ? os::terminal_size(output_.fd()) : os::TerminalSize{};
  // No frames in the background of the terminal, nor for what a program that becomes a daemon puts in its place.
  if (renderer_->draws_frames())
    renderer_->stay_behind(os::in_background(output_.fd()) || (on_terminal_ && !os::is_terminal(output_.fd())));
  if (torn_ && !renderer_->draws_frames()) bytes_ = '\n';
  renderer_->draw(bytes_, now_ns, {size.columns, size.rows});
  output_.stay_open(renderer_->live());
  rest_ = bytes_;
  owed_ = std::exchange(asked_, false);
  in_rest_.clear();
  std::swap(in_rest_, waiting_);
  accepted_bytes_ = 0;
  write_on(now_ns);
}

void StreamSink::write_on(std::int64_t now_ns) {
  const std::size_t most = renderer_->draws_frames() ? bytes_.size()
                           : leaving_                ? last_write_bytes_max
                                                     : write_bytes_max;
  bool moves = pause_ns_ == 0;  // at the last try, or in this one
  bool waited = false;
  while (!rest_.empty()) {
    const std::string_view piece = whole_lines(rest_, most);
    const os::Written written = output_.write(piece);
    rest_.remove_prefix(written.bytes);
    took(written.bytes);
    if (written.error != 0) return fail(written.error);
    if (written.bytes != 0) moves = true;
    if (written.bytes == piece.size()) continue;
    if (waited && written.bytes == 0) break;  // it said that it takes more, and does not
    const std::int64_t left_ns = now_ns + wait_ns_max - os::monotonic_ns();
    if (!moves || left_ns < ns_per_ms || !output_.wait(std::chrono::milliseconds(left_ns / ns_per_ms))) break;
    waited = true;
  }
  if (rest_.empty()) {
    pause_ns_ = 0;
    if (!bytes_.empty()) failing_ = torn_ = false;
    return;
  }
  pause_ns_ = moves ? pause_ns_min : std::min(2 * pause_ns_, pause_ns_max);
  retry_ns_ = os::monotonic_ns() + pause_ns_;
}

// Which lines got through is not known: all of the batch count as lost.
void StreamSink::fail(int error) {
  const std::size_t written = bytes_.size() - rest_.size();
  if (written != 0) torn_ = bytes_[written - 1] != '\n';
  rest_ = {};
  pause_ns_ = 0;
  std::uint64_t end = in_rest_.all;
  for (auto run = in_rest_.runs.rbegin(); run != in_rest_.runs.rend(); ++run) {
    undelivered_.add(run->source_id, end - run->begin);
    end = run->begin;
  }
  if (std::exchange(failing_, true)) return;
  try {
    complaint_ =
        fmt::format("{}: {}; {} records not written, more may follow", what_, os::error_text(error), in_rest_.all);
  } catch (const std::exception&) {
    failing_ = false;  // no memory to say it: at the next failure
  }
}

std::string StreamSink::take_complaint() {
  if (complaint_.empty() && output_.was_opened_again())
    return what_ + ": this program closed its descriptor; opened again";
  return std::exchange(complaint_, {});
}

}  // namespace dlog::sink
