// Who this process and this thread are.
#pragma once

#include <cstdint>
#include <string>

namespace dlog::os {

std::uint32_t process_id() noexcept;
std::uint64_t thread_id() noexcept;  // asked once a thread
// After a fork, in the child: the one thread that is left has a new id.
void renew_thread_id() noexcept;

// The file name of the running program, without its folders; "program" where the system does not say.
std::string program_name();

// Bits nobody can guess.
std::uint64_t random_bits() noexcept;

// Calls `in_child` in the child of every fork() from now on. False: no memory.
bool after_fork_in_child(void (*in_child)()) noexcept;

}  // namespace dlog::os
