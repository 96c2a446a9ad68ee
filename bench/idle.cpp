// What a logger costs that has nothing to do, and how soon it is back: one record, one quiet second, then its threads are
// watched; then the next record, timed until it stands in the file. Built for several loggers. Prints one line of JSON.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include DLOG_BENCH_PEER

#include "options.hpp"
#include "rest.hpp"
#include "shown.hpp"

int main(int count, char** arguments) {
  const bench::Options options(count, arguments, {{"file", ""}, {"seconds", "3"}, {"trials", "3"}});
  const std::string& file = options.text("file");
  bench::nap_precisely();
  bench::Peer peer;
  peer.start(file);
  peer.three_ints(0, 0, 0);
  bench::wait_beyond(file, 0);

  std::this_thread::sleep_for(std::chrono::seconds(1));
  const double seconds = static_cast<double>(options.number("seconds"));
  const bench::Activity before = bench::activity_of(getpid());
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const bench::Activity after = bench::activity_of(getpid());
  const bench::Rest rest = bench::rest_between(before, after, seconds);

  double call_us = 0;
  double shown_us = 0;
  for (std::uint64_t trial = 0; trial < options.number("trials"); ++trial) {
    if (trial > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    std::int64_t called_ns = 0;
    shown_us = std::max(shown_us, bench::shown_after_us(file, [&] {
                          const std::int64_t start = bench::steady_ns();
                          peer.three_ints(1, 2, 3);
                          called_ns = bench::steady_ns() - start;
                        }));
    call_us = std::max(call_us, static_cast<double>(called_ns) / 1e3);
  }
  std::printf(
      "{\"bench\": \"idle\", \"peer\": \"%s\", \"switches_a_second\": %.2f, \"core_percent\": %.3f, "
      "\"waking_call_us\": %.1f, \"next_shown_ms\": %.2f}\n",
      bench::Peer::name, rest.switches, rest.core_percent, call_us, shown_us / 1e3);
}
