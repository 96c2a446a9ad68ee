// One child's connection: see connection.hpp.
#include "log/hub/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/civil_time.hpp"
#include "base/display_width.hpp"
#include "base/utf8.hpp"
#include "log/event/bar_template.hpp"
#include "log/event/captured.hpp"
#include "log/event/outlet.hpp"
#include "log/wire/format.hpp"

namespace dlog::hub {
namespace {

// A name is a child's own word for itself: it must not look like the end of a name and number, nor like dlog itself.
std::string shown_name(std::string_view name) {
  name = utf8::cut(name, wire::name_bytes_max);
  std::string out;
  while (!name.empty()) {
    const utf8::CodePoint point = utf8::first(name);
    const bool ascii = point.valid && point.value < 0x80;
    const bool harmless = ascii ? point.value >= 0x20 && point.value != 0x7F && point.value != '[' && point.value != ']'
                                : point.valid && width_of(point.value) > 0;
    if (harmless || !point.valid)
      out += name.substr(0, point.bytes);  // bytes that are no text are escaped where they are shown
    else if (ascii) out += '_';
    name.remove_prefix(point.bytes);
  }
  return out.empty() || out == "dlog" ? "child" : out;
}

BarState state_of(std::uint8_t number) {
  return number <= static_cast<std::uint8_t>(BarState::cleared) ? static_cast<BarState>(number) : BarState::abandoned;
}

Unit unit_of(std::uint8_t number) {
  return number <= static_cast<std::uint8_t>(Unit::seconds) ? static_cast<Unit>(number) : Unit::items;
}

}  // namespace

Connection::Connection(std::uint64_t id, Source self, std::uint16_t peer_port) : id_(id), self_(self) {
  source_.id = id;
  source_.port = peer_port;
}

void Connection::introduce(std::string_view name, std::uint32_t pid) {
  introduced_ = true;
  name_ = shown_name(name);
  source_.pid = pid;
}

void Connection::received(std::size_t bytes, std::int64_t arrival_ns, std::int64_t since_ns) noexcept {
  decoder_.filled(bytes);
  arrival_ns_ = arrival_ns;
  since_ns_ = std::min(since_ns, arrival_ns);  // the clock may have been set back
}

void Connection::ended(std::int64_t arrival_ns, std::int64_t since_ns) {
  arrival_ns_ = arrival_ns;
  since_ns_ = std::min(since_ns, arrival_ns);
  ended_ = true;
}

void Connection::demand_proof(Proves proves, const void* context) noexcept {
  stage_ = Stage::knocking;
  proves_ = proves;
  proves_context_ = context;
}

void Connection::turn_away() noexcept {
  turned_away_ = true;
  stage_ = Stage::finished;
  decoder_ = {};
}

void Connection::give_up(std::string_view why) {
  if (stage_ != Stage::open || ended_) return;
  notice(fmt::format("{}; {} bytes dropped, connection closed", why, decoder_.pending()));
  gave_up_ = true;
  give_last_word();
  stage_ = Stage::orphaning;
}

bool Connection::next(Arrival& out) {
  for (;;) {
    if (take_notice(out)) return true;
    if (have_event_) return hand_out(out);
    // Not before: texts of the last event may have stood there until now.
    if (std::exchange(gave_up_, false)) decoder_ = {};
    if (stage_ == Stage::finished) return false;
    if (stage_ == Stage::orphaning) {
      if (!orphan_next_bar()) stage_ = Stage::finished;
    } else if (!(stage_ == Stage::knocking ? read_proof() : read_frame())) {
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
      if (!ended_) return false;
      if (decoder_.pending() != 0)
        notice(fmt::format("connection ended inside a frame; {} bytes dropped", decoder_.pending()));
      break;
    case wire::Decoder::Step::broken: notice(decoder_.fault() + "; connection closed"); break;
  }
  give_last_word();
  stage_ = Stage::orphaning;
  return true;
}

// False: more bytes must come first.
bool Connection::read_proof() {
  wire::Frame frame;
  const wire::Decoder::Step step = decoder_.next(frame);
  if (step == wire::Decoder::Step::need_more && !ended_ && decoder_.pending() <= hello_bytes_max) return false;
  const auto* hello = step == wire::Decoder::Step::frame ? std::get_if<wire::HelloFrame>(&frame) : nullptr;
  if (hello == nullptr || !proves_(proves_context_, hello->token)) {
    turn_away();
    return true;
  }
  stage_ = Stage::open;
  handle(*hello);
  return true;
}

bool Connection::hand_out(Arrival& out) {
  have_event_ = false;
  last_order_ns_ = std::max(last_order_ns_, std::clamp(event_order_ns_, since_ns_ - order_window_ns, arrival_ns_));
  out.order_ns = last_order_ns_;
  out.event = {event_ns_, source_, is_record_ ? &record_ : nullptr, is_record_ ? nullptr : &bar_};
  out.event.source.name = is_record_ && record_.notice ? "dlog" : std::string_view(name_);
  return true;
}

// False: it is one too many.
bool Connection::admit_record() {
  ++records_;
  return admit_line();
}

// Also of what makes a line without a record: a bar's start, and its end.
bool Connection::admit_line() {
  const bool admitted = rate_.admit(arrival_ns_);
  if (admitted) give_word(arrival_ns_);
  return admitted;
}

void Connection::give_word(std::int64_t wall_ns) { tell_dropped(rate_.take_untold(wall_ns)); }

void Connection::give_last_word() { tell_dropped(rate_.take_rest()); }

void Connection::tell_dropped(std::uint64_t count) {
  if (count != 0) notice(fmt::format("{} records dropped: more than {} a second", count, rate_.per_second()));
}

void Connection::set_record(std::uint8_t level, std::string_view message) {
  record_ = {};
  record_.wire_level = level;
  record_.level = static_cast<Level>(std::min(level, wire::level_max));
  record_.message = event::limited(cut_message_, message);
  is_record_ = have_event_ = true;
}

void Connection::handle(const wire::LogFrame& frame) {
  if (!admit_record()) return;
  set_record(frame.level, frame.message);
  // Records that follow each other often have one time.
  if (frame.time != last_time_text_ || last_time_text_.empty()) {
    last_time_text_.assign(utf8::cut(frame.time, 64));
    last_time_ns_ = parse_rfc3339(frame.time);
  }
  if (last_time_ns_) event_ns_ = event_order_ns_ = *last_time_ns_;
  else record_.time_text = frame.time.empty() ? "(none)" : utf8::cut(frame.time, 256);
}

void Connection::handle(const wire::HelloFrame& frame) {
  if (introduced_) return notice_once(told_second_hello_, "a second hello; ignored, and any further");
  introduced_ = true;
  // Who claims to be this very process would speak in its name: only a second dlog within it may.
  const bool is_here = is_here_ != nullptr && frame.pid == self_.pid && is_here_(is_here_context_);
  if (frame.pid != 0 && (frame.pid != self_.pid || is_here)) introduce(frame.name, frame.pid);
}

void Connection::handle(const wire::SiteFrame& frame) {
  if (sites_.define(frame.number, {frame.file, frame.function, frame.line}, allowed_.site_bytes)) return;
  notice_once(
      told_too_many_sites_,
      fmt::format("more places in the source than {}, or more than {} bytes of them, or {} with those of others; "
                  "records come without the further ones",
                  sites_per_connection_max, site_bytes_per_connection_max, site_bytes_max));
}

void Connection::handle(const wire::RecordFrame& frame) {
  if (!admit_record()) return;
  set_record(frame.level, frame.message);
  // A notice is shown as dlog's of that process: of which one must be known.
  record_.notice = (frame.flags & wire::record_is_notice) != 0 && source_.pid != 0;
  record_.thread = frame.thread;
  const ChildSites::Site site = sites_.find(frame.site);
  record_.file = site.file;
  record_.function = site.function;
  record_.line = site.line;
  event_ns_ = event_order_ns_ = frame.time_ns;
}

Connection::OpenBar* Connection::open_bar(std::uint64_t id) {
  if (bars_.size() >= std::min(bars_per_connection_max, allowed_.bars)) {
    notice_once(told_too_many_bars_,
                fmt::format("more than {} open bars, or {} with those of others; further ones are not shown",
                            bars_per_connection_max, bars_open_max));
    return nullptr;
  }
  if (!admit_line()) {
    told_unknown_bar_ = true;  // that it is not there is told with the others
    return nullptr;
  }
  OpenBar& bar = bars_[id];
  bar.turn = bars_created_++;
  return &bar;
}

void Connection::handle(const wire::CreateFrame& frame) {
  const auto found = bars_.find(frame.id);
  const bool created = found == bars_.end();
  OpenBar* const bar = created ? open_bar(frame.id) : &found->second;
  if (bar == nullptr) return;
  // A bar's row is short: a longer description would only cost memory.
  bar->description = utf8::cut(frame.description, wire::description_bytes_max);
  bar->bar.total = frame.total;
  bar->bar.value = 0;
  emit_bar(frame.id, *bar, BarState::running, created);
}

void Connection::handle(const wire::BarStateFrame& frame) {
  BarState state = state_of(frame.state);
  const auto found = bars_.find(frame.id);
  const bool known = found != bars_.end();
  const bool running = state == BarState::running;
  if (!running) state = end_of(state);
  if (!known && state == BarState::cleared) return;  // there is nothing to take away
  OpenBar* bar = &ended_bar_;
  if (known) bar = &found->second;
  else if (running) bar = open_bar(frame.id);
  if (bar == nullptr) return;

  bar->bar.parent = frame.parent;
  bar->bar.paused = (frame.flags & wire::bar_is_paused) != 0;
  bar->bar.unit = unit_of(frame.unit);
  bar->bar.estimate = frame.estimate;
  bar->bar.value = frame.value;
  bar->bar.total = frame.total;
  bar->description = utf8::cut(frame.description, wire::description_bytes_max);
  bar->message = utf8::cut(frame.message, wire::bar_message_bytes_max);
  const bool fits = frame.bar_template.size() <= event::BarTemplate::bytes_max;  // cut it would be another one
  bar->bar_template = fits ? frame.bar_template : std::string_view();
  event_ns_ = event_order_ns_ = frame.time_ns;
  if (known && !running) bar = &end_bar(found);
  emit_bar(frame.id, *bar, state, !known && running);
}

void Connection::handle(const wire::PushFrame& frame) {
  const auto found = bars_.find(frame.id);
  if (found == bars_.end())
    return notice_once(told_unknown_bar_, "a change of a bar that is not open; ignored, and any further");
  found->second.bar.value = frame.value;
  emit_bar(frame.id, found->second, BarState::running, false);
}

void Connection::handle(const wire::FinishFrame& frame) {
  const auto found = bars_.find(frame.id);
  if (found == bars_.end())
    return notice_once(told_unknown_bar_, "the end of a bar that is not open; ignored, and any further");
  emit_bar(frame.id, end_bar(found), end_of(BarState::finished), false);
}

// How it ends: without a line where that would be one too many.
BarState Connection::end_of(BarState said) {
  return said == BarState::cleared || admit_line() ? said : BarState::cleared;
}

// It leaves the table; its texts stay until the next one ends.
Connection::OpenBar& Connection::end_bar(Bars::iterator bar) {
  ended_bar_ = std::move(bar->second);
  bars_.erase(bar);
  return ended_bar_;
}

void Connection::handle(const wire::FlushFrame& frame) {
  asked_.flush = frame.number;
  give_word(arrival_ns_);
  if (frame.records != records_)
    notice_once(told_miscounted_, fmt::format("{} records were sent, and {} came", frame.records, records_));
}

void Connection::handle(const wire::WatchFrame&) { asked_.news = true; }

// What only a parent says.
void Connection::handle(const wire::FlushedFrame&) { handle(wire::UnknownFrame{0x20, 0}); }
void Connection::handle(const wire::NewsFrame&) { handle(wire::UnknownFrame{0x21, 0}); }

wire::FlushedFrame Connection::take_flush(std::uint64_t at_hand) noexcept {
  return {std::exchange(asked_.flush, std::nullopt).value_or(0), records_ - at_hand, 0};
}

void Connection::answer_news(wire::Bytes& out, bool last, Level level, std::uint64_t lost, std::uint64_t at_hand) {
  wire::append(out, wire::NewsFrame{last ? wire::news_is_last : std::uint8_t{0}, static_cast<std::uint8_t>(level),
                                    records_ - at_hand, lost + rate_.refused()});
  asked_.news = false;
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
  const std::uint64_t bar_id = orphan->first;
  event_ns_ = arrival_ns_;
  event_order_ns_ = since_ns_;
  emit_bar(bar_id, end_bar(orphan), BarState::orphaned, false);
  return true;
}

void Connection::emit_bar(std::uint64_t id, const OpenBar& bar, BarState state, bool created) {
  bar_ = bar.bar;
  bar_.id = id;
  bar_.state = state;
  bar_.created = created;
  bar_.description = bar.description;
  bar_.message = bar.message;
  bar_.bar_template = bar.bar_template;
  is_record_ = false;
  have_event_ = true;
}

void Connection::notice_once(bool& told, std::string text) {
  if (!std::exchange(told, true)) notice(std::move(text));
}

void Connection::notice(std::string text) {
  notices_.push_back(fmt::format("{}[{}]: {}", name_, source_.pid != 0 ? source_.pid : source_.port, text));
}

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
