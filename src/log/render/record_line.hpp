// A record in the console's words:
//   terminal  HH:MM:SS.mmm LVL name[pid]: message
//   plain     YYYY-MM-DD HH:MM:SS.mmm LVL name[pid]: message
// Pure: the time zone is an argument. Every line ends with a newline.
#pragma once

#include <cstdint>
#include <string>

#include "dlog/event.hpp"

namespace dlog::render {

struct LineWords {
  bool date = true;
  bool colour = false;
  // Seconds east of Greenwich at a time (Unix seconds). Null: UTC.
  std::int32_t (*utc_offset_s)(std::int64_t unix_s) = nullptr;
};

// `name[pid]`, `name` or `child[port]`.
void append_source(std::string& out, const Source& source);

// All that stands before the message. `label` replaces the level's name where it is not empty.
void append_line_head(std::string& out, std::int64_t time_ns, Level level, std::string_view label, const Source& source,
                      const LineWords& words);

// `event.record` must be set.
void append_record_line(std::string& out, const Event& event, const LineWords& words);

}  // namespace dlog::render
