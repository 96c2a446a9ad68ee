// Connections that came here, by their servers: see open_sockets.hpp.
#include "channel/open_sockets.hpp"

namespace dlog::channel {

std::size_t OpenSockets::remove(const std::string& key) {
  const auto server = servers_.find(key);
  if (server == servers_.end()) return 0;
  if (--server->second.open > 0) return 0;
  const std::size_t asked = server->second.asked;
  servers_.erase(server);
  return asked;
}

std::size_t OpenSockets::count(const std::string& key) const {
  const auto server = servers_.find(key);
  return server == servers_.end() ? 0 : server->second.open;
}

bool OpenSockets::ask_for_close(const std::string& key) {
  const auto server = servers_.find(key);
  if (server == servers_.end()) return true;
  ++server->second.asked;
  return false;
}

}  // namespace dlog::channel
