// The progress bars of this process: see bar_registry.hpp.
#include "log/hub/bar_registry.hpp"

namespace dlog::hub {

void BarRegistry::apply(const BarChange& change, const Tell& tell) {
  const auto [entry, is_new] = live_.try_emplace(change.cell->id);
  Live& live = entry->second;
  live = {change.cell, change.message, 0, change.value, change.total, change.unit};

  Bar bar;
  bar.id = change.cell->id;
  bar.state = change.state;
  bar.created = is_new && change.state == BarState::running;
  bar.description = change.cell->description;
  bar.message = live.message;
  bar.value = change.value;
  bar.total = change.total;
  bar.unit = change.unit;
  tell(bar);
  if (change.state != BarState::running) live_.erase(entry);
}

void BarRegistry::sample(const Tell& tell) {
  for (auto& [id, live] : live_) {
    const std::uint64_t value = live.cell->value.load(std::memory_order_relaxed);
    const std::uint64_t total = live.cell->total.load(std::memory_order_relaxed);
    const Unit unit = live.cell->unit.load(std::memory_order_relaxed);
    const std::uint32_t message_version = live.cell->message_version.load(std::memory_order_acquire);
    if (value == live.value && total == live.total && unit == live.unit && message_version == live.message_version)
      continue;
    // After the end, the last state is on its way through the queue.
    if (live.cell->ended.load(std::memory_order_acquire)) continue;
    if (message_version != live.message_version) {
      const std::lock_guard lock(live.cell->mutex);
      live.message = live.cell->message;
      live.message_version = message_version;
    }
    live.value = value;
    live.total = total;
    live.unit = unit;
    tell({id, BarState::running, false, live.cell->description, live.message, value, total, unit});
  }
}

void BarRegistry::end_all(const Tell& tell) {
  for (auto& [id, live] : live_) {
    if (live.cell->ended.exchange(true)) continue;  // its end is on its way through the queue
    {
      const std::lock_guard lock(live.cell->mutex);
      live.message = live.cell->message;
    }
    tell({id, BarState::abandoned, false, live.cell->description, live.message,
          live.cell->value.load(std::memory_order_relaxed), live.cell->total.load(std::memory_order_relaxed),
          live.cell->unit.load(std::memory_order_relaxed)});
  }
  std::erase_if(live_, [](const auto& entry) { return entry.second.cell->ended.load(); });
}

}  // namespace dlog::hub
