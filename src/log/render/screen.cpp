// Output on a terminal: see screen.hpp.
#include "log/render/screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "log/render/bar_line.hpp"
#include "log/render/bar_rows.hpp"

namespace dlog::render {
namespace {

std::size_t columns_of(Size size) { return static_cast<std::size_t>(std::max(0, size.columns)); }

}  // namespace

void Screen::accept(const Event& event, std::int64_t now_ns) {
  if (event.record != nullptr) return append_whole(pending_, [&] { records_.append(pending_, event); });

  const Bar& bar = *event.bar;
  if (gone_) return accept_late(event);
  latest_ns_ = std::max(latest_ns_, now_ns);
  bars_.put(event, now_ns);
  moved_ = true;
  away_ = false;
  if (bar.state == BarState::running) return;
  try {
    if (bar.state != BarState::cleared) end_bar(*bars_.find(event.source.id, bar.id), now_ns);
  } catch (...) {  // no memory for its line; it has ended all the same
    bars_.remove(event.source.id, bar.id);
    throw;
  }
  bars_.remove(event.source.id, bar.id);
}

// After the end there is no live region: a bar that was written then has had its line, another one gets it when it ends.
void Screen::accept_late(const Event& event) {
  const Bar& bar = *event.bar;
  const bool written = bars_.find(event.source.id, bar.id) != nullptr;
  if (written || bar.state == BarState::running || bar.state == BarState::cleared) return;
  LiveBars late;
  late.put(event, latest_ns_);
  end_bar(late.all().front(), latest_ns_);
}

void Screen::end_bar(const LiveBars::Live& live, std::int64_t now_ns) {
  const bool with_source = bars_.of_several() || live.source_id != 0;
  append_whole(pending_, [&] {
    pending_ += bar_end_line(live.view(now_ns, with_source), columns_of(size_), look_.bars);
    pending_ += '\n';
  });
}

std::int64_t Screen::due_ns() const {
  const bool live = frame_.has_live_rows();
  if (!pending_.empty()) return live ? drawn_ns_ + frame_ns : 0;
  if (!draws_bars() || bars_.empty()) return live ? 0 : never;
  std::int64_t due = never;
  const bool any_old_enough = bars_.all().front().since_ns + look_.age_ns <= drawn_ns_;
  if (live || any_old_enough) due = drawn_ns_ + (moved_ || !live ? bars_frame_ns : idle_frame_ns);
  // The youngest stand last: only they can be too young to have been drawn.
  for (auto bar = bars_.all().rbegin(); bar != bars_.all().rend() && bar->since_ns + look_.age_ns > drawn_ns_; ++bar) {
    due = std::min(due, bar->since_ns + look_.age_ns);
  }
  return due;
}

void Screen::draw(std::string& out, std::int64_t now_ns, Size size) {
  size_ = size;
  const std::vector<std::string> rows = live_rows(now_ns, size);
  frame_.append(out, pending_, rows, size);
  if (look_.taskbar) append_taskbar(out, !rows.empty());
  pending_.clear();
  moved_ = false;
  drawn_ns_ = now_ns;
  latest_ns_ = std::max(latest_ns_, now_ns);
}

// Many terminals break lines anew when they get narrower, all rows at once: what is then higher than the terminal is out of reach
// above it before a frame can follow. So where the rows could get too many that way, they leave room at their right.
std::size_t Screen::row_columns(Size size, std::size_t rows) {
  const std::size_t columns = columns_of(size);
  const bool fit_when_broken = (2 * rows + 1) * 5 <= static_cast<std::size_t>(std::max(size.rows, 0)) * 4;
  return fit_when_broken ? columns : std::min(columns, std::max(columns * 3 / 5, narrowed_columns_min));
}

std::vector<std::string> Screen::live_rows(std::int64_t now_ns, Size size) const {
  if (!draws_bars() || behind_ || bars_.empty()) return {};
  const std::size_t rows_max = Frame::rows_max(size);
  const LiveBars::Choice choice = bars_.choose(rows_max, look_.age_ns, now_ns);
  const std::size_t columns = row_columns(size, choice.views.size());
  const auto tick = static_cast<std::uint64_t>(now_ns / bars_frame_ns);
  std::vector<std::string> rows = bar_rows(choice.views, columns, look_.bars, tick);
  if (choice.more != 0 && rows_max != 0) {
    std::string summary = fmt::format("... and {} more, {} %", choice.more, choice.more_percent);
    summary.resize(std::min(summary.size(), std::max<std::size_t>(columns, 1) - 1));
    rows.push_back(std::move(summary));
  }
  return rows;
}

// How far all are, in the terminal's own words: 0 takes it away, 1 is a percentage, 3 says that something goes on.
void Screen::append_taskbar(std::string& out, bool live) {
  const int now = live ? bars_.overall_percent() : taskbar_off;
  if (now == taskbar_told_) return;
  taskbar_told_ = now;
  if (now == taskbar_off) out += "\x1b]9;4;0\x1b\\";
  else if (now < 0) out += "\x1b]9;4;3\x1b\\";
  else fmt::format_to(std::back_inserter(out), "\x1b]9;4;1;{}\x1b\\", now);
}

void Screen::leave(bool for_good) {
  if (for_good && !gone_) {
    for (const LiveBars::Live& live : bars_.all()) end_bar(live, latest_ns_);
    gone_ = true;
  }
  away_ = true;
}

void Screen::suspend(bool on) { suspended_ = std::max(0, suspended_ + (on ? 1 : -1)); }

}  // namespace dlog::render
