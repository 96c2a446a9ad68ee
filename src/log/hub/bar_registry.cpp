// The progress bars of this process: see bar_registry.hpp.
#include "log/hub/bar_registry.hpp"

#include <exception>

namespace dlog::hub {

BarFigures BarCell::figures() const noexcept {
  return {value.load(std::memory_order_relaxed), total.load(std::memory_order_relaxed),
          unit.load(std::memory_order_relaxed), paused.load(std::memory_order_relaxed),
          estimate.load(std::memory_order_relaxed)};
}

Bar BarRegistry::Live::bar(BarState state) const noexcept {
  Bar bar;
  bar.id = cell->id;
  bar.state = state;
  bar.description = cell->description;
  bar.message = texts.message;
  bar.value = figures.value;
  bar.total = figures.total;
  bar.unit = figures.unit;
  bar.parent = cell->parent;
  bar.paused = figures.paused;
  bar.estimate = figures.estimate;
  bar.bar_template = texts.bar_template;
  return bar;
}

void BarRegistry::apply(const BarChange& change, const Tell& tell) {
  const auto [entry, is_new] = live_.try_emplace(change.cell->id);
  Live& live = entry->second;
  live = {change.cell, change.texts, 0, change.figures};
  Bar bar = live.bar(change.state);
  bar.created = is_new && change.state == BarState::running;
  tell(bar);
  if (change.state != BarState::running) live_.erase(entry);
}

void BarRegistry::sample(const Tell& tell) {
  for (auto& [id, live] : live_) {
    const BarFigures figures = live.cell->figures();
    const std::uint32_t texts_version = live.cell->texts_version.load(std::memory_order_acquire);
    if (figures == live.figures && texts_version == live.texts_version) continue;
    // After the end, the last state is on its way through the queue.
    if (live.cell->ended.load(std::memory_order_acquire)) continue;
    if (texts_version != live.texts_version) {
      const std::lock_guard lock(live.cell->mutex);
      live.texts = live.cell->texts;
      live.texts_version = texts_version;
    }
    live.figures = figures;
    tell(live.bar(BarState::running));
  }
}

void BarRegistry::end_all(const Tell& tell) {
  for (auto& [id, live] : live_) {
    if (live.cell->ended.exchange(true)) continue;  // its end is on its way through the queue
    try {
      const std::lock_guard lock(live.cell->mutex);
      live.texts = live.cell->texts;
    } catch (const std::exception&) {
      // No memory: with the texts that were sampled last.
    }
    live.figures = live.cell->figures();
    tell(live.bar(BarState::abandoned));
  }
  std::erase_if(live_, [](const auto& entry) { return entry.second.cell->ended.load(); });
}

}  // namespace dlog::hub
