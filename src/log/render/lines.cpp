// Output that is no terminal: see lines.hpp.
#include "log/render/lines.hpp"

#include <fmt/format.h>

#include "log/render/bar_words.hpp"
#include "log/render/json_line.hpp"
#include "log/render/visible.hpp"

namespace dlog::render {

void Lines::accept(const Event& event, std::int64_t now_ns) {
  if (event.record != nullptr) {
    append_whole(pending_, [&] {
      if (format_ == LineFormat::json) append_json_record(pending_, event);
      else records_.append(pending_, event);
    });
  } else if (bars_ != BarLines::none && worth_telling(event, now_ns)) {
    append_whole(pending_, [&] { tell(event); });
  }
}

bool Lines::worth_telling(const Event& event, std::int64_t now_ns) {
  const Bar& bar = *event.bar;
  const std::pair key{event.source.id, bar.id};
  if (bar.state != BarState::running) {
    told_.erase(key);
    return bar.state != BarState::cleared;
  }
  const int now_percent = percent(bar.value, bar.total);
  const auto [entry, is_new] = told_.try_emplace(key, Told{now_ns, now_percent});
  if (is_new) return true;
  Told& told = entry->second;
  const std::int64_t since = now_ns - told.at_ns;
  const bool moved = bar.total != 0 && now_percent >= told.percent + step_percent;
  if (since < heartbeat_ns && !(since >= step_ns && moved)) return false;
  told = {now_ns, now_percent};
  return true;
}

void Lines::tell(const Event& event) {
  const Bar& bar = *event.bar;
  if (bars_ == BarLines::json) return append_json_bar(pending_, event);
  if (bars_ == BarLines::simple) {
    if (bar.state == BarState::running) return;
    if (bar.state == BarState::finished) {
      pending_ += "Progress completed: ";
      append_visible(pending_, bar.description);
      pending_ += fmt::format(" ({})\n", bar.total != 0 ? bar.total : bar.value);
      return;
    }
  }
  append_line_head(pending_, event.time_ns, bar_level(bar.state), {}, event.source, records_.words());
  pending_ += bar_sentence(bar);
  pending_ += '\n';
}

void Lines::draw(std::string& out, std::int64_t /*now_ns*/, Size /*size*/) {
  if (out.empty()) out.swap(pending_);
  else out += pending_;
  pending_.clear();
}

}  // namespace dlog::render
