// A sink that writes what a renderer says: see stream_sink.hpp.
#include "log/sink/stream_sink.hpp"

#include <fmt/format.h>

#include <utility>

#include "os/clock.hpp"
#include "os/output.hpp"
#include "os/terminal.hpp"

namespace dlog::sink {
namespace {

// More than this is written at once, due or not, so that a burst does not pile up.
constexpr std::uint64_t waiting_bytes_max = std::uint64_t{64} << 10;
// One write() takes no more, so that it can be seen whether a slow reader still reads; less of it when the process ends.
constexpr std::size_t write_bytes_max = std::size_t{64} << 10;
constexpr std::size_t last_write_bytes_max = std::size_t{4} << 10;

// At most `bytes_max` from the front, but no half line: other programs may write to the same file in between.
std::string_view whole_lines(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t newline = text.rfind('\n', bytes_max - 1);
  if (newline == std::string_view::npos) newline = text.find('\n', bytes_max);
  return text.substr(0, newline == std::string_view::npos ? newline : newline + 1);
}

}  // namespace

StreamSink::StreamSink(std::unique_ptr<render::Renderer> renderer, int fd, os::Descriptor owned, std::string what)
    : renderer_(std::move(renderer)), fd_(fd), owned_(std::move(owned)), what_(std::move(what)) {
  const os::TerminalSize size = os::terminal_size(fd_);
  renderer_->fit({size.columns, size.rows});
}

void StreamSink::accept(const Event& event) {
  if (event.record == nullptr) return renderer_->accept(event, os::monotonic_ns());
  renderer_->accept(event, 0);  // a record needs no time but its own
  ++waiting_;
  if (event::is_own_record(event)) ++waiting_own_;
  accepted_bytes_ += event.record->message.size() + 64;
  if (accepted_bytes_ > waiting_bytes_max) write(os::monotonic_ns());
}

void StreamSink::settle() {
  const std::int64_t now_ns = os::monotonic_ns();
  if (renderer_->due_ns() <= now_ns) write(now_ns);
}

void StreamSink::flush() {
  if (renderer_->due_ns() != render::Renderer::never) write(os::monotonic_ns());
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

void StreamSink::write(std::int64_t now_ns) {
  bytes_.clear();
  const os::TerminalSize size = renderer_->draws_frames() ? os::terminal_size(fd_) : os::TerminalSize{};
  renderer_->draw(bytes_, now_ns, {size.columns, size.rows});
  const std::uint64_t records = std::exchange(waiting_, 0);
  const std::uint64_t own = std::exchange(waiting_own_, 0);
  accepted_bytes_ = 0;
  if (bytes_.empty()) return;

  const std::size_t most = renderer_->draws_frames() ? bytes_.size()
                           : leaving_                ? last_write_bytes_max
                                                     : write_bytes_max;
  os::Written written;
  for (std::string_view rest = bytes_; !rest.empty() && written.error == 0; rest.remove_prefix(written.bytes)) {
    written = os::write_all(fd_, whole_lines(rest, most));
    took(written.bytes);
  }
  if (written.error == 0) {
    failing_ = false;
    return;
  }
  // Which lines got through is not known: all of the batch count as lost.
  undelivered_ += own;
  if (!std::exchange(failing_, true)) {
    complaint_ =
        fmt::format("{}: {}; {} records not written, more may follow", what_, os::error_text(written.error), records);
  }
}

std::string StreamSink::take_complaint() { return std::exchange(complaint_, {}); }

}  // namespace dlog::sink
