// The sinks that a person or a file sees: which renderer, on which descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "dlog/config.hpp"
#include "log/event/outlet.hpp"

namespace dlog::sink {

// automatic: on a terminal that takes sequences.
enum class Colour : std::uint8_t { automatic, never, always };

// What the environment says of the place where the console stands.
struct Surroundings {
  bool dumb_terminal = false;   // TERM says that it takes no sequences
  bool unicode = false;         // terminal and locale take more than ASCII
  bool in_ci = false;           // a system that keeps what it is told as a file, terminal or not
  bool wide_ambiguous = false;  // the terminal draws characters of ambiguous width in two columns
  Colour colour = Colour::automatic;
};

struct ConsoleChoice {
  Format format = Format::automatic;
  ProgressMode progress = ProgressMode::automatic;
  int output_fd = 2;
  Surroundings surroundings{};
  BarTheme bar_theme = BarTheme::automatic;
  std::string bar_template{};
  bool taskbar = false;
};

// Resolves what is automatic. Where output_fd is not open, everything is accepted and counted as undelivered.
std::unique_ptr<event::Outlet> open_console(const ConsoleChoice& choice);

// Plain lines, appended.
Result<std::unique_ptr<event::Outlet>> open_file(const std::string& path);

}  // namespace dlog::sink
