// A record in the console's words:
//   terminal  HH:MM:SS.mmm LVL name[pid]: message
//   plain     YYYY-MM-DD HH:MM:SS.mmm LVL name[pid]: message
//   no time   LVL name[pid]: message
// Pure: the time zone is an argument. Every line ends with a newline.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "dlog/event.hpp"

namespace dlog::render {

struct LineWords {
  bool date = true;
  bool colour = false;
  // Seconds east of Greenwich at a time (Unix seconds). Null: UTC.
  std::int32_t (*utc_offset_s)(std::int64_t unix_s) = nullptr;
  bool time = true;  // false: neither date nor time
};

// What `append` appends to `out` is there whole or not at all: where memory ends on the way, no half line is left behind.
template <class Append>
void append_whole(std::string& out, Append append) {
  const std::size_t before = out.size();
  try {
    append();
  } catch (...) {
    out.resize(before);
    throw;
  }
}

// `name[pid]`, `name` or `child[port]`.
void append_source(std::string& out, const Source& source);

// All that stands before the message. `label` replaces the level's name where it is not empty.
void append_line_head(std::string& out, std::int64_t time_ns, Level level, std::string_view label, const Source& source,
                      const LineWords& words);

// `event.record` must be set.
void append_record_line(std::string& out, const Event& event, const LineWords& words);

// The same, and quicker: most records differ from an earlier one of their source and level in their last digits and their message.
class RecordLines {
 public:
  explicit RecordLines(LineWords words) : words_(words) {}
  void append(std::string& out, const Event& event);
  const LineWords& words() const noexcept { return words_; }

 private:
  // A head that was written, and of whom.
  struct Head {
    std::uint64_t source_id = 0;
    std::uint32_t pid = 0;
    std::uint16_t port = 0;
    Level level = Level::off;  // none is of this level
    std::int64_t second = 0;
    std::string name{};
    std::string text{};
    std::size_t ms_at = 0;  // where the milliseconds stand in it
    bool fits(const Event& event, std::int64_t at_second) const noexcept;
  };
  void renew(Head& head, const Event& event, std::int64_t second);

  LineWords words_;
  std::array<Head, 64> heads_;  // by source and level, the latest of each place
};

}  // namespace dlog::render
