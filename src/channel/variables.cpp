// The environment variables that tell a child of its channel: see variables.hpp.
#include "channel/variables.hpp"

#include <array>
#include <climits>
#include <string_view>

#include "base/number.hpp"
#include "os/environment.hpp"

namespace dlog::channel {
namespace {

constexpr const char* node_fd = "NODE_CHANNEL_FD";
constexpr const char* node_mode = "NODE_CHANNEL_SERIALIZATION_MODE";
constexpr const char* deka_enabled = "DEKA_IPC_ENABLED";
constexpr const char* deka_fd = "DEKA_IPC_FD";
constexpr std::array<std::string_view, 4> names{node_fd, node_mode, deka_enabled, deka_fd};

Expected<Announced> announced(const char* name, const std::string& text, Dialect dialect) {
  const std::optional<std::uint64_t> fd = parse_unsigned(text);
  if (!fd || *fd > INT_MAX)
    return Error{ErrorCode::bad_environment, std::string(name) + "=" + text + " is no descriptor"};
  return Announced{static_cast<int>(*fd), dialect};
}

}  // namespace

Expected<Announced> read_variables() {
  if (const std::optional<std::string> fd = os::environment(node_fd)) {
    const std::string mode = os::environment(node_mode).value_or("json");
    if (mode != "json")
      return Error{ErrorCode::bad_environment, std::string(node_mode) + "=" + mode + ": only json is spoken here"};
    return announced(node_fd, *fd, Dialect::node);
  }
  const std::optional<std::string> enabled = os::environment(deka_enabled);
  const std::optional<std::string> fd = os::environment(deka_fd);
  if (enabled && *enabled == "1" && fd) return announced(deka_fd, *fd, Dialect::deka);
  if (enabled && *enabled == "1")
    return Error{ErrorCode::bad_environment, std::string(deka_enabled) + "=1, but no " + deka_fd};
  return Error{ErrorCode::no_channel, std::string("neither ") + node_fd + " nor " + deka_enabled + "=1 is set"};
}

bool remove_variables() noexcept { return os::remove_from_environment(names); }

std::vector<std::pair<std::string, std::optional<std::string>>> variables_for(Dialect dialect, int fd) {
  std::vector<std::pair<std::string, std::optional<std::string>>> variables;
  for (const std::string_view name : names) variables.emplace_back(name, std::nullopt);
  if (dialect == Dialect::node) {
    variables.emplace_back(node_fd, std::to_string(fd));
    variables.emplace_back(node_mode, "json");
  } else {
    variables.emplace_back(deka_enabled, "1");
    variables.emplace_back(deka_fd, std::to_string(fd));
  }
  return variables;
}

}  // namespace dlog::channel
