// The sinks that a person or a file sees: which renderer, on which descriptor.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "dlog/config.hpp"
#include "log/event/outlet.hpp"

namespace dlog::sink {

struct ConsoleChoice {
  Format format = Format::automatic;
  ProgressMode progress = ProgressMode::automatic;
  int output_fd = 2;
  bool dumb_terminal = false;  // TERM says that it takes no sequences
  bool no_colour = false;
};

// Resolves what is automatic. Where output_fd is not open, everything is accepted and counted as undelivered.
std::unique_ptr<event::Outlet> open_console(const ConsoleChoice& choice);

// Plain lines, appended.
Result<std::unique_ptr<event::Outlet>> open_file(const std::string& path);

}  // namespace dlog::sink
