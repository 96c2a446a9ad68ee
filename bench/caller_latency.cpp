// What a logging call costs the thread that makes it, while nothing piles up: bursts of 20 calls with pauses between them.
// Built once for every logger. Prints one line of JSON; all figures are nanoseconds a call.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include DLOG_BENCH_PEER

#include "options.hpp"
#include "records.hpp"
#include "ticks.hpp"

namespace {

constexpr std::uint64_t calls_in_a_burst = 20;
constexpr int pause_us_min = 200;
constexpr int pause_us_max = 400;
// With no core to spare the pause must leave one to the logger's thread; it ends awake all the same, as a busy caller is.
constexpr std::chrono::microseconds awake_before_burst{50};

bench::Peer peer;
std::atomic<std::uint64_t> next_number{0};

struct Work {
  bool ints = false;
  std::uint64_t threads = 1;
  std::uint64_t bursts = 0;  // of each thread
};

void call(bool ints, std::uint64_t number) {
  if (ints) {
    peer.three_ints(static_cast<int>(number), static_cast<int>(number & 1023), -7);
  } else {
    peer.record_a(number, static_cast<double>(number % 4096) / 8, bench::names()[number % 64]);
  }
}

void pause(std::mt19937& random, bool sleep) {
  const auto end = bench::Steady::now() +
                   std::chrono::microseconds(std::uniform_int_distribution(pause_us_min, pause_us_max)(random));
  if (sleep) std::this_thread::sleep_until(end - awake_before_burst);
  while (bench::Steady::now() < end) {
  }
}

std::uint64_t timed_burst(bool ints, std::uint64_t number) {
  const std::uint64_t start = bench::ticks();
  for (std::uint64_t i = 0; i < calls_in_a_burst; ++i) call(ints, number + i);
  return bench::ticks() - start;
}

void log_bursts(const Work& work, std::atomic<std::uint64_t>& ready, std::vector<std::uint64_t>& took) {
  peer.thread_start();
  call(work.ints, next_number.fetch_add(1));
  std::mt19937 random(std::random_device{}());
  const bool sleep = work.threads + 1 > std::thread::hardware_concurrency();
  ready.fetch_add(1);
  while (ready.load() < work.threads) {
  }
  for (std::uint64_t burst = 0; burst < work.bursts; ++burst) {
    pause(random, sleep);
    took.push_back(timed_burst(work.ints, next_number.fetch_add(calls_in_a_burst)));
  }
}

// A thread's very first call, nothing prepared.
std::uint64_t timed_first_call(bool ints) {
  const std::uint64_t number = next_number.fetch_add(1);
  const std::uint64_t start = bench::ticks();
  call(ints, number);
  return bench::ticks() - start;
}

std::vector<std::uint64_t> run(const Work& work) {
  std::atomic<std::uint64_t> ready{0};
  std::vector<std::vector<std::uint64_t>> took(work.threads);
  std::vector<std::thread> threads;
  for (auto& mine : took) {
    mine.reserve(work.bursts);
    threads.emplace_back([&work, &ready, &mine] { log_bursts(work, ready, mine); });
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
  bench::names();

  peer.start(options.text("file"));
  const std::uint64_t first = timed_first_call(work.ints);
  std::uint64_t first_of_second_thread = 0;
  std::thread([&] { first_of_second_thread = timed_first_call(work.ints); }).join();
  const std::vector<std::uint64_t> took = run(work);
  peer.stop();

  const bench::Found found =
      bench::find_records(options.text("file"), work.ints ? bench::three_ints_word : bench::record_a_word, next_number);
  const auto at = [&](double part) {
    const auto rank = static_cast<std::size_t>(std::ceil(static_cast<double>(took.size()) * part));
    return static_cast<double>(took[std::max<std::size_t>(rank, 1) - 1]) * ns_per_tick / calls_in_a_burst;
  };
  std::printf(
      "{\"bench\": \"caller_latency\", \"peer\": \"%s\", \"record\": \"%s\", \"threads\": %llu, \"samples\": %zu, "
      "\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.0f, \"first\": %.0f, \"first_of_second_thread\": %.0f, "
      "\"lost\": %llu, \"extra\": %llu}\n",
      bench::Peer::name, work.ints ? "ints" : "a", static_cast<unsigned long long>(work.threads), took.size(), at(0.5),
      at(0.99), at(0.999), at(1), static_cast<double>(first) * ns_per_tick,
      static_cast<double>(first_of_second_thread) * ns_per_tick, static_cast<unsigned long long>(found.lost),
      static_cast<unsigned long long>(found.extra));
}
