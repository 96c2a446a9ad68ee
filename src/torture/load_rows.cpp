// Rows of many at the same time: forks in a storm of records, many children, a flood before a console that stands still.
#include <dlfcn.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <string>
#include <thread>

#include "torture/family.hpp"
#include "torture/row.hpp"
#include "torture/victim.hpp"

namespace torture {
namespace {

constexpr std::uint64_t forks_a_process = 50;
constexpr std::uint64_t fork_records_max = 200;
constexpr std::uint64_t family_max = 1000;
constexpr std::uint64_t family_records = 1000;

std::uint64_t fork_storm(Session& session, Result& result, std::uint64_t left, const char* method) {
  const std::uint64_t forks = std::min(left, forks_a_process);
  if (method == std::string_view("_Fork") && dlsym(RTLD_DEFAULT, "_Fork") == nullptr) {
    result.skipped = "this C library has no _Fork";
    return forks;
  }
  const std::size_t sources = storm_threads + forks;
  Alone victim(session, sources, {"forks", method, std::to_string(forks), std::to_string(fork_records_max)});
  victim.end(session, result, 0);
  std::uint64_t started = 0;  // it stops where several hang
  for (std::size_t i = 0; i < sources; ++i) {
    const Entry& entry = victim.ledger().entry(i);
    judge_source(result, victim.tally(), i, entry.accepted);
    if (i < storm_threads || entry.started + entry.failed == 0) continue;
    ++started;
    ++result.deaths;
    result.hung += entry.hung;
    result.failed += entry.failed;
    if (entry.hung + entry.failed > 0)
      result.fault(fmt::format("forked child {}: {}", i - storm_threads, entry.hung > 0 ? "hung" : "ended badly"));
  }
  return std::max<std::uint64_t>(started, 1);
}

std::uint64_t many_children(Session& session, Result& result, std::uint64_t left) {
  const std::uint64_t children = std::min(left, family_max);
  Alone parent(session, children, {"family", std::to_string(children), std::to_string(family_records)});
  // A large family takes its time where processors are few.
  parent.end(session, result, 0, 1 + static_cast<unsigned>(children / 50));
  for (std::size_t i = 0; i < children; ++i) {
    const Entry& entry = parent.ledger().entry(i);
    ++result.deaths;
    judge_source(result, parent.tally(), i, family_records);
    if (entry.failed == 0 && entry.done != 0) continue;
    ++result.failed;
    result.fault(fmt::format("child {} {}", i, entry.started == 0 ? "could not be started" : "ended badly"));
  }
  return children;
}

// A call waits for room as long as it may, then the record is dropped, counted and told.
constexpr std::chrono::milliseconds block_limit{100};
// What the system may add, on a machine where others run.
constexpr std::chrono::milliseconds wake_slack{150};
constexpr std::chrono::milliseconds stall{2000};

void judge_flood(Result& result, const Tally& tally, std::size_t source, const Entry& entry) {
  judge_source(result, tally, source, entry.accepted - entry.dropped);
  result.unpromised += entry.dropped;
  const std::chrono::nanoseconds longest{entry.longest_ns.load()};
  result.longest = std::max(result.longest.value_or(longest), longest);
  if (longest > block_limit + wake_slack) ++result.blocked;
  if (entry.enqueued == entry.accepted && entry.enqueued == entry.shown + entry.dropped + entry.undeliverable) return;
  ++result.failed;
  result.fault(fmt::format("source {}: {} accepted, but stats() says {} = {} shown + {} dropped + {} undeliverable",
                           source, entry.accepted.load(), entry.enqueued.load(), entry.shown.load(),
                           entry.dropped.load(), entry.undeliverable.load()));
}

std::uint64_t flood(Session& session, Result& result, std::uint64_t) {
  constexpr std::size_t children = 4;
  result.unpromised_words = "were dropped, as told, while the console took nothing";
  Family family(session, result, children);
  if (!family.ready()) return 1;
  std::vector<Process> floods;
  for (std::size_t i = 0; i < children; ++i) {
    floods.push_back(
        family.child({"flood", std::to_string(i)}, {fmt::format("DLOG_BLOCK_LIMIT_MS={}", block_limit.count())}));
  }
  until(session.deadline(), [&] { return family.ledger().entry(children - 1).accepted > 0; });
  family.console().pause(true);
  std::this_thread::sleep_for(stall);
  family.ledger().page().stop = 1;
  // Some come to their end while the console still stands.
  std::this_thread::sleep_for(block_limit);
  family.console().pause(false);
  for (Process& child : floods) judge_ending(result, "a flood", child.wait(session.deadline()), 0);
  family.close();
  std::uint64_t dropped = 0;
  for (std::size_t i = 0; i < children; ++i) {
    judge_flood(result, family.tally(), i, family.ledger().entry(i));
    dropped += family.ledger().entry(i).dropped;
  }
  if (family.tally().told_dropped() != dropped) {
    ++result.failed;
    result.fault(fmt::format("{} records dropped, {} told", dropped, family.tally().told_dropped()));
  }
  return 1;
}

}  // namespace

std::vector<Row> load_rows() {
  std::vector<Row> rows;
  for (const auto& [name, method] :
       {std::pair{"fork", "fork"}, {"fork-without-handlers", "_Fork"}, {"clone", "clone"}}) {
    rows.push_back({name,
                    fmt::format("8 threads log and bars move while the process calls {}(); the children log", method),
                    1, [method = method](Session& session, Result& result, std::uint64_t left) {
                      return fork_storm(session, result, left, method);
                    }});
  }
  rows.push_back({"many-children", "children that run at the same time and log 1,000 records each", 2, many_children});
  rows.push_back({"flood", "4 children log as fast as they can while the console stands still for 2 s", 50, flood});
  return rows;
}

}  // namespace torture
