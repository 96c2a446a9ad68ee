// An event as one line of JSON: see json_line.hpp.
#include "log/render/json_line.hpp"

#include <fmt/format.h>

#include <iterator>

#include "base/civil_time.hpp"
#include "log/event/level_name.hpp"
#include "log/render/bar_words.hpp"
#include "log/render/visible.hpp"

namespace dlog::render {
namespace {

void append_key(std::string& out, std::string_view key) {
  out += out.empty() || out.back() == '\n' ? "{\"" : ",\"";
  out += key;
  out += "\":";
}
void append_text(std::string& out, std::string_view key, std::string_view text) {
  append_key(out, key);
  append_json_string(out, text);
}
void append_number(std::string& out, std::string_view key, std::uint64_t number) {
  append_key(out, key);
  fmt::format_to(std::back_inserter(out), "{}", number);
}

void append_time(std::string& out, std::int64_t time_ns) {
  const CivilTime t = civil_time(time_ns);
  append_key(out, "ts");
  fmt::format_to(std::back_inserter(out), "\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z\"", t.year, t.month, t.day,
                 t.hour, t.minute, t.second, t.nanosecond);
}

void append_speaker(std::string& out, const Source& source) {
  append_text(out, "name", source.name);
  append_number(out, "pid", source.pid);
  if (source.port != 0) append_number(out, "port", source.port);
}

}  // namespace

void append_json_record(std::string& out, const Event& event) {
  const Record& record = *event.record;
  append_time(out, event.time_ns);
  append_text(out, "level", event::long_name(record.level));
  if (record.wire_level > 5) append_number(out, "wire_level", record.wire_level);
  append_speaker(out, event.source);
  append_number(out, "tid", record.thread);
  append_text(out, "msg", record.message);
  if (!record.time_text.empty()) append_text(out, "time", record.time_text);
  append_text(out, "file", record.file);
  append_number(out, "line", record.line);
  out += "}\n";
}

void append_json_bar(std::string& out, const Event& event) {
  const Bar& bar = *event.bar;
  append_time(out, event.time_ns);
  append_text(out, "event", "progress");
  append_speaker(out, event.source);
  append_number(out, "bar", bar.id);
  append_text(out, "description", bar.description);
  append_number(out, "value", bar.value);
  append_number(out, "total", bar.total);
  append_text(out, "state", state_name(bar.state));
  append_text(out, "unit", unit_name(bar.unit));
  if (bar.parent != 0) append_number(out, "parent", bar.parent);
  if (bar.paused) append_key(out, "paused"), out += "true";
  if (!bar.message.empty()) append_text(out, "message", bar.message);
  out += "}\n";
}

}  // namespace dlog::render
