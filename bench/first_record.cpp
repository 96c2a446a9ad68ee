// From main() until the first record stands in the file, in one fresh process. Built for several loggers. Prints one
// line of JSON.
#include <cstdio>

#include DLOG_BENCH_PEER

#include "options.hpp"
#include "shown.hpp"
#include "ticks.hpp"

int main(int count, char** arguments) {
  const std::int64_t start = bench::steady_ns();
  const bench::Options options(count, arguments, {{"file", ""}});
  const std::string& file = options.text("file");
  bench::nap_precisely();
  bench::Peer peer;
  peer.start(file);
  const std::int64_t started = bench::steady_ns();
  peer.three_ints(0, 0, 0);
  const std::int64_t called = bench::steady_ns();
  bench::wait_beyond(file, 0);
  const std::int64_t end = bench::steady_ns();
  const auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1e3; };
  std::printf(
      "{\"bench\": \"first_record\", \"peer\": \"%s\", \"start_us\": %.1f, \"call_us\": %.1f, \"shown_us\": %.1f}\n",
      bench::Peer::name, us(started - start), us(called - started), us(end - start));
}
