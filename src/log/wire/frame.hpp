// The frames of the wire in words. The grammar is in docs/wire.md.
// Lifetimes: texts belong to whoever made the frame; those of a decoded frame to the decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

namespace dlog::wire {

// Version 1, the seed protocol.
struct LogFrame {
  std::uint8_t level;
  std::string_view message;
  std::string_view time;
};
struct CreateFrame {
  std::uint64_t id;
  std::string_view description;
  std::uint64_t total;
};
struct PushFrame {
  std::uint64_t id;
  std::uint64_t value;
};
struct FinishFrame {
  std::uint64_t id;
};

// Version 2, between two of ours.
struct HelloFrame {
  std::uint16_t version;
  std::uint32_t pid;
  std::string_view name;
  std::string_view token;  // of DLOG_PIPE_ID
};
// A place in the source, which records name by its number.
struct SiteFrame {
  std::uint32_t number;
  std::uint32_t line;
  std::string_view file;
  std::string_view function;
};
struct RecordFrame {
  std::uint8_t flags;  // record_is_notice
  std::uint8_t level;
  std::uint32_t site;  // 0: not known
  std::uint64_t thread;
  std::int64_t time_ns;
  std::string_view message;
};
// A bar's whole state.
struct BarStateFrame {
  std::uint64_t id;
  std::uint64_t parent;  // 0: of none
  std::uint8_t state;    // as BarState
  std::uint8_t flags;    // bar_is_paused
  std::uint8_t unit;     // as Unit
  std::uint32_t estimate;
  std::int64_t time_ns;
  std::uint64_t value;
  std::uint64_t total;
  std::string_view description;
  std::string_view message;
  std::string_view bar_template;
};

// Asks to be told when all that stands before it was written.
struct FlushFrame {
  std::uint8_t flags;     // flush_is_last
  std::uint64_t number;   // comes back with the answer
  std::uint64_t records;  // that were sent on this connection, notices and all
};
// Asks to be told once when there is news.
struct WatchFrame {};

// What a parent answers.
struct FlushedFrame {
  std::uint64_t number;
  std::uint64_t records;  // of this connection that were read
  std::uint64_t lost;     // of these: could not be written
};
struct NewsFrame {
  std::uint8_t flags;  // news_is_last
  std::uint8_t level;  // the lowest that the parent shows; 6: none
  std::uint64_t records;
  std::uint64_t lost;
};

// A type that this decoder does not know: skipped by its length.
struct UnknownFrame {
  std::uint8_t type;
  std::size_t bytes;
};
using Frame = std::variant<LogFrame, CreateFrame, PushFrame, FinishFrame, HelloFrame, SiteFrame, RecordFrame,
                           BarStateFrame, FlushFrame, WatchFrame, FlushedFrame, NewsFrame, UnknownFrame>;

}  // namespace dlog::wire
