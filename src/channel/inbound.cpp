// The receiving half of a channel: see inbound.hpp.
#include "channel/inbound.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "channel/envelope.hpp"
#include "channel/json_text.hpp"
#include "os/message_socket.hpp"

namespace dlog::channel {
namespace {

constexpr std::size_t shown_bytes_max = 64;

// The beginning of what came, for an error's reason: nothing in it can disturb a terminal.
std::string shown(std::string_view line) {
  std::string out;
  for (const char byte : line.substr(0, shown_bytes_max)) out.push_back(byte >= ' ' && byte <= '~' ? byte : '?');
  if (line.size() > shown_bytes_max) out.append("...");
  return out;
}

// Can it be used as what its sender calls it? A server may be bound only: Node's cluster sends such.
bool fits(HandleKind kind, const os::SocketKind& socket) {
  using Type = os::SocketKind::Type;
  switch (kind) {
    case HandleKind::server: return socket.type == Type::listening || socket.type == Type::stream;
    case HandleKind::socket: return socket.type == Type::stream;
    case HandleKind::datagram: return socket.type == Type::datagram;
    case HandleKind::native: return socket.type != Type::none;
    case HandleKind::none: return false;
  }
  return false;
}

}  // namespace

void Inbound::take(std::string_view bytes, std::vector<os::Descriptor>& descriptors, bool lost, Receiver& receiver) {
  receiver_ = &receiver;
  const std::uint64_t from = lines_.bytes_taken();
  for (os::Descriptor& descriptor : descriptors) {
    if (waiting_.size() < os::descriptors_max) {
      waiting_.push_back({std::move(descriptor), from, from + bytes.size()});
    } else {
      tell_stray();  // of more than one message wants
    }
  }
  descriptors.clear();
  if (lost)
    receiver.take_error(
        {ErrorCode::handle_lost, "a descriptor did not arrive: too many at once, or too many open here"});
  lines_.take(bytes, *this);
}

void Inbound::end(Receiver& receiver) {
  receiver_ = &receiver;
  if (lines_.unfinished_bytes() > 0)
    receiver.take_error({ErrorCode::half_message, "the other side ended " + std::to_string(lines_.unfinished_bytes()) +
                                                      " bytes into a message"});
  close_strays(lines_.bytes_taken() + 1);
}

void Inbound::take_line(std::string_view line, std::uint64_t ends_at) {
  line_ends_at_ = ends_at;
  line_bytes_ = line.size();
  Expected<Json> value = parse_json(line);
  if (!value) {
    receiver_->take_error({value.error().code, value.error().reason + ", in: " + shown(line)});
    close_lost(ends_at);
    return;
  }
  Line read = read_line(std::move(*value));
  switch (read.kind) {
    case LineKind::message: receiver_->take_message(std::move(*read.value)); break;
    case LineKind::handle: take_handle_line(std::move(*read.value), read.handle, read.type, read.key); break;
    case LineKind::ack: receiver_->take_answer(true); break;
    case LineKind::nack: receiver_->take_answer(false); break;
    case LineKind::get_count: receiver_->take_count_question(read.key); break;
    case LineKind::notify_close: receiver_->take_close_question(read.key); break;
    case LineKind::other:
      receiver_->take_error(
          {ErrorCode::unexpected_command, "an internal command that is unknown or not whole: " + shown(line)});
      break;
  }
  close_strays(ends_at);
}

void Inbound::take_handle_line(Json&& message, HandleKind kind, const std::string& type, const std::string& key) {
  const bool has_one = !waiting_.empty() && waiting_.front().from < line_ends_at_;
  os::Descriptor descriptor;
  if (has_one) {
    descriptor = std::move(waiting_.front().descriptor);
    waiting_.pop_front();
  }
  if (kind != HandleKind::none && descriptor && fits(kind, os::socket_kind(descriptor.get()))) {
    receiver_->take_handle(std::move(message), {kind, std::move(descriptor), key});
    return;
  }
  std::string reason = "a handle of type " + shown(type);
  if (kind == HandleKind::none) {
    reason += " is of no known kind";
  } else {
    reason += descriptor ? " came with a descriptor of another kind" : " came without its descriptor";
  }
  receiver_->take_error({ErrorCode::handle_lost, std::move(reason)});
  receiver_->refuse_handle();
}

void Inbound::take_long_line(std::uint64_t) {
  receiver_->take_error(
      {ErrorCode::message_too_long, "longer than " + std::to_string(line_bytes_max_) + " bytes: skipped"});
}

void Inbound::long_line_ends(std::uint64_t ends_at) { close_lost(ends_at); }

// Of a line that could not be read: its sender waits for an answer to the handle.
void Inbound::close_lost(std::uint64_t ends_at) {
  if (close_strays(ends_at) > 0) receiver_->refuse_handle();
}

void Inbound::tell_stray() {
  receiver_->take_error({ErrorCode::stray_descriptor, "a descriptor came with no message that wants it: closed"});
}

std::size_t Inbound::close_strays(std::uint64_t ends_at) {
  std::size_t closed = 0;
  for (; !waiting_.empty() && waiting_.front().upto <= ends_at; ++closed) {
    waiting_.pop_front();
    tell_stray();
  }
  return closed;
}

}  // namespace dlog::channel
