// A record in the console's words: see record_line.hpp.
#include "log/render/record_line.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "base/civil_time.hpp"
#include "log/event/level_name.hpp"
#include "log/render/theme.hpp"
#include "log/render/visible.hpp"

namespace dlog::render {
namespace {

void append_time(std::string& out, std::int64_t time_ns, const LineWords& words) {
  const std::int32_t offset = words.utc_offset_s == nullptr ? 0 : words.utc_offset_s(time_ns / ns_per_second);
  const CivilTime t = civil_time(time_ns, offset);
  const auto to = std::back_inserter(out);
  if (words.date) fmt::format_to(to, "{:04}-{:02}-{:02} ", t.year, t.month, t.day);
  fmt::format_to(to, "{:02}:{:02}:{:02}.{:03} ", t.hour, t.minute, t.second, t.nanosecond / ns_per_ms);
}

}  // namespace

void append_source(std::string& out, const Source& source) {
  append_visible(out, source.name);
  const std::uint32_t number = source.pid != 0 ? source.pid : source.port;
  if (number != 0) fmt::format_to(std::back_inserter(out), "[{}]", number);
}

void append_line_head(std::string& out, std::int64_t time_ns, Level level, std::string_view label, const Source& source,
                      const LineWords& words) {
  if (words.time) append_time(out, time_ns, words);
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

bool RecordLines::Head::fits(const Event& event, std::int64_t at_second) const noexcept {
  const Source& source = event.source;
  return second == at_second && level == event.record->level && source_id == source.id && pid == source.pid &&
         port == source.port && name == source.name;
}

void RecordLines::renew(Head& head, const Event& event, std::int64_t second) {
  head.level = Level::off;  // in case of an exception on the way
  head.text.clear();
  append_line_head(head.text, event.time_ns, event.record->level, {}, event.source, words_);
  head.ms_at = words_.date ? std::string_view("YYYY-MM-DD hh:mm:ss.").size() : std::string_view("hh:mm:ss.").size();
  head.name = event.source.name;
  head.source_id = event.source.id;
  head.pid = event.source.pid;
  head.port = event.source.port;
  head.second = second;
  head.level = event.record->level;
}

void RecordLines::append(std::string& out, const Event& event) {
  const Record& record = *event.record;
  const bool usual = event.time_ns >= 0 && record.wire_level <= 5 && record.time_text.empty();
  if (!usual) return append_record_line(out, event, words_);

  const std::int64_t second = event.time_ns / ns_per_second;
  const auto place = (event.source.id * 8 + static_cast<std::uint64_t>(record.level)) % heads_.size();
  Head& head = heads_[place];
  if (!head.fits(event, second)) renew(head, event, second);
  if (words_.time) {
    const auto ms = static_cast<unsigned>((event.time_ns - second * ns_per_second) / ns_per_ms);
    char* digits = head.text.data() + head.ms_at;
    digits[0] = static_cast<char>('0' + ms / 100);
    digits[1] = static_cast<char>('0' + ms / 10 % 10);
    digits[2] = static_cast<char>('0' + ms % 10);
  }
  out += head.text;
  append_visible_lines(out, record.message);
  out += '\n';
}

}  // namespace dlog::render
