// How often a thread has slept: what tells a spin from a sleep without a clock.
#pragma once

#include <sys/resource.h>

#include <cstdint>

namespace dlog::test {

// The calling thread's, of its own will; a lock or a page that it waited for is one as well.
inline std::int64_t sleeps_of_this_thread() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  return used.ru_nvcsw;
}

}  // namespace dlog::test
