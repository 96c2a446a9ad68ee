// Test program: uses all of dlog while the system fails (tests/process/shims), and answers what dlog counted.
//   t_failing <name> <records of each of two threads> [wait]
// Only dlog's own calls may fail: what the program needs for itself works. With "wait" it says its address, and goes on after a line.
// T_PARK: half-way it is silent for so many milliseconds, so that the log thread goes to sleep. T_FLUSH: how long the flush may take.
// T_DESCRIPTORS: it may have so many open.
#include <dlog/dlog.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

// Of the shim; without it nothing fails.
extern "C" [[gnu::weak]] void t_fail(bool on);

namespace {

void let_fail(bool on) {
  if (t_fail != nullptr) t_fail(on);
}

// For its lifetime the calling thread's calls may fail.
class MayFail {
 public:
  MayFail() { let_fail(true); }
  ~MayFail() { let_fail(false); }
  MayFail(const MayFail&) = delete;
  MayFail& operator=(const MayFail&) = delete;
};

std::chrono::milliseconds milliseconds_of(const char* variable, int otherwise) {
  const char* const text = std::getenv(variable);
  return std::chrono::milliseconds{text == nullptr ? otherwise : std::atoi(text)};
}

void log_numbered(std::string_view name, int thread, int count) {
  const std::string filler(97, 'x');
  const auto pause = milliseconds_of("T_PARK", 0);
  for (int i = 0; i < count; ++i) {
    if (i == count / 2) std::this_thread::sleep_for(pause);
    const std::string_view rest = std::string_view(filler).substr(0, static_cast<std::size_t>(i % 97));
    const MayFail may_fail;
    dlog::info("rec {}/{} {} {}|", name, thread, i, rest);
  }
}

// Whatever fails on the way: nothing is thrown.
void show_bar(int count) {
  const MayFail may_fail;
  dlog::ProgressBar bar("Failing", count);
  for (int i = 0; i < count; ++i) ++bar;
  bar.set_message("a message longer than a string has room for within itself");
  bar.set_template("{desc} {bar} {percent}");
  bar.finish();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::puts("t_failing <name> <records> [wait]");
    return 64;
  }
  const char* name = argv[1];
  const int records = std::atoi(argv[2]);
  let_fail(false);
  if (const char* const descriptors = std::getenv("T_DESCRIPTORS"); descriptors != nullptr) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::strtoul(descriptors, nullptr, 10);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  std::thread first([=] {
    let_fail(false);
    log_numbered(name, 0, records);
  });
  std::thread second([=] {
    let_fail(false);
    log_numbered(name, 1, records);
  });
  show_bar(10);
  first.join();
  second.join();
  if (argc > 3 && std::strcmp(argv[3], "wait") == 0) {
    std::printf("address %s\n", dlog::pipe_address().c_str());
    std::fflush(stdout);
    std::getchar();
  }
  let_fail(true);
  const bool flushed = dlog::flush(milliseconds_of("T_FLUSH", 10'000)).complete;
  let_fail(false);
  const dlog::Stats s = dlog::stats();
  std::printf("stats logged=%d enqueued=%llu shown=%llu dropped=%llu undeliverable=%llu flushed=%d\n", 2 * records,
              static_cast<unsigned long long>(s.enqueued), static_cast<unsigned long long>(s.shown),
              static_cast<unsigned long long>(s.dropped), static_cast<unsigned long long>(s.undeliverable),
              flushed ? 1 : 0);
  std::fflush(stdout);
  let_fail(true);  // also for what dlog does at exit
  dlog::info("last words");
  return 0;
}
