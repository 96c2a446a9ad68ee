// The second source of call_sites_test.cpp: its calls have the same places, among the calls of their source, as those of the first.
#include "support/call_sites.hpp"

namespace dlog::test {

void log_in_another_source() {
  dlog::info("b first {}", 1);
  dlog::info("b second {}", 2);
  dlog::warn("b third {}", 3);
  [] { dlog::info("b lambda"); }();
  log_everywhere();
}

}  // namespace dlog::test
