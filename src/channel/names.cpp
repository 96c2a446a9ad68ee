// The names of errors and of kinds of handles: see dlog/channel.hpp.
#include "dlog/channel.hpp"

namespace dlog::channel {

const char* to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::no_channel: return "no_channel";
    case ErrorCode::bad_environment: return "bad_environment";
    case ErrorCode::system: return "system";
    case ErrorCode::not_connected: return "not_connected";
    case ErrorCode::queue_full: return "queue_full";
    case ErrorCode::bad_value: return "bad_value";
    case ErrorCode::bad_message: return "bad_message";
    case ErrorCode::message_too_long: return "message_too_long";
    case ErrorCode::half_message: return "half_message";
    case ErrorCode::unexpected_command: return "unexpected_command";
    case ErrorCode::stray_descriptor: return "stray_descriptor";
    case ErrorCode::handle_lost: return "handle_lost";
    case ErrorCode::timed_out: return "timed_out";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::refused: return "refused";
  }
  return "unknown";
}

const char* to_string(HandleKind kind) noexcept {
  switch (kind) {
    case HandleKind::none: return "none";
    case HandleKind::server: return "server";
    case HandleKind::socket: return "socket";
    case HandleKind::datagram: return "datagram";
    case HandleKind::native: return "native";
  }
  return "unknown";
}

}  // namespace dlog::channel
