// What the start of dlog costs the program: a child's dlog::init(), which connects; and the very first call where nobody has called
// init(), in a child and in a process of its own. Each in processes that do nothing else. Calls in whose middle the kernel gave the
// core to somebody else are counted, and the worst is told with and without them. Prints one line of JSON.
#include <dlog/dlog.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bursts.hpp"
#include "child_process.hpp"
#include "options.hpp"
#include "peers/dlog.hpp"
#include "process.hpp"
#include "ticks.hpp"

namespace {

int fresh_process(const std::string& role) {
  if (role == "alone") {
    unsetenv("DLOG_PIPE");
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
  }
  const std::int64_t interruptions = bench::interruptions();
  const std::int64_t start = bench::steady_ns();
  if (role == "connect") dlog::init();
  else dlog::info("first");
  const std::int64_t end = bench::steady_ns();
  std::printf("%lld\n%lld\n", static_cast<long long>(end - start),
              static_cast<long long>(bench::interruptions() - interruptions));
  return 0;
}

struct Took {
  std::vector<double> us{};  // sorted
  double max_alone_us = 0;   // of those that were not interrupted
  int interrupted = 0;
};

Took measure(const std::string& role, std::uint64_t processes) {
  Took took;
  for (std::uint64_t i = 0; i < processes; ++i) {
    bench::ChildProcess child({"--role=" + role});
    took.us.push_back(child.number() / 1e3);
    if (child.number() != 0) ++took.interrupted;
    else took.max_alone_us = std::max(took.max_alone_us, took.us.back());
    child.wait();
  }
  std::sort(took.us.begin(), took.us.end());
  return took;
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(count, arguments, {{"role", "parent"}, {"file", ""}, {"processes", "50"}});
  if (options.text("role") != "parent") return fresh_process(options.text("role"));

  bench::Peer().start(options.text("file"));
  const Took connect = measure("connect", options.number("processes"));
  const Took child = measure("child", options.number("processes"));
  const Took alone = measure("alone", options.number("processes"));
  std::printf(
      "{\"bench\": \"dlog_start\", \"connect_us\": %.1f, \"connect_max_us\": %.1f, \"first_in_child_us\": %.1f, "
      "\"first_in_child_max_us\": %.1f, \"first_in_child_own_max_us\": %.1f, \"first_alone_us\": %.1f, "
      "\"first_alone_max_us\": %.1f, \"first_alone_own_max_us\": %.1f, \"connect_own_max_us\": %.1f, "
      "\"interrupted\": %d}\n",
      bench::at(connect.us, 0.5), connect.us.back(), bench::at(child.us, 0.5), child.us.back(), child.max_alone_us,
      bench::at(alone.us, 0.5), alone.us.back(), alone.max_alone_us, connect.max_alone_us,
      connect.interrupted + child.interrupted + alone.interrupted);
}
