// Who this process and this thread are: see process.hpp.
#include "os/process.hpp"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include "os/clock.hpp"

namespace dlog::os {
namespace {

thread_local std::uint64_t known_thread = 0;

}  // namespace

std::uint32_t process_id() noexcept { return static_cast<std::uint32_t>(::getpid()); }

std::uint64_t thread_id() noexcept {
  if (known_thread == 0) renew_thread_id();
  return known_thread;
}

void renew_thread_id() noexcept { known_thread = static_cast<std::uint64_t>(::gettid()); }

std::string program_name() {
  const char* name = ::program_invocation_short_name;
  return name == nullptr || *name == '\0' ? "program" : name;
}

std::uint64_t random_bits() noexcept {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof bits, GRND_NONBLOCK) == static_cast<ssize_t>(sizeof bits)) return bits;
  // Before the kernel's pool is ready: not secret, but still different in every process.
  return static_cast<std::uint64_t>(monotonic_ns()) * 0x9E3779B97F4A7C15U ^ process_id();
}

bool after_fork_in_child(void (*in_child)()) noexcept { return ::pthread_atfork(nullptr, nullptr, in_child) == 0; }

}  // namespace dlog::os
