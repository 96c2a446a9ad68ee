// Events for tests: builders, and copies that outlive the call that brought them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dlog/event.hpp"

namespace dlog::test {

// 2026-11-21T04:16:40.727123456Z
inline constexpr std::int64_t noted_ns = 1'795'234'600'727'123'456;

inline constexpr Source own{0, "prog", 4711, 0};
inline constexpr Source own_notice{0, "dlog", 4711, 0};
inline constexpr Source child{7, "child", 0, 40'001};
inline constexpr Source other_child{8, "child", 0, 40'002};

// The record or bar must outlive the event.
inline Event event_of(const Record& record, const Source& source = own, std::int64_t time_ns = noted_ns) {
  return {time_ns, source, &record, nullptr};
}
inline Event event_of(const Bar& bar, const Source& source = own, std::int64_t time_ns = noted_ns) {
  return {time_ns, source, nullptr, &bar};
}

inline Record record(std::string_view message, Level level = Level::info) {
  Record out;
  out.level = level;
  out.wire_level = static_cast<std::uint8_t>(level);
  out.message = message;
  return out;
}
inline Bar bar(std::uint64_t id, BarState state, std::uint64_t value, std::uint64_t total,
               std::string_view description) {
  Bar out;
  out.id = id;
  out.state = state;
  out.description = description;
  out.value = value;
  out.total = total;
  return out;
}
inline Bar running(std::uint64_t id, std::uint64_t value, std::uint64_t total, std::string_view description) {
  return bar(id, BarState::running, value, total, description);
}

// An event with texts of its own.
struct Told {
  std::int64_t time_ns = 0;
  std::uint64_t source_id = 0;
  std::string name{};
  std::uint32_t pid = 0;
  std::uint16_t port = 0;
  bool is_bar = false;

  Level level = Level::off;
  unsigned wire_level = 0;
  std::string message{};  // of a record or of a bar
  std::string time_text{};
  std::uint64_t thread = 0;
  std::string file{};
  std::string function{};
  std::uint32_t line = 0;
  bool notice = false;

  std::uint64_t bar = 0;
  BarState state = BarState::running;
  bool created = false;
  std::string description{};
  std::uint64_t value = 0;
  std::uint64_t total = 0;
  Unit unit = Unit::items;
  std::uint64_t parent = 0;
  bool paused = false;
  std::uint32_t estimate = 0;
  std::string bar_template{};
};
Told copy_of(const Event& event);

// An event in few words, for assertions:
//   INF prog: text            L9 child: text [time: x]            WRN dlog (notice): text
//   bar 5 of prog: created running 0/10 Reading                   bar 5 of child: failed 3/10 Reading (404)
std::string words_of(const Told& told);
std::vector<std::string> words_of(const std::vector<Told>& told);

}  // namespace dlog::test
