// Test program: signal handlers that log: t_signal_safe <case> [count].
// early: before dlog is started. idle: while the log thread sleeps. busy: so often, in four threads that log meanwhile. overflow: more at once
// than are kept. exit: from an atexit handler that comes after dlog's own. abort: SIGSEGV's handler says so and aborts. off: below the level.
// closed: the program has put files of its own behind dlog's descriptors, and nothing may be allocated in the handler.
#include <dlog/dlog.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

thread_local bool in_handler = false;
int allocated = 0;  // in a handler

std::atomic<int> said{0};
volatile bool errno_kept = true;

void on_usr1(int) {
  const int before = std::exchange(errno, EDOM);
  in_handler = true;
  dlog::signal_safe(dlog::Level::warn, "usr1 {} handled");
  if (errno != EDOM) errno_kept = false;
  in_handler = false;
  errno = before;
  ++said;
}

void on_segv(int) {
  dlog::signal_safe(dlog::Level::fatal, "segv handled");
  std::abort();
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(number, &action, nullptr);
}

void busy(int count) {
  dlog::init();
  constexpr int threads = 4;
  std::atomic<bool> stop{false};
  std::vector<int> logged(threads);
  std::vector<std::thread> writers;
  for (int thread = 0; thread < threads; ++thread) {
    writers.emplace_back([&, thread] {
      int& i = logged[static_cast<std::size_t>(thread)];
      for (; !stop; ++i) {
        dlog::info("rec t/{} {} {}|", thread, i, std::string(static_cast<std::size_t>(i % 97), 'x'));
        if (i % 4 == 0) usleep(100);
      }
    });
  }
  for (int i = 0; i < count; ++i) {
    // As many at most as are kept, until they were taken.
    if (i % 100 == 0) dlog::flush(std::chrono::seconds{30});
    pthread_kill(writers[static_cast<std::size_t>(i % threads)].native_handle(), SIGUSR1);
    usleep(20);
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  for (const int records : logged) std::printf("logged %d\n", records);
}

// So that a sleep on dlog's descriptors goes on with these.
void replace_descriptors() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  const int file = fcntl(ends[0], F_DUPFD_CLOEXEC, 1000);
  for (int fd = 3; fd < 100; ++fd) {
    if (fd != ends[0] && fd != ends[1] && fcntl(fd, F_GETFD) >= 0) dup2(file, fd);
  }
}

}  // namespace

// A sanitizer has its own.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define DLOG_TEST_SANITIZED
#endif
#endif
#ifndef DLOG_TEST_SANITIZED
void* operator new(std::size_t bytes) {
  if (in_handler) ++allocated;
  if (void* const memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const int count = argc > 2 ? std::atoi(argv[2]) : 1;
  handle(SIGUSR1, on_usr1);
  if (what == "early") {
    raise(SIGUSR1);
    dlog::info("started");
  } else if (what == "idle") {
    dlog::info("started");
    usleep(400'000);  // it parks after 250 ms
    raise(SIGUSR1);
    while (dlog::stats().shown < 2) usleep(1000);
    std::puts("shown");
  } else if (what == "busy") {
    busy(count);
  } else if (what == "overflow") {
    // The log thread is in a sink, and waits.
    struct Waiting : dlog::Sink {
      std::atomic<bool> entered{false};
      std::atomic<bool> go_on{false};
      void accept(const dlog::Event&) override {
        entered = true;
        while (!go_on) usleep(1000);
      }
      void flush() override {}
    };
    const auto sink = std::make_shared<Waiting>();
    dlog::add_sink(sink);
    dlog::info("started");
    while (!sink->entered) usleep(1000);
    for (int i = 0; i < count; ++i) raise(SIGUSR1);
    sink->go_on = true;
  } else if (what == "exit") {
    std::atexit([] { raise(SIGUSR1); });  // called last: it was registered first
    dlog::info("started");
    return 0;
  } else if (what == "abort") {
    handle(SIGSEGV, on_segv);
    dlog::info("started");
    raise(SIGSEGV);
  } else if (what == "closed") {
    dlog::info("started");
    usleep(400'000);  // it parks after 250 ms
    replace_descriptors();
    raise(SIGUSR1);
    std::printf("allocated %d\n", allocated);
    dlog::info("on it goes");
  } else if (what == "off") {
    dlog::init({.level = dlog::Level::error});
    raise(SIGUSR1);
  } else {
    std::puts("t_signal_safe <early|idle|busy|overflow|exit|abort|closed|off> [count]");
    return 64;
  }
  dlog::flush(std::chrono::seconds{30});
  const dlog::Stats stats = dlog::stats();
  std::printf("said %d, enqueued %llu, shown %llu, dropped %llu, errno %s\n", said.load(),
              static_cast<unsigned long long>(stats.enqueued), static_cast<unsigned long long>(stats.shown),
              static_cast<unsigned long long>(stats.dropped), errno_kept ? "kept" : "changed");
}
