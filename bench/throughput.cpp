// How fast records get into a text file, when threads log as fast as they can: from the first call until all of them stand
// in the file. Built once for every logger. Prints one line of JSON.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include DLOG_BENCH_PEER

#include "options.hpp"
#include "process.hpp"
#include "records.hpp"
#include "ticks.hpp"

namespace {

bench::Peer peer;

void log_range(std::uint64_t begin, std::uint64_t end) {
  const std::string* const names = bench::names().data();
  for (std::uint64_t number = begin; number < end; ++number) {
    peer.record_a(number, static_cast<double>(number % 4096) / 8, names[number % bench::name_count]);
  }
}

// Returns when the first call was made.
std::int64_t run(std::uint64_t threads, std::uint64_t records) {
  std::atomic<bool> go{false};
  std::atomic<std::uint64_t> ready{0};
  std::vector<std::thread> started;
  for (std::uint64_t i = 0; i < threads; ++i) {
    started.emplace_back([&, begin = records * i / threads, end = records * (i + 1) / threads] {
      peer.thread_start();
      ready.fetch_add(1);
      while (!go.load()) std::this_thread::yield();
      log_range(begin, end);
    });
  }
  while (ready.load() < threads) std::this_thread::yield();
  const std::int64_t start = bench::steady_ns();
  go.store(true);
  for (std::thread& thread : started) thread.join();
  return start;
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(count, arguments, {{"file", ""}, {"threads", "1"}, {"records", "2000000"}});
  const std::uint64_t threads = std::max<std::uint64_t>(1, options.number("threads"));
  const std::uint64_t records = options.number("records");

  peer.start(options.text("file"));
  const double cpu_before = bench::cpu_seconds();
  const std::int64_t start = run(threads, records);
  const std::int64_t called = bench::steady_ns();
  peer.stop();
  const std::int64_t end = bench::steady_ns();
  const double cpu = bench::cpu_seconds() - cpu_before;
  const std::uint64_t peak_kib = bench::process_status("VmHWM");

  const bench::Found found = bench::find_records(options.text("file"), bench::record_a_word, records);
  const auto each_ns = [&](std::int64_t ns) { return static_cast<double>(ns) / static_cast<double>(records); };
  std::printf(
      "{\"bench\": \"throughput\", \"peer\": \"%s\", \"threads\": %llu, \"records\": %llu, \"million_per_s\": %.3f, "
      "\"call_ns\": %.0f, \"cpu_ns\": %.0f, \"peak_mib\": %.1f, \"lost\": %llu, \"extra\": %llu}\n",
      bench::Peer::name, static_cast<unsigned long long>(threads), static_cast<unsigned long long>(records),
      1e3 / each_ns(end - start), each_ns(called - start) * static_cast<double>(threads),
      cpu * 1e9 / static_cast<double>(records), static_cast<double>(peak_kib) / 1024,
      static_cast<unsigned long long>(found.lost), static_cast<unsigned long long>(found.extra));
}
