// What stands in a line: see envelope.hpp.
#include "channel/envelope.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace dlog::channel {
namespace {

constexpr std::string_view internal_prefix = "NODE_";
constexpr std::string_view handle_command = "NODE_HANDLE";

struct TypeName {
  std::string_view name;
  HandleKind kind;
};
constexpr std::array<TypeName, 5> type_names{{{"net.Server", HandleKind::server},
                                              {"net.Socket", HandleKind::socket},
                                              {"dgram.Socket", HandleKind::datagram},
                                              {"net.Native", HandleKind::native},
                                              {"dgram.Native", HandleKind::native}}};

HandleKind kind_of(std::string_view type) {
  for (const TypeName& known : type_names)
    if (known.name == type) return known.kind;
  return HandleKind::none;
}

// A text under this name; null: there is none.
const std::string* text_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

std::string quoted(const std::string& text) { return Json(text).dump(); }

Line line_of(LineKind kind, Json&& value) {
  Line line;
  line.kind = kind;
  line.value = std::make_unique<Json>(std::move(value));
  return line;
}

Line read_handle(Json&& value, const std::string& type) {
  // Node sends again what was not acknowledged as a bare handle, with the first envelope for its message.
  const auto inner = value.find("msg");
  if (inner == value.end()) return line_of(LineKind::other, std::move(value));
  if (kind_of(type) == HandleKind::native && is_internal(*inner) && *text_at(*inner, "cmd") == handle_command) {
    if (const std::string* inner_type = text_at(*inner, "type")) {
      const std::string copy = *inner_type;
      return read_handle(Json(std::move(*inner)), copy);
    }
  }
  Line line = line_of(LineKind::handle, Json());
  line.type = type;
  line.handle = kind_of(type);
  if (const std::string* key = text_at(value, "key")) line.key = *key;
  *line.value = std::move(*inner);
  return line;
}

}  // namespace

bool is_internal(const Json& value) {
  if (!value.is_object()) return false;
  const std::string* command = text_at(value, "cmd");
  return command != nullptr && command->size() > internal_prefix.size() && command->starts_with(internal_prefix);
}

Line read_line(Json&& value) {
  if (!is_internal(value)) return line_of(LineKind::message, std::move(value));
  const std::string command = *text_at(value, "cmd");
  if (command == handle_command) {
    if (const std::string* type = text_at(value, "type")) {
      const std::string copy = *type;
      return read_handle(std::move(value), copy);
    }
    const auto inner = value.find("msg");
    if (inner == value.end() || (value.contains("type") && !value["type"].is_null()))
      return line_of(LineKind::other, std::move(value));
    return line_of(LineKind::message, Json(std::move(*inner)));
  }
  if (command == "NODE_HANDLE_ACK") return line_of(LineKind::ack, std::move(value));
  if (command == "NODE_HANDLE_NACK") return line_of(LineKind::nack, std::move(value));
  const bool counts = command == "NODE_SOCKET_GET_COUNT";
  if (counts || command == "NODE_SOCKET_NOTIFY_CLOSE") {
    if (const std::string* key = text_at(value, "key")) {
      const std::string copy = *key;
      Line line = line_of(counts ? LineKind::get_count : LineKind::notify_close, std::move(value));
      line.key = copy;
      return line;
    }
  }
  return line_of(LineKind::other, std::move(value));
}

std::string message_line(Dialect dialect, std::string&& text) {
  if (dialect == Dialect::node) return std::move(text.append("\n"));
  return std::string("{\"cmd\":\"NODE_HANDLE\",\"msg\":").append(text).append("}\n");
}

std::string handle_line(HandleKind kind, bool datagram, bool ipv6, std::string_view text) {
  std::string_view type;
  for (const TypeName& known : type_names)
    if (known.kind == kind) {
      type = known.name;
      if (!datagram) break;  // of the two native ones the last is for datagrams
    }
  std::string line = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"";
  line.append(type).append("\",\"msg\":").append(text);
  if (kind == HandleKind::datagram) line.append(ipv6 ? ",\"dgramType\":\"udp6\"" : ",\"dgramType\":\"udp4\"");
  return line.append("}\n");
}

std::string count_line(const std::string& key, std::size_t count) {
  return "{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":" + quoted(key) + ",\"count\":" + std::to_string(count) + "}\n";
}

std::string all_closed_line(const std::string& key) {
  return "{\"cmd\":\"NODE_SOCKET_ALL_CLOSED\",\"key\":" + quoted(key) + "}\n";
}

}  // namespace dlog::channel
