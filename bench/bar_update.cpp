// What one step of a live bar costs its caller, beside a relaxed fetch_add on a counter of its own: with one thread, and with two
// on the same bar. The two take turns. Built for several libraries. Prints one line of JSON.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include DLOG_BENCH_PEER

#include "options.hpp"
#include "terminal.hpp"
#include "ticks.hpp"

namespace {

struct alignas(64) Counter {
  std::atomic<std::uint64_t> value{0};
};

// Nanoseconds a step, as each of the threads sees it.
template <class Step>
double ns_each(int threads, std::uint64_t steps, const Step& step) {
  std::atomic<int> ready{0};
  std::vector<std::int64_t> took(static_cast<std::size_t>(threads));
  const auto run = [&](std::size_t thread) {
    ready.fetch_add(1);
    while (ready.load() < threads) {
    }
    const std::int64_t start = bench::steady_ns();
    for (std::uint64_t i = 0; i < steps; ++i) step();
    took[thread] = bench::steady_ns() - start;
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(run, static_cast<std::size_t>(i));
  run(0);
  for (std::thread& other : others) other.join();
  std::int64_t sum = 0;
  for (const std::int64_t ns : took) sum += ns;
  return static_cast<double>(sum) / static_cast<double>(threads) / static_cast<double>(steps);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// So many steps as take some milliseconds.
template <class Step>
std::uint64_t steps_for_a_turn(double turn_ms, const Step& step) {
  std::uint64_t steps = 16;
  while (ns_each(1, steps, step) * static_cast<double>(steps) < turn_ms * 1e6) steps *= 2;
  return steps;
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(count, arguments, {{"turns", "21"}, {"turn_ms", "20"}});
  const double turn_ms = static_cast<double>(options.number("turn_ms"));
  bench::Terminal terminal(100, 24);
  // The total is never reached: it stays a live bar.
  const auto peer = std::make_unique<bench::BarPeer>(terminal, std::uint64_t{1} << 50);
  const auto counter = std::make_unique<Counter>();
  const auto step = [&bar = *peer] { bar.update(); };
  const auto add = [&value = counter->value] { value.fetch_add(1, std::memory_order_relaxed); };

  std::string line = std::string("{\"bench\": \"bar_update\", \"peer\": \"") + bench::BarPeer::name + '"';
  for (const int threads : {1, 2}) {
    const std::uint64_t steps = steps_for_a_turn(turn_ms, step);
    const std::uint64_t adds = steps_for_a_turn(turn_ms, add);
    std::vector<double> own;
    std::vector<double> bare;
    std::vector<double> ratios;
    for (std::uint64_t turn = 0; turn < options.number("turns"); ++turn) {
      if (turn % 2 == 0) own.push_back(ns_each(threads, steps, step));
      bare.push_back(ns_each(threads, adds, add));
      if (turn % 2 != 0) own.push_back(ns_each(threads, steps, step));
      ratios.push_back(own.back() / bare.back());
    }
    char text[160];
    std::snprintf(text, sizeof text, ", \"ns_%d\": %.2f, \"fetch_add_ns_%d\": %.2f, \"ratio_%d\": %.3f", threads,
                  median(own), threads, median(bare), threads, median(ratios));
    line += text;
  }
  std::printf("%s, \"bytes\": %llu}\n", line.c_str(), static_cast<unsigned long long>(terminal.bytes()));
}
