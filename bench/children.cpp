// Children whose records their parent writes to a file. Prints one line of JSON.
//   --mode=flood     K children log as fast as they can: how fast do the lines get into the parent's file?
//   --mode=unloaded  bursts with pauses, in the parent and in a child: what does a call cost?
//   --mode=error     one record of level error at a time in a child: how soon is it in the parent's file?
#include <dlog/dlog.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "bursts.hpp"
#include "child_process.hpp"
#include "options.hpp"
#include "peers/dlog.hpp"
#include "process.hpp"
#include "records.hpp"
#include "shown.hpp"

namespace {

constexpr std::string_view record_word = "record ";
// The end of the file is believed when nothing has come for this long.
constexpr std::int64_t quiet_ns = 400'000'000;

// About 100 bytes of message.
void log_record(std::uint64_t number) {
  dlog::info("record {} of a child that has a lot to say about what it is doing at {} with file_{}.cpp just now",
             number, "tree/leaf", number % 1000);
}

std::vector<std::uint64_t> time_own_bursts(std::uint64_t bursts) {
  log_record(0);
  std::vector<std::uint64_t> took;
  took.reserve(bursts);
  // This process, its log thread, the parent's log thread.
  bench::Pause pause(3);
  bench::time_bursts(bursts, pause, took, [](std::uint64_t, std::uint64_t i) { log_record(i); });
  std::sort(took.begin(), took.end());
  return took;
}

int child(const bench::Options& options) {
  const std::string& mode = options.text("mode");
  const std::uint64_t records = options.number("records");
  dlog::init();
  const double ns_per_tick = bench::measure_ns_per_tick();
  bench::ready_then_wait();
  if (mode == "flood") {
    const std::uint64_t first = options.number("first");
    const std::int64_t start = bench::steady_ns();
    for (std::uint64_t i = 0; i < records; ++i) log_record(first + i);
    const std::int64_t called = bench::steady_ns() - start;
    std::printf("%.1f\n", static_cast<double>(called) / static_cast<double>(records));
  } else if (mode == "unloaded") {
    const std::vector<std::uint64_t> took = time_own_bursts(records / bench::calls_in_a_burst);
    std::printf("%.2f\n%.2f\n", bench::call_ns_at(took, 0.5, ns_per_tick), bench::call_ns_at(took, 0.99, ns_per_tick));
  } else {
    bench::nap_precisely();
    std::vector<double> took;
    for (std::uint64_t i = 0; i < records; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(2000 + i % 7 * 300));
      took.push_back(bench::shown_after_us(options.text("file"), [i] { dlog::error("record {} is an error", i); }));
    }
    std::sort(took.begin(), took.end());
    std::printf("%.1f\n%.1f\n%.1f\n", bench::at(took, 0.5), bench::at(took, 0.99), took.front());
  }
  return 0;
}

std::vector<std::string> child_arguments(const bench::Options& options, std::uint64_t records, std::uint64_t first) {
  return {"--role=child", "--mode=" + options.text("mode"), "--file=" + options.text("file"),
          "--records=" + std::to_string(records), "--first=" + std::to_string(first)};
}

// When did the file stop growing, after all children had ended?
std::int64_t last_growth_ns(const std::string& file, std::vector<bench::ChildProcess>& children) {
  std::uint64_t bytes = 0;
  std::size_t ended = 0;
  std::int64_t grew = bench::steady_ns();
  std::int64_t moved = grew;
  while (ended < children.size() || bench::steady_ns() - moved < quiet_ns) {
    if (ended < children.size() && children[ended].ended()) {
      ++ended;
      moved = bench::steady_ns();
    }
    if (const std::uint64_t now = bench::file_bytes(file); now != bytes) {
      bytes = now;
      grew = moved = bench::steady_ns();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return grew;
}

void flood(const bench::Options& options) {
  const std::uint64_t count = std::max<std::uint64_t>(1, options.number("children"));
  const std::uint64_t each = options.number("records") / count;
  std::vector<bench::ChildProcess> children;
  children.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) children.emplace_back(child_arguments(options, each, i * each));
  for (bench::ChildProcess& child : children) child.line();
  const std::int64_t start = bench::steady_ns();
  for (bench::ChildProcess& child : children) child.go();
  const std::int64_t end = last_growth_ns(options.text("file"), children);
  const std::uint64_t peak_kib = bench::process_status("VmHWM");
  std::vector<double> call_ns;
  for (bench::ChildProcess& child : children) call_ns.push_back(child.number());
  std::sort(call_ns.begin(), call_ns.end());
  const bench::Found found = bench::find_records(options.text("file"), record_word, count * each);
  std::printf(
      "{\"bench\": \"children\", \"children\": %llu, \"records\": %llu, \"million_per_s\": %.3f, \"call_ns\": %.0f, "
      "\"peak_mib\": %.1f, \"lost\": %llu, \"extra\": %llu}\n",
      static_cast<unsigned long long>(count), static_cast<unsigned long long>(count * each),
      static_cast<double>(count * each) * 1e3 / static_cast<double>(end - start), bench::at(call_ns, 0.5),
      static_cast<double>(peak_kib) / 1024, static_cast<unsigned long long>(found.lost),
      static_cast<unsigned long long>(found.extra));
}

void unloaded(const bench::Options& options) {
  const double ns_per_tick = bench::measure_ns_per_tick();
  const std::uint64_t records = options.number("records");
  const std::vector<std::uint64_t> own = time_own_bursts(records / bench::calls_in_a_burst);
  bench::ChildProcess child(child_arguments(options, records, 0));
  child.line();
  child.go();
  const double child_p50 = child.number();
  const double child_p99 = child.number();
  child.wait();
  std::printf(
      "{\"bench\": \"children_unloaded\", \"parent_p50\": %.1f, \"parent_p99\": %.1f, \"child_p50\": %.1f, "
      "\"child_p99\": %.1f}\n",
      bench::call_ns_at(own, 0.5, ns_per_tick), bench::call_ns_at(own, 0.99, ns_per_tick), child_p50, child_p99);
}

void error_latency(const bench::Options& options) {
  bench::ChildProcess child(child_arguments(options, options.number("records"), 0));
  child.line();
  child.go();
  const double p50 = child.number();
  const double p99 = child.number();
  const double least = child.number();
  child.wait();
  std::printf("{\"bench\": \"children_error\", \"p50_us\": %.1f, \"p99_us\": %.1f, \"least_us\": %.1f}\n", p50, p99,
              least);
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(
      count, arguments,
      {{"role", "parent"}, {"mode", "flood"}, {"file", ""}, {"children", "1"}, {"records", "1000000"}, {"first", "0"}});
  if (options.text("role") == "child") return child(options);
  bench::Peer().start(options.text("file"));
  if (options.text("mode") == "flood") flood(options);
  else if (options.text("mode") == "unloaded") unloaded(options);
  else error_latency(options);
}
