// One child's connection: see connection.hpp.
#include "log/hub/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/civil_time.hpp"
#include "base/utf8.hpp"
#include "log/event/captured.hpp"
#include "log/event/outlet.hpp"
#include "log/wire/format.hpp"

namespace dlog::hub {

Connection::Connection(std::uint64_t id, Source self, std::uint16_t peer_port) : id_(id), self_(self) {
  source_.id = id;
  source_.name = "child";
  source_.port = peer_port;
}

void Connection::received(std::size_t bytes, std::int64_t arrival_ns, std::int64_t since_ns) noexcept {
  decoder_.filled(bytes);
  arrival_ns_ = arrival_ns;
  since_ns_ = std::min(since_ns, arrival_ns);  // the clock may have been set back
}

void Connection::ended(std::int64_t arrival_ns, std::int64_t since_ns) {
  arrival_ns_ = arrival_ns;
  since_ns_ = std::min(since_ns, arrival_ns);
  if (stage_ == Stage::open) stage_ = Stage::ending;
}

void Connection::give_up(std::string_view why) {
  if (stage_ != Stage::open) return;
  notice(fmt::format("{}; {} bytes dropped, connection closed", why, decoder_.pending()));
  decoder_ = {};
  stage_ = Stage::orphaning;
}

bool Connection::next(Arrival& out) {
  have_event_ = false;
  for (;;) {
    if (take_notice(out)) return true;
    if (have_event_) return hand_out(out);
    if (stage_ == Stage::finished) return false;
    if (stage_ == Stage::orphaning) {
      if (!orphan_next_bar()) stage_ = Stage::finished;
    } else if (!read_frame()) {
      return false;
    }
  }
}

// False: more bytes must come first.
bool Connection::read_frame() {
  wire::Frame frame;
  switch (decoder_.next(frame)) {
    case wire::Decoder::Step::frame:
      event_ns_ = arrival_ns_;
      event_order_ns_ = since_ns_;
      std::visit([this](const auto& each) { handle(each); }, frame);
      return true;
    case wire::Decoder::Step::need_more:
      if (stage_ == Stage::open) return false;
      if (decoder_.pending() != 0)
        notice(fmt::format("connection ended inside a frame; {} bytes dropped", decoder_.pending()));
      break;
    case wire::Decoder::Step::broken: notice(decoder_.fault() + "; connection closed"); break;
  }
  stage_ = Stage::orphaning;
  return true;
}

bool Connection::hand_out(Arrival& out) {
  last_order_ns_ = std::max(last_order_ns_, std::clamp(event_order_ns_, since_ns_ - order_window_ns, arrival_ns_));
  out.order_ns = last_order_ns_;
  out.event = {event_ns_, source_, is_record_ ? &record_ : nullptr, is_record_ ? nullptr : &bar_};
  return true;
}

void Connection::handle(const wire::LogFrame& frame) {
  record_ = {};
  record_.wire_level = frame.level;
  record_.level = static_cast<Level>(std::min(frame.level, wire::level_max));
  record_.message = event::limited(cut_message_, frame.message);
  // Records that follow each other often have one time.
  if (frame.time != last_time_text_ || last_time_text_.empty()) {
    last_time_text_.assign(utf8::cut(frame.time, 64));
    last_time_ns_ = parse_rfc3339(frame.time);
  }
  if (last_time_ns_) event_ns_ = event_order_ns_ = *last_time_ns_;
  else record_.time_text = frame.time.empty() ? "(none)" : utf8::cut(frame.time, 256);
  is_record_ = have_event_ = true;
}

void Connection::handle(const wire::CreateFrame& frame) {
  const auto found = bars_.find(frame.id);
  const bool created = found == bars_.end();
  if (created && bars_.size() >= bars_per_connection_max) {
    return notice_once(told_too_many_bars_,
                       fmt::format("more than {} open bars; further ones are not shown", bars_per_connection_max));
  }
  OpenBar& bar = created ? bars_[frame.id] : found->second;
  // A bar's row is short: a longer description would only cost memory.
  bar.description = utf8::cut(frame.description, 1024);
  bar.total = frame.total;
  bar.value = 0;
  if (created) bar.turn = bars_created_++;
  emit_bar(frame.id, bar, BarState::running, created);
}

void Connection::handle(const wire::PushFrame& frame) {
  const auto found = bars_.find(frame.id);
  if (found == bars_.end())
    return notice_once(told_unknown_bar_, "a change of a bar that is not open; ignored, and any further");
  found->second.value = frame.value;
  emit_bar(frame.id, found->second, BarState::running, false);
}

void Connection::handle(const wire::FinishFrame& frame) {
  const auto found = bars_.find(frame.id);
  if (found == bars_.end())
    return notice_once(told_unknown_bar_, "the end of a bar that is not open; ignored, and any further");
  ended_bar_ = std::move(found->second);
  bars_.erase(found);
  emit_bar(frame.id, ended_bar_, BarState::finished, false);
}

void Connection::handle(const wire::UnknownFrame& frame) {
  notice_once(told_unknown_frame_, fmt::format("frame of unknown type {:#04x} ({} bytes); skipped, and any further",
                                               frame.type, frame.bytes));
}

bool Connection::orphan_next_bar() {
  if (bars_.empty()) return false;
  if (orphans_.empty()) {
    for (const auto& [id, bar] : bars_) orphans_.push_back(id);
    std::sort(orphans_.begin(), orphans_.end(),
              [this](std::uint64_t a, std::uint64_t b) { return bars_.at(a).turn > bars_.at(b).turn; });
  }
  const auto orphan = bars_.find(orphans_.back());
  orphans_.pop_back();
  ended_bar_ = std::move(orphan->second);
  const std::uint64_t bar_id = orphan->first;
  bars_.erase(orphan);
  event_ns_ = arrival_ns_;
  event_order_ns_ = since_ns_;
  emit_bar(bar_id, ended_bar_, BarState::orphaned, false);
  return true;
}

void Connection::emit_bar(std::uint64_t id, const OpenBar& bar, BarState state, bool created) {
  bar_ = {};
  bar_.id = id;
  bar_.state = state;
  bar_.created = created;
  bar_.description = bar.description;
  bar_.value = bar.value;
  bar_.total = bar.total;
  is_record_ = false;
  have_event_ = true;
}

void Connection::notice_once(bool& told, std::string text) {
  if (!std::exchange(told, true)) notice(std::move(text));
}

void Connection::notice(std::string text) { notices_.push_back(fmt::format("child[{}]: {}", source_.port, text)); }

bool Connection::take_notice(Arrival& out) {
  if (notices_.empty()) return false;
  notice_text_ = std::move(notices_.front());
  notices_.erase(notices_.begin());  // there are hardly ever two
  notice_record_ = event::notice_record(Level::warn, notice_text_);
  last_order_ns_ = std::max(last_order_ns_, since_ns_);
  out.order_ns = last_order_ns_;
  out.event = {arrival_ns_, self_, &notice_record_, nullptr};
  return true;
}

}  // namespace dlog::hub
