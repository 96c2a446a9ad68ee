// What a logging call costs the thread that makes it, while nothing piles up: bursts of 20 calls with pauses between them.
// Built once for every logger. Prints one line of JSON; all figures are nanoseconds a call.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include DLOG_BENCH_PEER

#include "bursts.hpp"
#include "options.hpp"
#include "records.hpp"
#include "ticks.hpp"

namespace {

bench::Peer peer;

struct Work {
  bool ints = false;
  std::uint64_t threads = 1;
  std::uint64_t bursts = 0;  // of each thread

  // Each thread has its range of numbers, the first of them for the call that is not timed; two records come before.
  std::uint64_t records_of_a_thread() const { return 1 + bursts * bench::calls_in_a_burst; }
  std::uint64_t records() const { return 2 + threads * records_of_a_thread(); }
};

void call(bool ints, std::uint64_t number, const std::string* names) {
  if (ints) {
    peer.three_ints(static_cast<int>(number), static_cast<int>(number & 1023), -7);
  } else {
    peer.record_a(number, static_cast<double>(number % 4096) / 8, names[number % bench::name_count]);
  }
}

void log_bursts(const Work& work, std::uint64_t first_number, std::atomic<std::uint64_t>& ready,
                std::vector<std::uint64_t>& took) {
  const std::string* const names = bench::names().data();
  peer.thread_start();
  call(work.ints, first_number, names);
  bench::Pause pause(work.threads + 1);
  ready.fetch_add(1);
  while (ready.load() < work.threads) {
  }
  bench::time_bursts(work.bursts, pause, took, [&](std::uint64_t burst, std::uint64_t i) {
    call(work.ints, first_number + 1 + burst * bench::calls_in_a_burst + i, names);
  });
}

// A thread's very first call, nothing prepared.
std::uint64_t timed_first_call(bool ints, std::uint64_t number) {
  const std::string* const names = bench::names().data();
  const std::uint64_t start = bench::ticks();
  call(ints, number, names);
  return bench::ticks() - start;
}

std::vector<std::uint64_t> run(const Work& work) {
  std::atomic<std::uint64_t> ready{0};
  std::vector<std::vector<std::uint64_t>> took(work.threads);
  std::vector<std::thread> threads;
  std::uint64_t number = 2;
  for (auto& mine : took) {
    mine.reserve(work.bursts);
    threads.emplace_back([&work, &ready, &mine, number] { log_bursts(work, number, ready, mine); });
    number += work.records_of_a_thread();
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::uint64_t> all;
  for (const auto& mine : took) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(count, arguments,
                               {{"file", ""}, {"record", "a"}, {"threads", "1"}, {"samples", "20000"}});
  Work work{.ints = options.text("record") == "ints", .threads = std::max<std::uint64_t>(1, options.number("threads"))};
  work.bursts = std::max<std::uint64_t>(1, options.number("samples") / work.threads);
  const double ns_per_tick = bench::measure_ns_per_tick();

  peer.start(options.text("file"));
  const std::uint64_t first = timed_first_call(work.ints, 0);
  std::uint64_t first_of_second_thread = 0;
  std::thread([&] { first_of_second_thread = timed_first_call(work.ints, 1); }).join();
  const std::vector<std::uint64_t> took = run(work);
  peer.stop();

  const bench::Found found = bench::find_records(
      options.text("file"), work.ints ? bench::three_ints_word : bench::record_a_word, work.records());
  const auto at = [&](double part) { return bench::call_ns_at(took, part, ns_per_tick); };
  std::printf(
      "{\"bench\": \"caller_latency\", \"peer\": \"%s\", \"record\": \"%s\", \"threads\": %llu, \"samples\": %zu, "
      "\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.0f, \"first\": %.0f, \"first_of_second_thread\": %.0f, "
      "\"lost\": %llu, \"extra\": %llu}\n",
      bench::Peer::name, work.ints ? "ints" : "a", static_cast<unsigned long long>(work.threads), took.size(), at(0.5),
      at(0.99), at(0.999), at(1), static_cast<double>(first) * ns_per_tick,
      static_cast<double>(first_of_second_thread) * ns_per_tick, static_cast<unsigned long long>(found.lost),
      static_cast<unsigned long long>(found.extra));
}
