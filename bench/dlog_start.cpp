// What the start of dlog costs the program: a child's dlog::init(), which connects; and the very first call where nobody has
// called init(), in a child and in a process of its own. Each in processes that do nothing else. Prints one line of JSON.
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
#include "ticks.hpp"

namespace {

int fresh_process(const std::string& role) {
  if (role == "alone") {
    unsetenv("DLOG_PIPE");
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
  }
  const std::int64_t start = bench::steady_ns();
  if (role == "connect") dlog::init();
  else dlog::info("first");
  std::printf("%lld\n", static_cast<long long>(bench::steady_ns() - start));
  return 0;
}

// Sorted microseconds.
std::vector<double> measure(const std::string& role, std::uint64_t processes) {
  std::vector<double> took;
  for (std::uint64_t i = 0; i < processes; ++i) {
    bench::ChildProcess child({"--role=" + role});
    took.push_back(child.number() / 1e3);
    child.wait();
  }
  std::sort(took.begin(), took.end());
  return took;
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(count, arguments, {{"role", "parent"}, {"file", ""}, {"processes", "50"}});
  if (options.text("role") != "parent") return fresh_process(options.text("role"));

  bench::Peer().start(options.text("file"));
  const std::vector<double> connect = measure("connect", options.number("processes"));
  const std::vector<double> child = measure("child", options.number("processes"));
  const std::vector<double> alone = measure("alone", options.number("processes"));
  std::printf(
      "{\"bench\": \"dlog_start\", \"connect_us\": %.1f, \"connect_max_us\": %.1f, \"first_in_child_us\": %.1f, "
      "\"first_in_child_max_us\": %.1f, \"first_alone_us\": %.1f, \"first_alone_max_us\": %.1f}\n",
      bench::at(connect, 0.5), connect.back(), bench::at(child, 0.5), child.back(), bench::at(alone, 0.5),
      alone.back());
}
