// Who this process and this thread are: see process.hpp.
#include "os/process.hpp"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <unistd.h>

#include <atomic>

#include "os/clock.hpp"
#include "os/memory.hpp"

// Weak: a program that is linked statically has no loader, and an older C library keeps these apart.
extern "C" {
[[gnu::weak]] int dladdr(const void* address, Dl_info* found) noexcept;
[[gnu::weak]] void* dlopen(const char* path, int flags) noexcept;
// The linker's: where the file that this code is part of begins.
[[gnu::weak, gnu::visibility("hidden")]] extern const ElfW(Ehdr) __ehdr_start;  // NOLINT(bugprone-reserved-identifier)
}

namespace dlog::os {
namespace {

bool is_program() noexcept {
  if (&__ehdr_start == nullptr) return false;
  const auto headers = reinterpret_cast<std::uintptr_t>(&__ehdr_start) + __ehdr_start.e_phoff;
  return ::getauxval(AT_PHDR) == headers;
}

thread_local std::uint64_t known_thread = 0;
thread_local std::uint32_t known_in = 0;  // the generation

struct alignas(wiped_page_bytes) Page {
  std::atomic<std::uint32_t> generation{0};  // 0: nobody has asked yet
};
constinit Page page;
constinit std::atomic<std::uint32_t> generations{0};  // of this process and those it was forked from

// Where pages cannot be wiped, fork() at least tells.
bool renew_page() noexcept {
  static const bool once = wipe_in_forked_child(&page, sizeof page) ||
                           around_forks(nullptr, nullptr, [] { page.generation.store(0, std::memory_order_relaxed); });
  return once;
}
// When the program is brought up; where somebody asks before that, then.
const bool page_is_renewed = renew_page();

}  // namespace

std::uint32_t process_id() noexcept { return static_cast<std::uint32_t>(::getpid()); }

std::uint64_t thread_id() noexcept {
  if (const std::uint32_t here = process_generation(); known_in != here) {
    known_thread = static_cast<std::uint64_t>(::gettid());
    known_in = here;
  }
  return known_thread;
}

std::uint64_t thread_id_in_handler() noexcept { return static_cast<std::uint64_t>(::gettid()); }

bool is_main_thread() noexcept { return ::gettid() == ::getpid(); }

std::uint32_t process_generation() noexcept {
  std::uint32_t known = page.generation.load(std::memory_order_relaxed);
  if (known != 0) return known;
  renew_page();
  const std::uint32_t fresh = generations.fetch_add(1, std::memory_order_relaxed) + 1;
  return page.generation.compare_exchange_strong(known, fresh, std::memory_order_relaxed) ? fresh : known;
}

std::string program_name() {
  const char* name = ::program_invocation_short_name;
  return name == nullptr || *name == '\0' ? "program" : name;
}

std::optional<std::uint64_t> secret_bits() noexcept {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof bits, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof bits)) return std::nullopt;
  return bits;
}

std::uint64_t random_bits() noexcept {
  if (const auto bits = secret_bits()) return *bits;
  return static_cast<std::uint64_t>(monotonic_ns()) * 0x9E3779B97F4A7C15U ^ process_id();
}

bool keep_loaded() noexcept {
  if (is_program() || &::dladdr == nullptr || &::dlopen == nullptr) return false;
  Dl_info found{};
  if (::dladdr(&page, &found) == 0 || found.dli_fname == nullptr) return false;
  return ::dlopen(found.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) != nullptr;
}

bool around_forks(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
  return ::pthread_atfork(before, in_parent, in_child) == 0;
}

}  // namespace dlog::os
