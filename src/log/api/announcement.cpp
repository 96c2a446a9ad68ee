// How children find a listener: see announcement.hpp.
#include "log/api/announcement.hpp"

#include <fmt/format.h>

#include "base/pipe_id.hpp"
#include "os/environment.hpp"
#include "os/process.hpp"
#include "os/socket_owner.hpp"

namespace dlog::api {
namespace {

constexpr const char* pipe_id_variable = "DLOG_PIPE_ID";

}  // namespace

std::string new_token() {
  const auto high = os::secret_bits();
  const auto low = os::secret_bits();
  return high && low ? token_of(*high, *low) : std::string();
}

Announcement announcement_of(std::uint16_t port, std::uint64_t cookie, const std::string& token) {
  const std::string announced = token.empty() ? token_of(0, 0) : token;  // that proves nothing
  return {fmt::format("127.0.0.1:{}", port), format_pipe_id({port, os::process_id(), cookie, announced})};
}

bool announce(const Announcement& announcement) noexcept {
  // The id first: whoever finds the address finds the id that belongs to it.
  return os::set_environment(pipe_id_variable, announcement.id) &&
         os::set_environment(pipe_variable, announcement.address);
}

std::vector<std::string> variables_of(const Announcement& announcement) {
  std::vector<std::string> variables;
  if (!announcement.address.empty()) variables.push_back(fmt::format("{}={}", pipe_variable, announcement.address));
  if (!announcement.id.empty()) variables.push_back(fmt::format("{}={}", pipe_id_variable, announcement.id));
  return variables;
}

std::string inherited_id(std::uint16_t port, std::vector<hub::Notice>& notices) {
  std::string text = os::environment(pipe_id_variable).value_or("");
  if (text.empty()) return {};
  const auto id = parse_pipe_id(text);
  if (!id) {
    // Not its text: that may hold what only children should know.
    notices.push_back(
        {Level::debug, fmt::format("{} is malformed; speaking the seed protocol only", pipe_id_variable)});
    return {};
  }
  // One of another port came from further up: the parent that set DLOG_PIPE did not set it.
  return id->port == port ? text : std::string();
}

std::string stranger_behind(os::LoopbackAddress address, const std::string& id) {
  const os::SocketOwners owners;
  if (!owners.known()) return {};
  const auto listener = owners.of_listener(address);
  const auto parent = parse_pipe_id(id);
  if (parent && parent->cookie != 0) {
    if (!listener && parent->pid == os::process_id()) return "it was this process's own, before exec";
    if (!listener) return "its parent listens no more";
    // Whoever it belongs to: a parent may have started us as another user.
    return listener->cookie == parent->cookie ? "" : "somebody else listens there now";
  }
  // All that can be seen of a parent that says no more than an address is whose it is. One that is not there now may be anybody's in a
  // moment.
  if (!listener && owners.has_no_listener(address)) return "nobody listens there";
  if (listener && listener->user != os::own_user() && listener->user != 0)
    return fmt::format("it is another user's ({})", listener->user);
  return {};
}

std::unique_ptr<sink::EventEncoder> encoder_for(const Announcement& parent, const hub::Delivery::Self& self) {
  const std::uint64_t id_base = os::random_bits();
  const auto id = parse_pipe_id(parent.id);
  if (!id) return sink::seed_encoder(id_base);
  return sink::extension_encoder(id_base, {self.pid, self.name, id->token});
}

}  // namespace dlog::api
