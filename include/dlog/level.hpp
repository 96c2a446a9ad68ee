// The severity of a record.
// A plain value; any thread.
#pragma once

#include <cstdint>

namespace dlog {

// Ordered from the least to the most severe. `off` is a threshold only: nothing is logged at it, nothing passes it.
// `fatal` does not end the program.
enum class Level : std::uint8_t { trace, debug, info, warn, error, fatal, off };

}  // namespace dlog
