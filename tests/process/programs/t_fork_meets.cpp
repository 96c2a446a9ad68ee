// Test program: a fork that meets the process in the middle of something: t_fork_meets <what> [fork|_Fork].
// "sink <way>": the log thread in a sink that holds a lock of its own; "stuck <way>": in one that keeps it for a second; "within <way>":
// forked by the sink. "stays": the log thread comes and goes. "step": forked by the sink, and a thread of the child logs first.
// "level", "unannounced": after set_level(), and without an announcement in the environment. "file": how many descriptors of DLOG_FILE
// the child has. "handler": another thread is in dlog's signal handler. "call": forked by a handler that interrupts a call. "key",
// "arena", "zone": a thread makes its first call, its first allocation, asks for the local time; "old record": that of a record of
// another year. "exit": in a handler at the end of the process, after dlog's. The child says what it found, and how many milliseconds fork() and its life took.
#include <dlog/dlog.hpp>
#include <dlog/memory_screen.hpp>

#include <dlfcn.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

pid_t (*method)() = fork;

long long ms_since(Clock::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - begin).count();
}

int wait_for(pid_t pid) {
  int status = -1;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// In the child: at most ten seconds for what it does.
int child_of(pid_t pid, const std::function<void()>& body) {
  if (pid == 0) {
    alarm(10);
    body();
    std::exit(0);
  }
  return wait_for(pid);
}

void report(int status, long long fork_ms, long long life_ms) {
  std::printf("child %d fork %lld life %lld\n", status, fork_ms, life_ms);
  std::fflush(stdout);
}

// Keeps its lock for a while with each record that says so.
class Locking : public dlog::Sink {
 public:
  explicit Locking(milliseconds keep) : keep_(keep) {}
  void accept(const dlog::Event& event) override {
    const std::lock_guard lock(mutex_);
    ++calls;
    if (event.record == nullptr || event.record->message != "slow") return;
    inside = true;
    std::this_thread::sleep_for(keep_);
    inside = false;
  }
  void flush() override {}
  std::atomic<int> calls{0};
  std::atomic<bool> inside{false};

 private:
  const milliseconds keep_;
  std::mutex mutex_;
};

void meet_sink(milliseconds keep) {
  const auto sink = std::make_shared<Locking>(keep);
  dlog::add_sink(sink);
  dlog::info("slow");
  while (!sink->inside) std::this_thread::yield();
  const Clock::time_point begin = Clock::now();
  const pid_t pid = method();
  const long long fork_ms = ms_since(begin);
  const int before = sink->calls;
  const int status = child_of(pid, [&] {
    dlog::info("the child says");
    dlog::flush();
    std::printf("the sink was %s\n", sink->calls == before ? "not called" : "called");
  });
  report(status, fork_ms, ms_since(begin));
  dlog::info("the parent says");
}

struct Forking : dlog::Sink {
  explicit Forking(std::function<void()> in_child) : body(std::move(in_child)) {}
  void accept(const dlog::Event& event) override {
    if (event.record == nullptr || event.record->message != "fork now") return;
    const Clock::time_point begin = Clock::now();
    pid = method();
    fork_ms = ms_since(begin);
    if (pid == 0) child_of(pid, body);
  }
  void flush() override {}
  std::function<void()> body;
  pid_t pid = -1;
  long long fork_ms = 0;
};

void fork_within(std::function<void()> in_child) {
  const auto sink = std::make_shared<Forking>(std::move(in_child));
  dlog::add_sink(sink);
  dlog::info("fork now");
  dlog::flush(std::chrono::seconds{30});
  const Clock::time_point begin = Clock::now();
  report(wait_for(sink->pid), sink->fork_ms, ms_since(begin));
  dlog::info("the parent says");
}

void step() {
  fork_within([] {
    std::thread([] { dlog::info("the child's thread says"); }).join();
    for (int i = 0; i < 100; ++i) dlog::info("the child says {}", i);
    const bool complete = dlog::flush().complete;
    dlog::info("complete {}", complete);
  });
}

void stays() {
  dlog::add_sink(std::make_shared<dlog::MemoryScreen>());
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    for (int i = 0; !stop; ++i) {
      for (int k = 0; k < 50; ++k) dlog::debug("busy {}", i);
      std::this_thread::sleep_for(std::chrono::microseconds(1000));
    }
  });
  dlog::set_level(dlog::Level::debug);
  for (int i = 0; i < 40; ++i) {
    const Clock::time_point begin = Clock::now();
    const int status = child_of(method(), [&] { dlog::info("child {} says", i); });
    report(status, 0, ms_since(begin));
  }
  stop = true;
  busy.join();
}

void level() {
  dlog::set_level(dlog::Level::warn);
  const int status = child_of(method(), [] {
    std::printf("level %d\n", static_cast<int>(dlog::level()));
    dlog::info("not this");
    dlog::warn("the child says");
    std::printf("level %d\n", static_cast<int>(dlog::level()));
  });
  report(status, 0, 0);
}

void unannounced() {
  dlog::Config config;
  config.set_environment = false;
  dlog::init(config);
  dlog::info("the parent says");
  const int status = child_of(method(), [] {
    dlog::info("the child says, {}", dlog::role() == dlog::Role::child ? "child" : "aggregator");
    const int grandchild = child_of(method(), [] {
      dlog::info("the grandchild says, {}", dlog::role() == dlog::Role::child ? "child" : "aggregator");
    });
    if (grandchild != 0) std::exit(1);
  });
  report(status, 0, 0);
}

void file() {
  dlog::info("the parent says");
  dlog::flush();
  const int status = child_of(method(), [] {
    dlog::info("the child says");
    dlog::flush();
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code failed;
      if (std::filesystem::read_symlink(entry, failed).filename() == "the.log") ++files;
    }
    std::printf("files %d\n", files);
  });
  report(status, 0, 0);
}

void nothing_more(int) {}

// The console takes nothing, so that the main thread stays in dlog's handler for a while.
void handler() {
  signal(SIGINT, nothing_more);
  dlog::Config config;
  config.handle_signals = true;
  dlog::init(config);
  const std::string text(1000, 'x');
  for (int i = 0; i < 300; ++i) dlog::info("{}", text);
  std::this_thread::sleep_for(milliseconds{100});
  std::thread other([] {
    std::this_thread::sleep_for(milliseconds{300});
    const Clock::time_point begin = Clock::now();
    const int status = child_of(method(), [] {
      unsetenv("DLOG_PIPE");
      setenv("DLOG_OUTPUT_FD", "1", 1);
      dlog::warn("the child says");
      raise(SIGTERM);
    });
    report(status, 0, ms_since(begin));
  });
  raise(SIGINT);
  other.join();
  _exit(0);
}

void* page = nullptr;
pid_t forked = -1;

void fork_in_handler(int) {
  signal(SIGSEGV, SIG_DFL);
  mprotect(page, 4096, PROT_READ | PROT_WRITE);
  std::memset(page, 'x', 100);
  forked = method();
}

// The call comes to a page that cannot be read while it copies its argument.
void call() {
  page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  signal(SIGSEGV, fork_in_handler);
  dlog::info("the parent says");
  dlog::info("interrupted{}", std::string_view(static_cast<const char*>(page), 100));
  const int status = child_of(forked, [] {
    for (int i = 0; i < 3; ++i) dlog::info("the child says {}", i);
  });
  report(status, 0, 0);
}

// Another thread is inside a slow call (shims/t_slow_calls.cpp), which is `slow` while that variable is set.
void meet_slow_call(const char* slow, void (*in_thread)()) {
  dlog::init();
  dlog::flush();
  setenv(slow, "1", 1);
  std::thread first(in_thread);
  std::this_thread::sleep_for(milliseconds{100});
  const Clock::time_point begin = Clock::now();
  const int status = child_of(method(), [slow] {
    unsetenv(slow);
    dlog::info("the child says");
  });
  report(status, 0, ms_since(begin));
  first.join();
}

void fork_at_exit() {
  const int status = child_of(method(), [] {
    dlog::info("the child says 0");
    dlog::info("the child says 1");
  });
  report(status, 0, 0);
  dlog::info("the parent says");
}

// Registered before dlog's own handler, it runs after it.
void at_exit() {
  std::atexit(fork_at_exit);
  dlog::init();
}

// A child of no dlog's says something of times of its own: the log thread asks for their zones, and is asking when this forks.
void old_record() {
  dlog::init();
  const std::string address = dlog::pipe_address();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
  const int child = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(child, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) std::exit(1);
  for (const char* const time : {"1998-06-01T00:00:00.000Z", "1999-06-01T00:00:00.000Z"}) {
    const std::string frame = std::string("\0\0\0\x25\0\2\0\0\0\3old\0\0\0\x18", 17) + time;
    if (write(child, frame.data(), frame.size()) != static_cast<ssize_t>(frame.size())) std::exit(1);
    std::this_thread::sleep_for(milliseconds{100});
    setenv("T_SLOW_ZONE", "1", 1);
  }
  const Clock::time_point begin = Clock::now();
  const int status = child_of(method(), [] {
    unsetenv("T_SLOW_ZONE");
    dlog::info("the child says");
  });
  report(status, 0, ms_since(begin));
}

// The console's opening asks, and must have done so before the log thread shows the first record.
void zone() {
  setenv("T_SLOW_ZONE", "1", 1);
  dlog::info("the parent says");
  std::this_thread::sleep_for(milliseconds{100});
  const int status = child_of(method(), [] {
    unsetenv("T_SLOW_ZONE");
    dlog::info("the child says");
  });
  report(status, 0, 0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::function<void()>> meetings{
      {"sink", [] { meet_sink(milliseconds{10}); }},
      {"stuck", [] { meet_sink(milliseconds{1000}); }},
      {"within", [] { fork_within([] { dlog::info("the child says"); }); }},
      {"step", step},
      {"stays", stays},
      {"level", level},
      {"unannounced", unannounced},
      {"file", file},
      {"handler", handler},
      {"call", call},
      {"key", [] { meet_slow_call("T_SLOW_KEY", [] { dlog::info("the thread says"); }); }},
      {"arena",
       [] { meet_slow_call("T_SLOW_ARENA", [] { dlog::info("the thread says {}", std::string(100, 'x')); }); }},
      {"zone", zone},
      {"old record", old_record},
      {"exit", at_exit},
  };
  const auto found = meetings.find(argc > 1 ? argv[1] : "");
  if (found == meetings.end()) {
    std::puts("t_fork_meets <what> [fork|_Fork]");
    return 64;
  }
  if (argc > 2 && std::string(argv[2]) == "_Fork") method = reinterpret_cast<pid_t (*)()>(dlsym(RTLD_DEFAULT, "_Fork"));
  if (method == nullptr) {
    std::puts("no _Fork");
    return 0;
  }
  found->second();
}
