// The environment variables that tell a child of its channel.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dlog/channel.hpp"

namespace dlog::channel {

struct Announced {
  int fd = -1;
  Dialect dialect = Dialect::node;
};
// What this process was told. no_channel: nothing.
Expected<Announced> read_variables();
// They have been used: none of them is in the environment any more. False: no memory.
bool remove_variables() noexcept;

// For a child: what to set and, of this process's own, what to take away.
std::vector<std::pair<std::string, std::optional<std::string>>> variables_for(Dialect dialect, int fd);

}  // namespace dlog::channel
