// The victim that forks while its threads log and its bars move: see victim.hpp.
#include <dlfcn.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "dlog/dlog.hpp"
#include "torture/victim.hpp"

namespace torture {
namespace {

constexpr std::uint64_t burst = 20;
constexpr std::chrono::milliseconds between_bursts{1};
constexpr std::size_t at_work_max = 4;              // children at the same time
constexpr unsigned hung_max = 3;                    // then no more are made: each costs its deadline
constexpr std::chrono::seconds child_deadline{20};  // longer than its flush() may take

using Fork = pid_t (*)();

pid_t raw_clone() { return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)); }

// Null: no such way here.
Fork fork_named(std::string_view name) {
  if (name == "fork") return fork;
  if (name == "clone") return raw_clone;
  if (name == "_Fork") return reinterpret_cast<Fork>(dlsym(RTLD_DEFAULT, "_Fork"));
  return nullptr;
}

// All that goes on in the parent while it forks.
class Storm {
 public:
  explicit Storm(const Ledger& ledger) {
    for (std::size_t i = 0; i < storm_threads; ++i) {
      threads_.emplace_back([this, i, &entry = ledger.entry(i)] {
        for (std::uint64_t number = 0; !stop_; number += burst) {
          log_records(entry, i, number, number + burst);
          std::this_thread::sleep_for(between_bursts);
        }
      });
    }
    threads_.emplace_back([this] {
      dlog::ProgressBar whole("storm", 1000);
      dlog::ProgressBar part("part", 1000, {.parent = &whole});
      for (unsigned i = 0; !stop_; ++i) {
        whole.push(i % 1000);
        part.set_message(i % 2 == 0 ? "one message" : "another message, which is longer than the first");
        std::this_thread::sleep_for(between_bursts);
      }
    });
  }
  void stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

[[noreturn]] void be_child(pid_t parent, Entry& entry, std::size_t source, std::uint64_t count) {
  die_with_parent(parent);
  log_records(entry, source, 0, count);
  entry.done = 1;
  if (source % 2 == 0) std::exit(0);
  if (dlog::flush(std::chrono::seconds{10})) entry.flushed = count;
  _exit(0);
}

struct Child {
  pid_t pid = -1;
  Entry* entry = nullptr;
  std::chrono::steady_clock::time_point until{};
};

// True: this child is over, one way or the other.
bool over(const Child& child, unsigned& hung) {
  int status = 0;
  if (waitpid(child.pid, &status, WNOHANG) == child.pid) {
    if (status != 0) child.entry->failed = 1;
    return true;
  }
  if (std::chrono::steady_clock::now() < child.until) return false;
  ++hung;
  child.entry->hung = 1;
  kill(child.pid, SIGKILL);
  waitpid(child.pid, &status, 0);
  return true;
}

}  // namespace

int run_forks(const std::vector<std::string>& words, const Ledger& ledger) {
  const Fork method = fork_named(words.at(1));
  const pid_t parent = getpid();
  const std::size_t children = std::stoul(words.at(2));
  const std::uint64_t count = std::stoull(words.at(3));
  if (method == nullptr) return bad_victim;
  dlog::init();  // a child that is forked before is no child of dlog's, but a console of its own beside this one
  Storm storm(ledger);
  std::vector<Child> at_work;
  unsigned hung = 0;
  for (std::size_t made = 0; made < children || !at_work.empty();) {
    std::erase_if(at_work, [&](const Child& child) { return over(child, hung); });
    if (hung >= hung_max) made = children;
    if (made == children || at_work.size() == at_work_max) {
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
      continue;
    }
    const std::size_t source = storm_threads + made;
    Entry& entry = ledger.entry(source);
    // Counts differ, so that children end at all instants of the parent's turns.
    const std::uint64_t records = 1 + (count * (made % 7)) / 7;
    const pid_t pid = method();
    if (pid == 0) be_child(parent, entry, source, records);
    ++made;
    if (pid < 0) {
      entry.failed = 1;
      continue;
    }
    entry.started = 1;
    at_work.push_back({pid, &entry, std::chrono::steady_clock::now() + child_deadline});
  }
  storm.stop();
  return 0;
}

}  // namespace torture
