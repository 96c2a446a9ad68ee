// What is known of a terminal: see terminal.hpp.
#include "os/terminal.hpp"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace dlog::os {

bool is_terminal(int fd) noexcept { return ::isatty(fd) == 1; }

bool in_background(int fd) noexcept {
  const pid_t foreground = ::tcgetpgrp(fd);
  return foreground > 0 && foreground != ::getpgrp();
}

TerminalSize terminal_size(int fd) noexcept {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

}  // namespace dlog::os
