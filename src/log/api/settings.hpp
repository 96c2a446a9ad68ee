// The settings that took effect: what the program asked for, overridden by the environment.
// Pure: the environment is an argument.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dlog/config.hpp"
#include "log/hub/log_thread.hpp"
#include "log/sink/console.hpp"

namespace dlog::api {

// The value of a variable; nothing where it is not set.
using Lookup = std::function<std::optional<std::string>(const char* name)>;

struct Settings {
  Config config;
  std::string pipe;                  // DLOG_PIPE as it is; empty: not set
  sink::Surroundings surroundings;   // what TERM, the locale, CI systems and the colour switches say
  std::vector<hub::Notice> notices;  // one for each variable whose value cannot be used; it is then as if unset
};

Settings settle_settings(const Config& asked, const Lookup& environment);

}  // namespace dlog::api
