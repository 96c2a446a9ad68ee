// Events for tests: see events.hpp.
#include "support/events.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace dlog::test {

Told copy_of(const Event& event) {
  if ((event.record == nullptr) == (event.bar == nullptr)) throw std::logic_error("an event is a record or a bar");
  Told told;
  told.time_ns = event.time_ns;
  told.source_id = event.source.id;
  told.name = event.source.name;
  told.pid = event.source.pid;
  told.port = event.source.port;
  if (event.record != nullptr) {
    const Record& record = *event.record;
    told.level = record.level;
    told.wire_level = record.wire_level;
    told.message = record.message;
    told.time_text = record.time_text;
    told.thread = record.thread;
    told.file = record.file;
    told.function = record.function;
    told.line = record.line;
    told.notice = record.notice;
    return told;
  }
  const Bar& bar = *event.bar;
  told.is_bar = true;
  told.bar = bar.id;
  told.state = bar.state;
  told.created = bar.created;
  told.description = bar.description;
  told.message = bar.message;
  told.value = bar.value;
  told.total = bar.total;
  told.unit = bar.unit;
  told.parent = bar.parent;
  told.paused = bar.paused;
  told.estimate = bar.estimate;
  told.bar_template = bar.bar_template;
  return told;
}

std::string words_of(const Told& told) {
  if (told.is_bar) {
    static constexpr const char* states[] = {"running", "finished", "failed", "abandoned", "orphaned", "cleared"};
    std::string out = fmt::format("bar {} of {}: {}{} {}/{} {}", told.bar, told.name, told.created ? "created " : "",
                                  states[static_cast<unsigned>(told.state)], told.value, told.total, told.description);
    if (!told.message.empty()) out += fmt::format(" ({})", told.message);
    return out;
  }
  static constexpr const char* levels[] = {"TRC", "DBG", "INF", "WRN", "ERR", "FTL", "OFF"};
  const std::string level = told.wire_level > 5 ? fmt::format("L{}", told.wire_level)
                                                : std::string(levels[static_cast<unsigned>(told.level)]);
  std::string out = fmt::format("{} {}{}: {}", level, told.name, told.notice ? " (notice)" : "", told.message);
  if (!told.time_text.empty()) out += fmt::format(" [time: {}]", told.time_text);
  return out;
}

std::vector<std::string> words_of(const std::vector<Told>& told) {
  std::vector<std::string> out;
  for (const Told& each : told) out.push_back(words_of(each));
  return out;
}

}  // namespace dlog::test
