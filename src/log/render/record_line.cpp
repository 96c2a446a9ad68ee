// A record in the console's words: see record_line.hpp.
#include "log/render/record_line.hpp"

#include <fmt/format.h>

#include <iterator>

#include "base/civil_time.hpp"
#include "log/event/level_name.hpp"
#include "log/render/theme.hpp"
#include "log/render/visible.hpp"

namespace dlog::render {

void append_source(std::string& out, const Source& source) {
  append_visible(out, source.name);
  const std::uint32_t number = source.pid != 0 ? source.pid : source.port;
  if (number != 0) fmt::format_to(std::back_inserter(out), "[{}]", number);
}

void append_line_head(std::string& out, std::int64_t time_ns, Level level, std::string_view label, const Source& source,
                      const LineWords& words) {
  const std::int32_t offset = words.utc_offset_s == nullptr ? 0 : words.utc_offset_s(time_ns / ns_per_second);
  const CivilTime t = civil_time(time_ns, offset);
  const auto to = std::back_inserter(out);
  if (words.date) fmt::format_to(to, "{:04}-{:02}-{:02} ", t.year, t.month, t.day);
  fmt::format_to(to, "{:02}:{:02}:{:02}.{:03} ", t.hour, t.minute, t.second, t.nanosecond / ns_per_ms);
  const std::string_view colour = colour_of(level, words.colour);
  out += colour;
  out += label.empty() ? event::short_name(level) : label;
  if (!colour.empty()) out += colour_end;
  out += ' ';
  append_source(out, source);
  out += ": ";
}

void append_record_line(std::string& out, const Event& event, const LineWords& words) {
  const Record& record = *event.record;
  // A level that came as a number we do not know is shown as that number.
  const std::string label = record.wire_level > 5 ? fmt::format("L{:<2}", record.wire_level) : std::string();
  append_line_head(out, event.time_ns, record.level, label, event.source, words);
  append_visible_lines(out, record.message);
  if (!record.time_text.empty()) {
    out += " [time: ";
    append_visible(out, record.time_text);
    out += ']';
  }
  out += '\n';
}

}  // namespace dlog::render
