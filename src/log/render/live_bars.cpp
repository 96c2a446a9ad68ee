// The bars that live: see live_bars.hpp.
#include "log/render/live_bars.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "log/render/bar_words.hpp"
#include "log/render/record_line.hpp"

namespace dlog::render {
namespace {

float busy_after(float busy, std::int64_t ns) {
  // A clock that goes back makes nothing busier.
  return busy *
         std::exp2(-static_cast<float>(std::max<std::int64_t>(ns, 0)) / static_cast<float>(LiveBars::busy_half_ns));
}

}  // namespace

BarView LiveBars::Live::view(std::int64_t now_ns, bool with_source) const {
  BarView view;
  view.bar = bar;
  view.bar.description = description;
  view.bar.message = message;
  view.bar.bar_template = template_text;
  if (with_source) view.source = source;
  const std::int64_t running_until = paused_ns != 0 ? paused_ns : now_ns;
  view.elapsed_ns = std::max<std::int64_t>(0, running_until - since_ns - idle_ns);
  view.per_second = estimate.per_second(running_until);
  view.bar_template = &bar_template;
  return view;
}

void LiveBars::put(const Event& event, std::int64_t now_ns) {
  const Bar& bar = *event.bar;
  const Key key{event.source.id, bar.id};
  const auto found = places_.find(key);
  const bool is_new = found == places_.end();
  if (is_new) {
    if (created_ == 0) first_source_ = event.source.id;
    of_several_ |= event.source.id != first_source_;
    Live fresh;
    fresh.source_id = event.source.id;
    append_source(fresh.source, event.source);
    fresh.number = created_++;
    fresh.since_ns = fresh.moved_ns = now_ns;
    fresh.estimate.begin(bar.value, now_ns);
    places_.emplace(key, bars_.insert(bars_.end(), std::move(fresh)));
  }
  Live& live = is_new ? bars_.back() : *found->second;
  if (live.description != bar.description) live.description = bar.description;
  if (live.message != bar.message) live.message = bar.message;
  if (live.template_text != bar.bar_template) {
    live.template_text = bar.bar_template;
    auto parsed = event::BarTemplate::parse(live.template_text);
    // A child's may be anything: one that cannot be read is as none.
    live.bar_template = parsed ? std::move(*parsed) : event::BarTemplate{};
  }
  if (!is_new && bar.estimate != live.bar.estimate) live.estimate.begin(live.bar.value, now_ns);
  if (bar.paused && live.paused_ns == 0) {
    live.paused_ns = now_ns;
  } else if (!bar.paused && live.paused_ns != 0) {
    live.idle_ns += now_ns - live.paused_ns;
    live.paused_ns = 0;
    live.estimate.skip_to(now_ns);
  }
  if (bar.value != live.bar.value || is_new) {
    live.estimate.record(bar.value, now_ns);
    live.busy = busy_after(live.busy, now_ns - live.moved_ns) + 1;
    live.moved_ns = now_ns;
  }
  parts_ = parts_ - (live.bar.parent != 0 ? 1 : 0) + (bar.parent != 0 ? 1 : 0);
  live.bar = bar;
}

const LiveBars::Live* LiveBars::find(std::uint64_t source_id, std::uint64_t bar_id) const {
  const auto found = places_.find({source_id, bar_id});
  return found == places_.end() ? nullptr : &*found->second;
}

void LiveBars::remove(std::uint64_t source_id, std::uint64_t bar_id) {
  const auto found = places_.find({source_id, bar_id});
  if (found == places_.end()) return;
  if (found->second->bar.parent != 0) --parts_;
  bars_.erase(found->second);
  places_.erase(found);
  if (bars_.empty()) created_ = 0, of_several_ = false;
}

// A bar is a part of one that was there before it: so nothing can be a part of itself.
const LiveBars::Live* LiveBars::parent_of(const Live& live) const {
  if (live.bar.parent == 0) return nullptr;
  const Live* parent = find(live.source_id, live.bar.parent);
  return parent != nullptr && parent->number < live.number ? parent : nullptr;
}

// All that are old enough, and how deep each stands.
std::vector<std::pair<const LiveBars::Live*, std::size_t>> LiveBars::in_order(std::int64_t age_ns,
                                                                              std::int64_t now_ns) const {
  std::vector<std::pair<const Live*, std::size_t>> out;
  out.reserve(bars_.size());
  if (parts_ == 0) {
    for (const Live& live : bars_) {
      if (now_ns - live.since_ns >= age_ns) out.emplace_back(&live, 0);
    }
    return out;
  }
  std::unordered_map<const Live*, std::vector<const Live*>> parts;
  std::vector<std::pair<const Live*, std::size_t>> waiting;  // the next one last
  for (const Live& live : bars_) {
    if (const Live* parent = parent_of(live)) parts[parent].push_back(&live);
    else waiting.emplace_back(&live, 0);
  }
  std::reverse(waiting.begin(), waiting.end());
  while (!waiting.empty()) {
    const auto [live, depth] = waiting.back();
    waiting.pop_back();
    if (now_ns - live->since_ns >= age_ns) out.emplace_back(live, depth);
    const auto found = parts.find(live);
    if (found == parts.end()) continue;
    for (auto part = found->second.rbegin(); part != found->second.rend(); ++part)
      waiting.emplace_back(*part, depth + 1);
  }
  return out;
}

LiveBars::Choice LiveBars::choose(std::size_t rows, std::int64_t age_ns, std::int64_t now_ns) const {
  auto bars = in_order(age_ns, now_ns);
  Choice choice;
  if (bars.size() > rows) {
    const std::size_t keep = rows == 0 ? 0 : rows - 1;  // the last row is the summary
    struct Rank {
      int busy;
      std::uint64_t number;
      std::size_t at;
      bool operator<(const Rank& other) const {  // the first stays
        return busy != other.busy ? busy > other.busy : number > other.number;
      }
    };
    std::vector<Rank> ranks;
    ranks.reserve(bars.size());
    constexpr int newest = 1000;
    for (std::size_t i = 0; i < bars.size(); ++i) {
      const Live& live = *bars[i].first;
      // In coarse steps, so that bars that are equally busy do not take each other's place all the time.
      const float busy = busy_after(live.busy, now_ns - live.moved_ns);
      const int step = busy < 0.25F ? 0 : 1 + std::max(0, static_cast<int>(std::log2(busy) / 2));
      ranks.push_back({now_ns - live.since_ns < new_ns ? newest : step, live.number, i});
    }
    std::nth_element(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(keep), ranks.end());
    double sum = 0;
    for (std::size_t i = keep; i < ranks.size(); ++i) {
      const Bar& bar = bars[ranks[i].at].first->bar;
      sum += percent(bar.value, bar.total);
      bars[ranks[i].at].first = nullptr;
    }
    choice.more = ranks.size() - keep;
    choice.more_percent = static_cast<int>(sum / static_cast<double>(choice.more));
    std::erase_if(bars, [](const auto& each) { return each.first == nullptr; });
  }
  choice.views.reserve(bars.size());
  for (const auto& [live, depth] : bars) {
    choice.views.push_back(live->view(now_ns, of_several_));
    choice.views.back().depth = depth;
  }
  return choice;
}

int LiveBars::overall_percent() const {
  double sum = 0;
  std::size_t count = 0;
  for (const Live& live : bars_) {
    if (live.bar.total == 0 || parent_of(live) != nullptr) continue;
    sum += percent(live.bar.value, live.bar.total);
    ++count;
  }
  return count == 0 ? -1 : static_cast<int>(sum / static_cast<double>(count));
}

}  // namespace dlog::render
