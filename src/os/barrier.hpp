// A memory barrier in all threads of this process at once: one thread pays, so that the others need none.
#pragma once

namespace dlog::os {

// When it returns true, every other thread's writes from before are seen here, and this thread's are seen there. False: the system
// does not offer it. The first call may take milliseconds.
bool barrier_in_all_threads() noexcept;

}  // namespace dlog::os
