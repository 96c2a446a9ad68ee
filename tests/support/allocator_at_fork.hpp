// For the address sanitizer's sake; to be included by one source of a program that forks.
//
// Another thread may be inside the sanitizer's allocator at the moment of the fork; the child would wait for it for ever. From
// clang 17 on the runtime sees to that itself.
#pragma once

#if defined(__clang__) && defined(__has_feature)
#if __has_feature(address_sanitizer) && __clang_major__ < 17
#include <pthread.h>
namespace __lsan {       // NOLINT(bugprone-reserved-identifier)
void LockAllocator();    // NOLINT(readability-identifier-naming)
void UnlockAllocator();  // NOLINT(readability-identifier-naming)
}  // namespace __lsan
// Before all other constructors: some fork.
__attribute__((constructor(101))) static void hold_allocator_at_fork() {
  pthread_atfork(__lsan::LockAllocator, __lsan::UnlockAllocator, __lsan::UnlockAllocator);
}
#endif
#endif
