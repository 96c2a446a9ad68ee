// JSON values as text and back: the only place where either is done, so that its limits hold everywhere.
//
// Pure; any thread. Errors are values; nothing is thrown but for want of memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "dlog/channel.hpp"

namespace dlog::channel {

// A value nested deeper costs the stack of whoever copies or writes it.
inline constexpr std::size_t json_depth_max = 64;

// One JSON value and nothing behind it. Refused: no JSON, no UTF-8, nested deeper than json_depth_max, the same key twice in an object,
// a number that no double can hold, half a surrogate pair.
Expected<Json> parse_json(std::string_view text);

// On one line. Refused: text that is no UTF-8, nested deeper than json_depth_max, bytes, which have no JSON. A number that is none is null,
// as in JavaScript.
// `levels_around`: how deep it will stand in a line.
Expected<std::string> json_text(const Json& value, std::size_t levels_around = 0);

}  // namespace dlog::channel
