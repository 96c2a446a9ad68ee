// A program that logs numbered records and dies right after the last of them, in a way that is asked for; or that forks children
// without exec while another of its threads logs, each of which logs as many and returns from main. Built for several loggers.
// Only the latter prints something, one line of JSON: how many of its children hung.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include DLOG_BENCH_PEER

#include "options.hpp"
#include "records.hpp"

namespace {

constexpr std::chrono::seconds hung_after{2};

void log(bench::Peer& peer, std::uint64_t first, std::uint64_t records) {
  for (std::uint64_t i = first; i < first + records; ++i) peer.record_a(i, 12.5, bench::names()[i % bench::name_count]);
}

void die(bench::Peer& peer, std::string_view how) {
  const std::map<std::string_view, std::function<void()>> ways{
      {"return", [] {}},
      {"exit", [] { std::exit(0); }},
      {"quick_exit", [] { std::quick_exit(0); }},
      {"abort", [] { std::abort(); }},
      {"SIGTERM", [] { raise(SIGTERM); }},
      {"SIGSEGV", [] { raise(SIGSEGV); }},
      {"SIGKILL", [] { raise(SIGKILL); }},
      {"flush, SIGKILL",
       [&] {
         peer.flush();
         raise(SIGKILL);
       }},
  };
  const auto way = ways.find(how);
  if (way == ways.end()) std::exit(2);
  way->second();
}

// Those that hang are killed by their numbers.
std::size_t hung_of(std::vector<pid_t> children) {
  const auto end = std::chrono::steady_clock::now() + hung_after;
  while (!children.empty() && std::chrono::steady_clock::now() < end) {
    std::erase_if(children, [](pid_t child) { return waitpid(child, nullptr, WNOHANG) == child; });
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  return children.size();
}

// The children come back as well, and return from main as their parent does.
void fork_while_logging(bench::Peer& peer, std::uint64_t forks, std::uint64_t records) {
  std::atomic<bool> enough{false};
  auto* const busy = new std::thread([&] {  // not joined by the children, which do not have it
    for (int i = 0; !enough; ++i) {
      peer.three_ints(i, i, i);
      if (i % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  std::vector<pid_t> children;
  for (std::uint64_t child = 0; child < forks; ++child) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const pid_t pid = fork();
    if (pid == 0) {
      log(peer, child * records, records);
      return;
    }
    if (pid > 0) children.push_back(pid);
  }
  const std::size_t hung = hung_of(std::move(children));
  enough = true;
  busy->join();
  std::printf("{\"bench\": \"deaths\", \"peer\": \"%s\", \"hung\": %zu}\n", bench::Peer::name, hung);
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(count, arguments,
                               {{"file", ""}, {"records", "1000"}, {"end", "return"}, {"forks", "0"}});
  const rlimit no_core{};
  setrlimit(RLIMIT_CORE, &no_core);
  bench::Peer peer;
  peer.start(options.text("file"));
  const std::uint64_t records = options.number("records");
  if (const std::uint64_t forks = options.number("forks"); forks != 0) {
    fork_while_logging(peer, forks, records);
    return 0;
  }
  log(peer, 0, records);
  die(peer, options.text("end"));
}
