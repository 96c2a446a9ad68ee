// Children whose bars are counted on as fast as they can: what that costs the parent, which draws them on a terminal, and how
// many changes of a bar come over the wire. Prints one line of JSON.
#include <dlog/dlog.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "child_process.hpp"
#include "options.hpp"
#include "process.hpp"
#include "terminal.hpp"
#include "ticks.hpp"

namespace {

// Counts what children say of their bars.
class Count : public dlog::Sink {
 public:
  void accept(const dlog::Event& event) override {
    if (event.bar != nullptr && event.source.id != 0) changes_.fetch_add(1, std::memory_order_relaxed);
  }
  void flush() override {}
  std::uint64_t changes() const { return changes_; }

 private:
  std::atomic<std::uint64_t> changes_{0};
};

int child(const bench::Options& options) {
  dlog::init();
  std::vector<dlog::ProgressBar> bars;
  for (std::uint64_t i = 0; i < options.number("bars"); ++i) {
    bars.emplace_back("Reading " + std::to_string(i), std::uint64_t{1} << 50);
  }
  bench::ready_then_wait();
  const std::int64_t end = bench::steady_ns() + static_cast<std::int64_t>(options.number("seconds")) * 1'000'000'000;
  while (bench::steady_ns() < end) {
    for (int i = 0; i < 1000; ++i) {
      for (dlog::ProgressBar& bar : bars) ++bar;
    }
  }
  std::printf("%llu\n", static_cast<unsigned long long>(bars.front().value()));
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(
      count, arguments,
      {{"role", "parent"}, {"children", "10"}, {"bars", "10"}, {"rows", "24"}, {"columns", "80"}, {"seconds", "5"}});
  if (options.text("role") == "child") return child(options);

  bench::Terminal terminal(static_cast<unsigned short>(options.number("columns")),
                           static_cast<unsigned short>(options.number("rows")));
  dlog::Config config;
  config.output_fd = terminal.descriptor();
  config.progress = dlog::ProgressMode::bar;
  config.join_parent = false;
  dlog::init(config);
  const auto changes = std::make_shared<Count>();
  dlog::add_sink(changes);

  const std::uint64_t seconds = options.number("seconds");
  std::vector<bench::ChildProcess> children;
  children.reserve(options.number("children"));
  for (std::uint64_t i = 0; i < options.number("children"); ++i) {
    // A second longer than is measured: all of them are at work all the time.
    children.emplace_back(std::vector<std::string>{"--role=child", "--bars=" + options.text("bars"),
                                                   "--seconds=" + std::to_string(seconds + 1)});
  }
  for (bench::ChildProcess& child : children) child.line();
  for (bench::ChildProcess& child : children) child.go();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));

  const double before = bench::cpu_seconds();
  const double reader_before = terminal.reader_seconds();
  const std::uint64_t changes_before = changes->changes();
  const std::uint64_t frames_before = terminal.frames();
  const std::int64_t start = bench::steady_ns();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const double took = static_cast<double>(bench::steady_ns() - start) / 1e9;
  const double core = 100 * (bench::cpu_seconds() - before) / took;
  const double reader = 100 * (terminal.reader_seconds() - reader_before) / took;
  const auto changed = static_cast<double>(changes->changes() - changes_before);
  const double frames = static_cast<double>(terminal.frames() - frames_before) / took;

  double counted = 0;
  for (bench::ChildProcess& child : children) counted += child.number();
  for (bench::ChildProcess& child : children) child.wait();
  const auto bars = static_cast<double>(options.number("children") * options.number("bars"));
  std::printf(
      "{\"bench\": \"bars_children\", \"children\": %zu, \"bars\": %.0f, \"core_percent\": %.3f, \"reader_percent\": "
      "%.3f, \"changes_a_second_and_bar\": %.2f, \"frames_a_second\": %.2f, \"million_steps_a_second\": %.0f}\n",
      children.size(), bars, core, reader, changed / took / bars, frames,
      counted / static_cast<double>(children.size()) * bars / static_cast<double>(seconds + 1) / 1e6);
  std::fflush(stdout);
}
