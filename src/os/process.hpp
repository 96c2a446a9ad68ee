// Who this process and this thread are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace dlog::os {

std::uint32_t process_id() noexcept;
std::uint64_t thread_id() noexcept;             // asked once a thread and generation
std::uint64_t thread_id_in_handler() noexcept;  // the same, in a signal handler: asked every time
bool is_main_thread() noexcept;
// Another number than in the process that this one was forked from, however that was done; never 0.
std::uint32_t process_generation() noexcept;

// The file name of the running program, without its folders; "program" where the system does not say.
std::string program_name();

// Bits nobody can guess. Nothing: the system has none to give yet, early at its start.
std::optional<std::uint64_t> secret_bits() noexcept;
// Other bits in every process; where the system has no secret ones, not secret.
std::uint64_t random_bits() noexcept;

// The shared object that this code is part of stays loaded from now on, whoever unloads it: threads and handlers live in it. To be
// called while it is loaded, by who loads it: later another thread may wait for this one with the loader's lock in its hands.
// True: it stays; false: the system refused, or this is the program itself.
bool keep_loaded() noexcept;

// Calls these around every fork() from now on: `before` and `in_parent` in the thread that forks, `in_child` in the child. Null: not
// called. False: no memory.
bool around_forks(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept;

}  // namespace dlog::os
