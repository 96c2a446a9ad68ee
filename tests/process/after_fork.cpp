// Linked into the test programs of a build with the address sanitizer, so that a process that came of fork() alone, without
// exec(), can be watched too.
#include <unistd.h>

#include "../support/allocator_at_fork.hpp"

namespace {
const pid_t started_as = getpid();
}  // namespace

// Asked by the sanitizer's runtime at exit: no search for leaks there. Such a process has none of its parent's other threads,
// and all that stood on their stacks only is lost to it.
extern "C" int __lsan_is_turned_off();  // NOLINT(bugprone-reserved-identifier)
extern "C" int __lsan_is_turned_off() { return getpid() != started_as ? 1 : 0; }
