// Test program: a child at work. Logs numbered records and moves a bar until its stdin ends or has a line, ends the bar, and says
// what its calls and dlog's counts came to.
//   t_busy <name> <records in a burst> <microseconds between bursts> <records between flushes, 0: none>
#include <dlog/dlog.hpp>

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

namespace {

using Clock = std::chrono::steady_clock;

// How often this thread gave its processor away by itself. A thread that the system took it from was not held by a call.
long times_slept() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

bool told_to_end() {
  pollfd in{STDIN_FILENO, POLLIN, 0};
  return poll(&in, 1, 0) != 0;
}

void say_once(bool& said, const char* word) {
  if (std::exchange(said, true)) return;
  std::puts(word);
  std::fflush(stdout);
}

void say(const char* key, std::uint64_t value) {
  std::printf("%s %llu\n", key, static_cast<unsigned long long>(value));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 64;
  const std::string name = argv[1];
  const int burst = std::atoi(argv[2]);
  const std::chrono::microseconds pause(std::atoi(argv[3]));
  const auto between_flushes = static_cast<std::uint64_t>(std::atoi(argv[4]));
  dlog::ProgressBar bar(name);
  Clock::duration longest{};
  std::uint64_t logged = 0;
  std::uint64_t flushed = 0;  // before the last flush that was complete
  bool busy = false;
  bool dropping = false;
  while (!told_to_end()) {
    for (int i = 0; i < burst; ++i, ++logged) {
      const std::string filler(logged % 97, 'x');
      const long slept = times_slept();
      const auto before = Clock::now();
      dlog::info("rec {}/0 {} {}|", name, logged, filler);
      const auto took = Clock::now() - before;
      if (took > longest && times_slept() != slept) longest = took;
    }
    bar.push(logged);
    if (between_flushes != 0 && logged - flushed >= between_flushes && dlog::flush(std::chrono::milliseconds{200}))
      flushed = logged;
    if (logged >= 100) say_once(busy, "busy");
    if (dlog::stats().dropped != 0) say_once(dropping, "dropping");
    if (pause.count() != 0) std::this_thread::sleep_for(pause);
  }
  bar.finish();
  // The first one may find that something was dropped before it; the second says that nothing waits any more.
  dlog::flush(std::chrono::seconds{20});
  const bool complete = static_cast<bool>(dlog::flush(std::chrono::seconds{20}));
  const dlog::Stats stats = dlog::stats();
  say("logged", logged);
  say("flushed", flushed);
  say("longest_us", static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(longest).count()));
  say("complete", complete ? 1 : 0);
  say("enqueued", stats.enqueued);
  say("shown", stats.shown);
  say("dropped", stats.dropped);
  say("undeliverable", stats.undeliverable);
  std::puts("told");
  std::fflush(stdout);
}
