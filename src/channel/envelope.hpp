// What stands in a line, both ways: messages, messages with a handle, and the internal commands of Node's protocol. docs/channel.md has
// the grammar.
//
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "dlog/channel.hpp"

namespace dlog::channel {

enum class LineKind {
  message,
  handle,        // a message that comes with a descriptor
  ack,           // NODE_HANDLE_ACK
  nack,          // NODE_HANDLE_NACK
  get_count,     // NODE_SOCKET_GET_COUNT: how many of the connections that were sent are open?
  notify_close,  // NODE_SOCKET_NOTIFY_CLOSE: tell when none is
  other          // another internal command, or one of these with something missing
};

struct Line {
  LineKind kind = LineKind::message;
  std::unique_ptr<Json> value;           // message, handle: the message; else the command
  HandleKind handle = HandleKind::none;  // none: of no kind that we know
  std::string type;                      // handle: as it came
  std::string key;                       // get_count, notify_close; handle: empty where the sender does not count it
};
// Takes off the envelopes of either dialect.
Line read_line(Json&& value);

// Would Node take it for one of its own?
bool is_internal(const Json& value);

// The JSON text of a message becomes a line, with its end.
std::string message_line(Dialect dialect, std::string&& text);
// `ipv6` and `datagram` are those of the socket.
std::string handle_line(HandleKind kind, bool datagram, bool ipv6, std::string_view text);

inline constexpr std::string_view ack_line = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
inline constexpr std::string_view nack_line = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";
std::string count_line(const std::string& key, std::size_t count);
std::string all_closed_line(const std::string& key);

}  // namespace dlog::channel
