// Live bars that are counted on ten times a second, on a terminal: CPU time of the whole process, the reader of the terminal
// and the caller included, and what was written. Prints one line of JSON.
#include <dlog/dlog.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "options.hpp"
#include "process.hpp"
#include "terminal.hpp"

namespace {

constexpr std::chrono::milliseconds step{100};

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(count, arguments,
                               {{"bars", "100"}, {"rows", "24"}, {"columns", "80"}, {"seconds", "10"}});
  bench::Terminal terminal(static_cast<unsigned short>(options.number("columns")),
                           static_cast<unsigned short>(options.number("rows")));
  dlog::Config config;
  config.output_fd = terminal.descriptor();
  config.progress = dlog::ProgressMode::bar;
  config.join_parent = false;
  dlog::init(config);

  const std::uint64_t seconds = options.number("seconds");
  const auto steps = static_cast<std::int64_t>(seconds) * (std::chrono::seconds(1) / step);
  std::vector<dlog::ProgressBar> bars;
  for (std::uint64_t i = 0; i < options.number("bars"); ++i) {
    bars.emplace_back("Reading " + std::to_string(i), 2 * steps);
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));  // started, and all of them drawn

  const double before = bench::cpu_seconds();
  const double caller_before = bench::thread_cpu_seconds();
  const double reader_before = terminal.reader_seconds();
  const std::uint64_t bytes_before = terminal.bytes();
  const std::uint64_t frames_before = terminal.frames();
  auto next = std::chrono::steady_clock::now();
  const auto start = next;
  for (std::int64_t i = 0; i < steps; ++i) {
    for (dlog::ProgressBar& bar : bars) ++bar;
    std::this_thread::sleep_until(next += step);
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto percent = [took](double cpu_seconds) { return 100 * cpu_seconds / took; };
  const double caller = bench::thread_cpu_seconds() - caller_before;
  const double reader = terminal.reader_seconds() - reader_before;
  // The rest is what dlog's own thread took.
  const double own = bench::cpu_seconds() - before - caller - reader;
  std::printf(
      "{\"bench\": \"bars_cpu\", \"bars\": %zu, \"rows\": %llu, \"dlog_percent\": %.4f, \"caller_percent\": %.4f, "
      "\"reader_percent\": %.4f, \"frames_a_second\": %.2f, \"bytes_a_second\": %.0f}\n",
      bars.size(), static_cast<unsigned long long>(options.number("rows")), percent(own), percent(caller),
      percent(reader), static_cast<double>(terminal.frames() - frames_before) / took,
      static_cast<double>(terminal.bytes() - bytes_before) / took);
  std::fflush(stdout);
}
