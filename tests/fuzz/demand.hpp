// How a fuzz target says that a property does not hold: it ends the program, which the fuzzer takes for a finding.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace dlog::fuzz {

inline void demand(bool holds, std::string_view property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(property.size()), property.data());
  std::abort();
}

}  // namespace dlog::fuzz
