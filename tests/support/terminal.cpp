// A terminal in memory that refuses: see terminal.hpp.
#include "support/terminal.hpp"

#include <stdexcept>

namespace dlog::test {

void Terminal::write(std::string_view bytes) {
  const std::string fault = bytes_.read(bytes);
  if (!fault.empty()) throw std::runtime_error("terminal: " + fault);
  model_.write(bytes);
}

}  // namespace dlog::test
