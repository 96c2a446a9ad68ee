// Stands between a program and the system, by LD_PRELOAD: what holds a lock of the C library for a moment holds it for 300 ms, as
// where its thread is put aside meanwhile; each while its variable is set. A fork keeps the lock, and nobody in the child gives it back.
//   T_SLOW_KEY    to make a key of threads (no lock, but slow)
//   T_SLOW_ARENA  a thread's first allocation
//   T_SLOW_ZONE   to ask for the local time
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <new>

namespace {

constinit std::mutex arenas;
constinit std::mutex zone;
constinit thread_local bool has_arena = false;

void while_set(const char* variable) {
  if (std::getenv(variable) != nullptr) usleep(300'000);
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int pthread_key_create(pthread_key_t* key, void (*at_end)(void*)) noexcept {
  static const auto real = next<int (*)(pthread_key_t*, void (*)(void*))>("pthread_key_create");
  while_set("T_SLOW_KEY");
  return real(key, at_end);
}

tm* localtime_r(const time_t* time, tm* fields) noexcept {
  static const auto real = next<tm* (*)(const time_t*, tm*)>("localtime_r");
  const std::lock_guard lock(zone);
  while_set("T_SLOW_ZONE");
  return real(time, fields);
}
}

void* operator new(std::size_t bytes) {
  if (!has_arena) {
    const std::lock_guard lock(arenas);
    while_set("T_SLOW_ARENA");
    has_arena = true;
  }
  if (void* const memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
