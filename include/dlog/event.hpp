// What a sink is handed: a record, or a change of a progress bar, of this process or of a child.
//
// Lifetimes: every view points into the log thread's buffers and is valid during Sink::accept() only. Text is as the
// program or the child gave it: it may hold control bytes and, from a child, bytes that are not UTF-8; escape it before
// showing it.
#pragma once

#include <cstdint>
#include <string_view>

#include "dlog/level.hpp"

namespace dlog {

// Who speaks. `id` is 0 for this process; each connection has another, never used twice.
struct Source {
  std::uint64_t id = 0;
  std::string_view
      name{};  // the program's file name or DLOG_NAME; "child" for a process that did not say; "dlog" for notices
  std::uint32_t pid = 0;   // 0: not known
  std::uint16_t port = 0;  // the peer's TCP port; 0: this process
};

struct Record {
  Level level = Level::info;
  std::uint8_t wire_level =
      0;  // the level's number as it came; above 5 (`level` is then fatal) it is none that we know
  std::string_view message{};
  std::string_view
      time_text{};           // a child's timestamp that could not be read; Event::time_ns is then the time of arrival
  std::uint64_t thread = 0;  // 0: not known
  std::string_view file{};   // empty: not known
  std::string_view function{};  // as std::source_location names it
  std::uint32_t line = 0;
  bool notice = false;  // dlog itself speaks
};

enum class Unit { items, bytes, bytes_iec, seconds };
enum class BarState : std::uint8_t { running, finished, failed, abandoned, orphaned, cleared };

// A bar's whole state after a change; its key is (Source::id, Bar::id).
struct Bar {
  std::uint64_t id = 0;
  BarState state = BarState::running;
  bool created = false;  // the first event of this bar
  std::string_view description{};
  std::string_view message{};  // the reason, where state is failed
  std::uint64_t value = 0;
  std::uint64_t total = 0;  // 0: not known
  Unit unit = Unit::items;
  std::uint64_t parent = 0;         // the bar of the same source that this one is a part of; 0: of none
  bool paused = false;              // it waits: time that passes now counts neither for its rate nor as elapsed
  std::uint32_t estimate = 0;       // another number: its rate and the time left are to be estimated anew from here
  std::string_view bar_template{};  // how its row looks; empty: as the console's settings say
};

// Exactly one of `record` and `bar` is set.
struct Event {
  std::int64_t time_ns = 0;  // nanoseconds since 1970, UTC
  Source source{};
  const Record* record = nullptr;
  const Bar* bar = nullptr;
};

}  // namespace dlog
