// Output on a terminal: see screen.hpp.
#include "log/render/screen.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "log/render/bar_line.hpp"
#include "log/render/visible.hpp"

namespace dlog::render {

Bar Screen::LiveBar::current() const {
  Bar copy = bar;
  copy.description = description;
  copy.message = message;
  return copy;
}

void Screen::accept(const Event& event, std::int64_t now_ns) {
  if (event.record != nullptr) return records_.append(pending_, event);

  const Bar& bar = *event.bar;
  if (gone_) return accept_late(event);
  LiveBar& live = live_bar(event, now_ns);
  live.bar = bar;
  if (live.description != bar.description) live.description = bar.description;
  if (live.message != bar.message) live.message = bar.message;
  moved_ = true;
  away_ = false;
  if (bar.state == BarState::running) return;
  if (bar.state != BarState::cleared) end_bar(live);
  const auto place = places_.find({event.source.id, bar.id});
  bars_.erase(place->second);
  places_.erase(place);
}

// After the end there is no live region: a bar that was written then has had its line, another one gets it when it ends.
void Screen::accept_late(const Event& event) {
  const Bar& bar = *event.bar;
  const bool written = places_.contains({event.source.id, bar.id});
  if (written || bar.state == BarState::running || bar.state == BarState::cleared) return;
  LiveBar late;
  if (event.source.id != 0) append_source(late.source, event.source);
  late.bar = bar;
  late.description = bar.description;
  late.message = bar.message;
  end_bar(late);
}

Screen::LiveBar& Screen::live_bar(const Event& event, std::int64_t now_ns) {
  const Key key{event.source.id, event.bar->id};
  if (const auto found = places_.find(key); found != places_.end()) return *found->second;
  LiveBar fresh;
  fresh.source_id = event.source.id;
  if (event.source.id != 0) append_source(fresh.source, event.source);
  fresh.since_ns = now_ns;
  places_.emplace(key, bars_.insert(bars_.end(), std::move(fresh)));
  return bars_.back();
}

// The last state is cut at the width of the latest frame: the line is an ordinary one afterwards, and wraps as such.
void Screen::end_bar(const LiveBar& live) {
  pending_ +=
      bar_end_row(live.current(), live.source, static_cast<std::size_t>(size_.columns), records_.words().colour);
  pending_ += '\n';
}

std::int64_t Screen::due_ns() const {
  const bool live = frame_.has_live_rows();
  if (!pending_.empty()) return live ? drawn_ns_ + frame_ns : 0;
  if (suspended_ > 0 || away_ || gone_) return live ? 0 : never;
  if (bars_.empty()) return live ? 0 : never;
  std::int64_t due = never;
  const bool any_old_enough = bars_.front().since_ns + hidden_ns <= drawn_ns_;
  if (live || any_old_enough) due = drawn_ns_ + (moved_ || !live ? bars_frame_ns : idle_frame_ns);
  // The youngest stand last: only they can be too young to have been drawn.
  for (auto bar = bars_.rbegin(); bar != bars_.rend() && bar->since_ns + hidden_ns > drawn_ns_; ++bar) {
    due = std::min(due, bar->since_ns + hidden_ns);
  }
  return due;
}

void Screen::draw(std::string& out, std::int64_t now_ns, Size size) {
  size_ = size;
  frame_.append(out, pending_, live_rows(now_ns, size), size);
  pending_.clear();
  moved_ = false;
  drawn_ns_ = now_ns;
}

std::vector<std::string> Screen::live_rows(std::int64_t now_ns, Size size) const {
  std::vector<const LiveBar*> shown;
  if (suspended_ == 0 && !away_ && !gone_ && !behind_) {
    for (const LiveBar& live : bars_) {
      if (now_ns - live.since_ns >= hidden_ns) shown.push_back(&live);
    }
  }
  const std::size_t rows_max = Frame::rows_max(size);
  std::size_t rows = shown.size();
  if (rows > rows_max) rows = rows_max == 0 ? 0 : rows_max - 1;  // the last row is the summary

  std::vector<std::string> out;
  const auto tick = static_cast<std::uint64_t>(now_ns / bars_frame_ns);
  for (std::size_t i = 0; i < rows; ++i) {
    out.push_back(bar_row(shown[i]->current(), shown[i]->source, static_cast<std::size_t>(size.columns), tick));
  }
  if (rows < shown.size() && rows_max != 0) {
    double sum = 0;
    for (std::size_t i = rows; i < shown.size(); ++i) sum += percent(shown[i]->bar.value, shown[i]->bar.total);
    const std::size_t more = shown.size() - rows;
    std::string summary = fmt::format("... and {} more, {:.0f} %", more, sum / static_cast<double>(more));
    summary.resize(std::min(summary.size(), static_cast<std::size_t>(std::max(size.columns - 1, 1))));
    out.push_back(std::move(summary));
  }
  return out;
}

void Screen::leave(bool for_good) {
  if (for_good && !gone_) {
    for (const LiveBar& live : bars_) end_bar(live);
    gone_ = true;
  }
  away_ = true;
}

void Screen::suspend(bool on) { suspended_ = std::max(0, suspended_ + (on ? 1 : -1)); }

}  // namespace dlog::render
