// A library for LD_PRELOAD under which the system fails as the environment says, for tests/process/failing_system_test.py.
//
//   T_FAIL=<function> <first> <every> <how>   how: a number of errno.h, or "short<bytes>": takes no more than so many bytes
//   T_FAIL_COUNTS=<file>                      at the end: how often each function was called, a line each
//
// The first call that fails is the <first>; then each <every>-th after it, none where <every> is 0. Only such calls are counted, and
// fail, as are made in a thread that t_fail(true) was called in, or that never called it and is not the program's first: the test's
// own work must not fail. malloc stands for all ways to ask for memory, and so for operator new; of syscall() only membarrier is meant.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>

extern "C" {
// The same functions under other names: what dlsym() finds for malloc would have to be asked for with memory.
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}

namespace {

enum Function {
  f_socket,
  f_bind,
  f_listen,
  f_accept4,
  f_connect,
  f_getsockname,
  f_getpeername,
  f_getsockopt,
  f_setsockopt,
  f_epoll_create1,
  f_epoll_ctl,
  f_epoll_wait,
  f_socketpair,
  f_ppoll,
  f_poll,
  f_read,
  f_write,
  f_writev,
  f_send,
  f_recv,
  f_open,
  f_fstat,
  f_fcntl,
  f_ioctl,
  f_dup,
  f_dup3,
  f_mmap,
  f_madvise,
  f_syscall,
  f_getrandom,
  f_sigaction,
  f_pthread_create,
  f_cxa_atexit,
  f_cxa_at_quick_exit,
  f_malloc,
  functions
};
constexpr const char* names[functions] = {"socket",       "bind",
                                          "listen",       "accept4",
                                          "connect",      "getsockname",
                                          "getpeername",  "getsockopt",
                                          "setsockopt",   "epoll_create1",
                                          "epoll_ctl",    "epoll_wait",
                                          "socketpair",   "ppoll",
                                          "poll",         "read",
                                          "write",        "writev",
                                          "send",         "recv",
                                          "open",         "fstat",
                                          "fcntl",        "ioctl",
                                          "dup",          "dup3",
                                          "mmap",         "madvise",
                                          "syscall",      "getrandom",
                                          "sigaction",    "pthread_create",
                                          "__cxa_atexit", "__cxa_at_quick_exit",
                                          "malloc"};

std::atomic<unsigned long> counts[functions];
std::atomic<bool> ready{false};
int failing = -1;
unsigned long first_call = 0;
unsigned long every = 0;
int error_number = 0;
size_t short_bytes = 0;
const char* counts_path = nullptr;

enum class Armed : signed char { unknown, no, yes };
__attribute__((tls_model("initial-exec"))) thread_local Armed armed = Armed::unknown;

bool is_armed() {
  if (armed == Armed::unknown) armed = gettid() == getpid() ? Armed::no : Armed::yes;
  return armed == Armed::yes;
}

// Counts the call; true: it is one of those that fail.
bool chosen(Function function) {
  if (!ready.load(std::memory_order_acquire) || !is_armed()) return false;
  const unsigned long number = counts[function].fetch_add(1) + 1;
  if (function != failing || number < first_call) return false;
  return number == first_call || (every != 0 && (number - first_call) % every == 0);
}

bool fails(Function function) {
  if (!chosen(function)) return false;
  errno = error_number;
  return true;
}

// For what takes bytes: true where it fails, else perhaps fewer bytes.
bool fails(Function function, size_t& bytes) {
  if (!chosen(function)) return false;
  if (short_bytes != 0) {
    if (bytes > short_bytes) bytes = short_bytes;
    return false;
  }
  errno = error_number;
  return true;
}

// Looked up without counting what that takes.
template <class Pointer>
Pointer next_of(Function function) {
  const Armed before = armed;
  armed = Armed::no;
  void* const found = dlsym(RTLD_NEXT, names[function]);
  armed = before;
  return reinterpret_cast<Pointer>(found);
}

// Calls the C library, or fails with -1.
template <Function function, class Result = int, class... Arguments>
Result pass(Arguments... arguments) {
  static const auto next = next_of<Result (*)(Arguments...)>(function);
  return fails(function) ? Result(-1) : next(arguments...);
}

// The same for what takes bytes.
template <Function function, class... Rest>
ssize_t pass_bytes(int fd, auto* memory, size_t bytes, Rest... rest) {
  static const auto next = next_of<ssize_t (*)(int, decltype(memory), size_t, Rest...)>(function);
  return fails(function, bytes) ? -1 : next(fd, memory, bytes, rest...);
}

[[gnu::constructor]] void begin() {
  counts_path = getenv("T_FAIL_COUNTS");
  char name[32] = "";
  char how[32] = "";
  if (const char* text = getenv("T_FAIL");
      text != nullptr && sscanf(text, "%31s %lu %lu %31s", name, &first_call, &every, how) == 4) {
    for (int i = 0; i < functions; ++i)
      if (strcmp(names[i], name) == 0) failing = i;
    if (failing < 0) abort();  // the test has misspelt it
    if (strncmp(how, "short", 5) == 0) short_bytes = strtoul(how + 5, nullptr, 10);
    else error_number = atoi(how);
  }
  // A child that the program starts is none of ours.
  unsetenv("T_FAIL");
  unsetenv("T_FAIL_COUNTS");
  unsetenv("LD_PRELOAD");
  ready.store(true, std::memory_order_release);
}

[[gnu::destructor]] void end() {
  ready.store(false);
  if (counts_path == nullptr) return;
  FILE* file = fopen(counts_path, "w");
  if (file == nullptr) return;
  for (int i = 0; i < functions; ++i) fprintf(file, "%s %lu\n", names[i], counts[i].load());
  fclose(file);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

void t_fail(bool on) { armed = on ? Armed::yes : Armed::no; }

int socket(int domain, int type, int protocol) noexcept { return pass<f_socket>(domain, type, protocol); }
int bind(int fd, const sockaddr* address, socklen_t size) noexcept { return pass<f_bind>(fd, address, size); }
int listen(int fd, int backlog) noexcept { return pass<f_listen>(fd, backlog); }
int accept4(int fd, sockaddr* address, socklen_t* size, int flags) { return pass<f_accept4>(fd, address, size, flags); }
int connect(int fd, const sockaddr* address, socklen_t size) { return pass<f_connect>(fd, address, size); }
int getsockname(int fd, sockaddr* address, socklen_t* size) noexcept { return pass<f_getsockname>(fd, address, size); }
int getpeername(int fd, sockaddr* address, socklen_t* size) noexcept { return pass<f_getpeername>(fd, address, size); }
int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
  return pass<f_getsockopt>(fd, level, name, value, size);
}
int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  return pass<f_setsockopt>(fd, level, name, value, size);
}
int epoll_create1(int flags) noexcept { return pass<f_epoll_create1>(flags); }
int epoll_ctl(int epoll, int what, int fd, epoll_event* event) noexcept {
  return pass<f_epoll_ctl>(epoll, what, fd, event);
}
int epoll_wait(int epoll, epoll_event* events, int most, int wait) {
  return pass<f_epoll_wait>(epoll, events, most, wait);
}
int socketpair(int family, int type, int protocol, int ends[2]) noexcept {
  return pass<f_socketpair>(family, type, protocol, ends);
}
int ppoll(pollfd* entries, nfds_t count, const timespec* time, const sigset_t* mask) {
  return pass<f_ppoll>(entries, count, time, mask);
}
int poll(pollfd* entries, nfds_t count, int wait) { return pass<f_poll>(entries, count, wait); }
int fstat(int fd, struct stat* out) noexcept { return pass<f_fstat>(fd, out); }
int dup(int fd) noexcept { return pass<f_dup>(fd); }
int dup3(int from, int to, int flags) noexcept { return pass<f_dup3>(from, to, flags); }
int madvise(void* begin, size_t bytes, int advice) noexcept { return pass<f_madvise>(begin, bytes, advice); }
int sigaction(int number, const struct sigaction* action, struct sigaction* before) noexcept {
  return pass<f_sigaction>(number, action, before);
}
ssize_t writev(int fd, const iovec* pieces, int count) { return pass<f_writev, ssize_t>(fd, pieces, count); }
ssize_t read(int fd, void* to, size_t bytes) { return pass_bytes<f_read>(fd, to, bytes); }
ssize_t write(int fd, const void* from, size_t bytes) { return pass_bytes<f_write>(fd, from, bytes); }
ssize_t send(int fd, const void* from, size_t bytes, int flags) { return pass_bytes<f_send>(fd, from, bytes, flags); }
ssize_t recv(int fd, void* to, size_t bytes, int flags) { return pass_bytes<f_recv>(fd, to, bytes, flags); }
ssize_t getrandom(void* to, size_t bytes, unsigned flags) { return pass<f_getrandom, ssize_t>(to, bytes, flags); }

int open(const char* path, int flags, ...) {
  static const auto next = next_of<int (*)(const char*, int, ...)>(f_open);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails(f_open) ? -1 : next(path, flags, mode);
}

int fcntl(int fd, int command, ...) {
  static const auto next = next_of<int (*)(int, int, ...)>(f_fcntl);
  va_list rest;
  va_start(rest, command);
  const long value = va_arg(rest, long);
  va_end(rest);
  return fails(f_fcntl) ? -1 : next(fd, command, value);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  static const auto next = next_of<int (*)(int, unsigned long, ...)>(f_ioctl);
  va_list rest;
  va_start(rest, request);
  void* const value = va_arg(rest, void*);
  va_end(rest);
  return fails(f_ioctl) ? -1 : next(fd, request, value);
}

long syscall(long number, ...) noexcept {
  static const auto next = next_of<long (*)(long, ...)>(f_syscall);
  va_list rest;
  va_start(rest, number);
  long values[6];
  for (long& value : values) value = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_membarrier && fails(f_syscall)) return -1;
  return next(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

void* mmap(void* at, size_t bytes, int protection, int flags, int fd, off_t offset) noexcept {
  static const auto next = next_of<void* (*)(void*, size_t, int, int, int, off_t)>(f_mmap);
  return fails(f_mmap) ? MAP_FAILED : next(at, bytes, protection, flags, fd, offset);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* how, void* (*body)(void*), void* argument) noexcept {
  static const auto next =
      next_of<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>(f_pthread_create);
  return fails(f_pthread_create) ? error_number : next(thread, how, body, argument);
}

// atexit() is part of each program, and calls this.
int __cxa_atexit(void (*call)(void*), void* argument, void* module) {
  return pass<f_cxa_atexit>(call, argument, module);
}
int __cxa_at_quick_exit(void (*call)(void*), void* module) { return pass<f_cxa_at_quick_exit>(call, module); }

void* malloc(size_t bytes) { return fails(f_malloc) ? nullptr : __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) { return fails(f_malloc) ? nullptr : __libc_calloc(count, bytes); }
void* realloc(void* old, size_t bytes) { return fails(f_malloc) ? nullptr : __libc_realloc(old, bytes); }
void* memalign(size_t align, size_t bytes) { return fails(f_malloc) ? nullptr : __libc_memalign(align, bytes); }
void* aligned_alloc(size_t align, size_t bytes) { return fails(f_malloc) ? nullptr : __libc_memalign(align, bytes); }
int posix_memalign(void** out, size_t align, size_t bytes) {
  if (fails(f_malloc)) return ENOMEM;
  *out = __libc_memalign(align, bytes);
  return *out == nullptr ? ENOMEM : 0;
}

}  // extern "C"
#pragma GCC visibility pop
