// Waiting for a number to change, and saying that it did. Who waits holds nothing meanwhile: a wait that a signal handler interrupts,
// and never comes back to, keeps nobody else.
//
// Any thread of one process.
#pragma once

#include <atomic>
#include <cstdint>

namespace dlog::os {

// Returns when `word` is not `seen`, after wake_all(), after `timeout_ns`, or for no reason.
void wait_while(const std::atomic<std::uint32_t>& word, std::uint32_t seen, std::int64_t timeout_ns) noexcept;
// After a change of `word`.
void wake_all(const std::atomic<std::uint32_t>& word) noexcept;

}  // namespace dlog::os
