// A parent and a child of dlog's at rest: each logs once, one quiet second passes, then the threads of both are watched; then
// the child's next record, timed until it stands in the parent's file. Prints one line of JSON.
#include <dlog/dlog.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "child_process.hpp"
#include "options.hpp"
#include "peers/dlog.hpp"
#include "rest.hpp"
#include "shown.hpp"

namespace {

// Logs once at first, and whenever it is poked.
int child() {
  dlog::info("child up");
  std::puts("ready");
  std::fflush(stdout);
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) == 1) dlog::info("child poked");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(count, arguments, {{"role", "parent"}, {"file", ""}, {"seconds", "3"}, {"trials", "3"}});
  if (options.text("role") == "child") return child();

  const std::string& file = options.text("file");
  bench::nap_precisely();
  bench::Peer().start(file);
  dlog::info("parent up");
  bench::wait_beyond(file, 0);
  bench::ChildProcess child({"--role=child"});
  child.line();

  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  const double seconds = static_cast<double>(options.number("seconds"));
  const bench::Activity parent_before = bench::activity_of(getpid());
  const bench::Activity child_before = bench::activity_of(child.pid());
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const bench::Rest parent_rest = bench::rest_between(parent_before, bench::activity_of(getpid()), seconds);
  const bench::Rest child_rest = bench::rest_between(child_before, bench::activity_of(child.pid()), seconds);

  double parent_us = 0;
  double child_us = 0;
  for (std::uint64_t trial = 0; trial < options.number("trials"); ++trial) {
    if (trial > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    child_us = std::max(child_us, bench::shown_after_us(file, [&] { child.poke(); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    parent_us = std::max(parent_us, bench::shown_after_us(file, [] { dlog::info("parent again"); }));
  }
  child.go();
  child.wait();
  std::printf(
      "{\"bench\": \"idle_family\", \"parent_switches_a_second\": %.2f, \"parent_core_percent\": %.3f, "
      "\"child_switches_a_second\": %.2f, \"child_core_percent\": %.3f, \"parent_next_shown_ms\": %.2f, "
      "\"child_next_shown_ms\": %.2f}\n",
      parent_rest.switches, parent_rest.core_percent, child_rest.switches, child_rest.core_percent, parent_us / 1e3,
      child_us / 1e3);
}
