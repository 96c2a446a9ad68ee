// Names of the faults made on purpose: see sabotage.hpp.
#include "torture/sabotage.hpp"

#include <array>
#include <cstddef>

namespace torture {

std::optional<Sabotage> sabotage_named(std::string_view name) {
  constexpr std::array<std::string_view, 8> names{"none",     "lose", "double", "tear",
                                                  "disorder", "hang", "crash",  "block"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Sabotage>(i);
  }
  return std::nullopt;
}

}  // namespace torture
