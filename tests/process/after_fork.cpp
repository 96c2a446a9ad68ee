// Linked into the test programs of a build with the address sanitizer, so that a process that came of fork() alone, without
// exec(), can be watched too.
#include <pthread.h>
#include <unistd.h>

namespace {
const pid_t started_as = getpid();
}  // namespace

// Asked by the sanitizer's runtime at exit: no search for leaks there. Such a process has none of its parent's other threads,
// and all that stood on their stacks only is lost to it.
extern "C" int __lsan_is_turned_off();  // NOLINT(bugprone-reserved-identifier)
extern "C" int __lsan_is_turned_off() { return getpid() != started_as ? 1 : 0; }

// Another thread may be inside the sanitizer's allocator at the moment of the fork; the child would wait for it for ever.
// From clang 17 on the runtime sees to that itself.
#if __clang_major__ < 17
namespace __lsan {       // NOLINT(bugprone-reserved-identifier)
void LockAllocator();    // NOLINT(readability-identifier-naming)
void UnlockAllocator();  // NOLINT(readability-identifier-naming)
}  // namespace __lsan

namespace {
[[maybe_unused]] const int installed =
    pthread_atfork(__lsan::LockAllocator, __lsan::UnlockAllocator, __lsan::UnlockAllocator);
}  // namespace
#endif
