// The victims: see victim.hpp.
#include "torture/victim.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "dlog/dlog.hpp"
#include "torture/record_text.hpp"
#include "torture/sabotage.hpp"

namespace torture {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t burst = 10;
constexpr std::chrono::milliseconds between_bursts{1};
// A call that takes longer is looked at: did it wait, or had the thread no processor?
constexpr std::chrono::milliseconds long_call{5};

// Known before there are threads: a child would wait for ever for one that was just finding it out when its parent forked.
const Sabotage sabotage = [] {
  const char* const name = std::getenv(sabotage_variable);
  return sabotage_named(name == nullptr ? "none" : name).value_or(Sabotage::none);
}();

// How often this thread gave its processor away by itself. A thread that the system took it from has not been held by a call.
std::int64_t times_slept() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

void log_timed(Entry& entry, std::size_t source, std::uint64_t number, std::int64_t& slept) {
  const Clock::time_point before = Clock::now();
  log_record(entry, source, number);
  const Clock::duration took = Clock::now() - before;
  if (took < long_call) {
    const auto ns = static_cast<std::uint64_t>(took.count());
    if (ns > entry.longest_ns.load(std::memory_order_relaxed)) entry.longest_ns = ns;
    return;
  }
  const std::int64_t slept_now = times_slept();
  if (slept_now == slept) return;
  slept = slept_now;
  entry.longest_ns = std::max<std::uint64_t>(entry.longest_ns, static_cast<std::uint64_t>(took.count()));
}

int run_parent(const std::vector<std::string>&, const Ledger& ledger) {
  dlog::init();
  LedgerPage& page = ledger.page();
  std::size_t place = 0;
  for (const std::string& variable : dlog::child_environment()) {
    if (place == std::size(page.variables) || variable.size() >= sizeof page.variables[0]) return bad_victim;
    std::memcpy(page.variables[place++], variable.c_str(), variable.size() + 1);
  }
  page.ready = 1;
  for (char byte = 0; read(STDIN_FILENO, &byte, 1) > 0;) {
  }
  return 0;
}

// A real fault, which no compiler foresees.
void touch_what_is_not_there() {
  void* const page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(page) = 1;
}

void flush_then(Entry& entry, const std::function<void()>& end) {
  if (dlog::flush(std::chrono::seconds{10})) entry.flushed = entry.accepted.load();
  end();
}

const std::map<std::string_view, std::function<void(Entry&)>>& ending_words() {
  static const std::map<std::string_view, std::function<void(Entry&)>> words{
      {"return", [](Entry&) {}},
      {"exit", [](Entry&) { std::exit(0); }},
      {"quick_exit", [](Entry&) { std::quick_exit(0); }},
      {"abort", [](Entry&) { std::abort(); }},
      {"terminate", [](Entry&) { throw std::runtime_error("nobody catches this, on purpose"); }},
      {"sigterm", [](Entry&) { raise(SIGTERM); }},
      {"sigsegv", [](Entry&) { touch_what_is_not_there(); }},
      {"flush_exit", [](Entry& entry) { flush_then(entry, [] { _exit(0); }); }},
      {"flush_kill", [](Entry& entry) { flush_then(entry, [] { kill(getpid(), SIGKILL); }); }},
  };
  return words;
}

int run_dying(const std::vector<std::string>& words, const Ledger& ledger) {
  const std::size_t source = std::stoul(words.at(1));
  const auto ending = ending_words().find(words.at(3));
  if (source >= entries_max || ending == ending_words().end()) return bad_victim;
  if (words[3] == "sigterm" || words[3] == "sigsegv") {
    dlog::Config config;
    config.handle_signals = true;
    dlog::init(config);
  }
  Entry& entry = ledger.entry(source);
  log_records(entry, source, 0, std::stoull(words.at(2)));
  entry.done = 1;
  ending->second(entry);
  return 0;
}

int run_endless(const std::vector<std::string>& words, const Ledger& ledger) {
  const std::size_t source = std::stoul(words.at(1));
  for (std::uint64_t number = 0;; ++number) log_record(ledger.entry(source), source, number);
}

int run_paced(const std::vector<std::string>& words, const Ledger& ledger) {
  const std::size_t source = std::stoul(words.at(1));
  const std::uint64_t count = std::stoull(words.at(2));
  bool until_stop = words.size() > 3;
  Entry& entry = ledger.entry(source);
  std::int64_t slept = times_slept();
  for (std::uint64_t number = 0, last = count; until_stop || number < last;) {
    if (until_stop && ledger.page().stop != 0) {
      until_stop = false;
      last = number + count;
    }
    for (std::uint64_t i = 0; i < burst && (until_stop || number < last); ++i, ++number)
      log_timed(entry, source, number, slept);
    std::this_thread::sleep_for(between_bursts);
    slept = times_slept();
  }
  end_of_work(entry);
  return 0;
}

int run_flood(const std::vector<std::string>& words, const Ledger& ledger) {
  const std::size_t source = std::stoul(words.at(1));
  Entry& entry = ledger.entry(source);
  std::int64_t slept = times_slept();
  for (std::uint64_t number = 0; ledger.page().stop == 0; ++number) log_timed(entry, source, number, slept);
  flush_and_report(entry, 20'000);
  end_of_work(entry);
  return 0;
}

int run_family(const std::vector<std::string>& words, const Ledger& ledger) {
  dlog::init();
  const std::size_t children = std::stoul(words.at(1));
  std::vector<pid_t> pids(children, -1);
  for (std::size_t i = 0; i < children; ++i) {
    std::vector<std::string> child{"dlog-torture", "victim", "dying", std::to_string(i), words.at(2), "return"};
    std::vector<char*> pointers;
    for (std::string& word : child) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    if (posix_spawn(&pids[i], "/proc/self/exe", nullptr, nullptr, pointers.data(), environ) != 0)
      ledger.entry(i).failed = 1;
    else ledger.entry(i).started = 1;
  }
  for (std::size_t i = 0; i < children; ++i) {
    int status = 0;
    if (pids[i] > 0 && (waitpid(pids[i], &status, 0) != pids[i] || status != 0)) ledger.entry(i).failed = 1;
  }
  return 0;
}

}  // namespace

void log_record(Entry& entry, std::size_t source, std::uint64_t number) {
  std::uint64_t said = number;
  std::string_view text = filler(number);
  bool silent = false;
  if (sabotage != Sabotage::none && number < 2) {
    silent = sabotage == Sabotage::lose && number == 0;
    if (sabotage == Sabotage::exchange) text = filler(said = 1 - number);
    if (sabotage == Sabotage::tear && number == 0) text = "xxxxx";
    if (sabotage == Sabotage::twice && number == 0) dlog::info("rec {} {} {}|", source, number, text);
    if (sabotage == Sabotage::stall && number == 1) std::this_thread::sleep_for(std::chrono::milliseconds{500});
    if (sabotage == Sabotage::crash && number == 1) kill(getpid(), SIGKILL);
  }
  if (!silent) dlog::info("rec {} {} {}|", source, said, text);
  entry.accepted.store(number + 1, std::memory_order_release);
}

void log_records(Entry& entry, std::size_t source, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t number = first; number < last; ++number) log_record(entry, source, number);
  if (sabotage == Sabotage::hang) end_of_work(entry);
}

void flush_and_report(Entry& entry, unsigned deadline_ms) {
  if (dlog::flush(std::chrono::milliseconds{deadline_ms})) entry.flushed = entry.accepted.load();
  const dlog::Stats stats = dlog::stats();
  entry.enqueued = stats.enqueued;
  entry.shown = stats.shown;
  entry.dropped = stats.dropped;
  entry.undeliverable = stats.undeliverable;
}

void end_of_work(Entry& entry) {
  if (sabotage == Sabotage::hang) {
    for (;;) pause();
  }
  entry.done = 1;
}

void die_with_parent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) kill(getpid(), SIGKILL);  // it died before we asked
}

namespace {

// The tool died before this process asked to die with it. It may not have been waited for yet.
bool is_orphan_of(pid_t tool) {
  std::ifstream file("/proc/" + std::to_string(tool) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const std::size_t name_end = stat.rfind(") ");
  const std::string state = name_end == std::string::npos ? "X" : stat.substr(name_end + 2, 1);
  const bool is_dead = state == "X" || state == "Z";
  return is_dead || (getppid() == 1 && tool != 1);
}

}  // namespace

int run_victim(const std::vector<std::string>& words) {
  using Run = int (*)(const std::vector<std::string>&, const Ledger&);
  static const std::map<std::string_view, Run> kinds{
      {"parent", run_parent}, {"dying", run_dying},   {"endless", run_endless}, {"paced", run_paced},
      {"flood", run_flood},   {"family", run_family}, {"forks", run_forks},     {"faulty", run_faulty}};
  const auto kind = words.empty() ? kinds.end() : kinds.find(words[0]);
  if (kind == kinds.end()) {
    std::fputs("dlog-torture: victims are started by dlog-torture itself\n", stderr);
    return bad_victim;
  }
  die_with_parent(getppid());
  const rlimit no_core{};
  setrlimit(RLIMIT_CORE, &no_core);
  // Not destroyed: what runs at exit may log, and count.
  static const auto* const ledger = new Ledger(ledger_fd);
  if (is_orphan_of(ledger->page().tool)) return bad_victim;
  return kind->second(words, *ledger);
}

}  // namespace torture
