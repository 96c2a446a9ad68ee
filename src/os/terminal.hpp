// What is known of the terminal behind a descriptor.
#pragma once

namespace dlog::os {

bool is_terminal(int fd) noexcept;

// It is the terminal of this process's session, and another process group has it now. False where nobody can say.
bool in_background(int fd) noexcept;

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};
// 80x24 where the descriptor is no terminal or does not say.
TerminalSize terminal_size(int fd) noexcept;

}  // namespace dlog::os
