// Frames as bytes: pure functions that append them.
//
// Text is cut so that its frame stays within frame_bytes_max. In the seed's frames it must be valid UTF-8: a seed parent closes
// the connection on anything else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "log/wire/frame.hpp"

namespace dlog::wire {

using Bytes = std::vector<std::byte>;

void append_log(Bytes& out, std::uint8_t level, std::string_view message, std::string_view time);
void append_create(Bytes& out, std::uint64_t id, std::string_view description, std::uint64_t total);
void append_push(Bytes& out, std::uint64_t id, std::uint64_t value);
void append_finish(Bytes& out, std::uint64_t id);

// Version 2: never to be sent to a parent that did not announce that it speaks it.
void append(Bytes& out, const HelloFrame& frame);
void append(Bytes& out, const SiteFrame& frame);
void append(Bytes& out, const RecordFrame& frame);
void append(Bytes& out, const BarStateFrame& frame);
void append(Bytes& out, const FlushFrame& frame);
void append(Bytes& out, const WatchFrame& frame);

// What a parent answers, and only then.
void append(Bytes& out, const FlushedFrame& frame);
void append(Bytes& out, const NewsFrame& frame);

// `YYYY-MM-DDTHH:MM:SS.mmmZ`: UTC, exactly three decimals. A seed parent closes the connection on anything else.
std::string timestamp(std::int64_t time_ns);

}  // namespace dlog::wire
