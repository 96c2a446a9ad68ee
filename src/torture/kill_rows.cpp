// Rows of processes that are killed at any instant while they log: all others carry on.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>

#include "torture/family.hpp"
#include "torture/row.hpp"

namespace torture {
namespace {

constexpr std::chrono::milliseconds call_limit{100};  // how long a death may hold another process's call
constexpr std::uint64_t sibling_records = 500;

void sleep_between(Session& session, std::uint64_t least_us, std::uint64_t most_us) {
  std::this_thread::sleep_for(std::chrono::microseconds{session.between(least_us, most_us)});
}

// The killed child's records are a prefix of what it logged: what was in its queue dies with it, and no promise is made for it.
void judge_prefix(Result& result, const Tally& tally, std::size_t source, std::uint64_t accepted) {
  const Tally::Source& shown = tally.source(source);
  judge_source(result, tally, source, shown.seen.size());
  if (accepted > shown.seen.size()) result.unpromised += accepted - shown.seen.size();
  // One more may have been on its way when the call had not yet returned.
  if (shown.seen.size() <= accepted + 1) return;
  ++result.failed;
  result.fault(fmt::format("source {}: {} shown, {} accepted", source, shown.seen.size(), accepted));
}

std::uint64_t child_is_killed(Session& session, Result& result, std::uint64_t) {
  constexpr std::size_t victim = 0;
  constexpr std::size_t siblings = 2;
  result.unpromised_words = "were in the queues of the killed";
  Family family(session, result, 1 + siblings);
  if (!family.ready()) return 1;
  std::vector<Process> living;
  for (std::size_t i = 1; i <= siblings; ++i)
    living.push_back(family.child({"paced", std::to_string(i), std::to_string(sibling_records)}));
  Process child = family.child({"endless", std::to_string(victim)});
  const Entry& entry = family.ledger().entry(victim);
  until(session.deadline(), [&] { return entry.accepted > 0; });
  sleep_between(session, 0, 20'000);
  child.kill_at_once();
  judge_ending(result, "the killed child", child.wait(session.deadline()), SIGKILL);
  for (Process& sibling : living) judge_ending(result, "a sibling", sibling.wait(session.deadline()), 0);
  family.close();
  judge_prefix(result, family.tally(), victim, entry.accepted);
  for (std::size_t i = 1; i <= siblings; ++i)
    judge_source(result, family.tally(), i, family.ledger().entry(i).accepted);
  return 1;
}

// A child whose parent was killed: its own stderr, and what is to be found there.
struct Orphan {
  Orphan(Session& session, std::size_t sources, std::size_t number)
      : tally(sources), err(tally, session.keep(fmt::format("child-{}", number))) {}
  Tally tally;
  Collector err;
  std::unique_ptr<Process> process;
};

// From the first record on its own stderr to its last one nothing is missing. What the kernel had taken for the parent, and the
// parent had not shown, stands nowhere: counted.
void judge_orphan(Result& result, const Tally& parent, const Orphan& orphan, std::size_t source, const Entry& entry) {
  const Tally::Source& own = orphan.tally.source(source);
  const Tally::Source& before = parent.source(source);
  const std::uint64_t accepted = entry.accepted;
  judge_console(result, orphan.tally);
  judge_source(result, parent, source, before.seen.size());
  result.longest =
      std::max(result.longest.value_or(std::chrono::nanoseconds{0}), std::chrono::nanoseconds{entry.longest_ns.load()});
  if (std::chrono::nanoseconds{entry.longest_ns.load()} > call_limit) ++result.blocked;
  const std::uint64_t due = own.different == 0 ? accepted : accepted - std::min(accepted, own.first);
  // What both have shown is one promise.
  result.accepted += due - (own.different == 0 || own.first >= before.seen.size() ? 0 : before.seen.size() - own.first);
  result.doubled += own.doubled;
  result.disorder += own.late;
  if (own.different < due) {
    result.lost += due - own.different;
    result.fault(fmt::format("child {}: {} of {} missing on its own stderr, from {} on", source, due - own.different,
                             due, own.different == 0 ? 0 : own.first));
  }
  if (own.different > 0 && own.first > before.seen.size()) result.unpromised += own.first - before.seen.size();
}

std::uint64_t parent_is_killed(Session& session, Result& result, std::uint64_t) {
  constexpr std::size_t children = 8;
  constexpr const char* records_at_the_end = "200";
  result.unpromised_words = "had been taken by the kernel for the parent that was killed";
  Family family(session, result, children);
  if (!family.ready()) return 1;
  std::vector<std::unique_ptr<Orphan>> orphans;
  for (std::size_t i = 0; i < children; ++i) {
    orphans.push_back(std::make_unique<Orphan>(session, children, i));
    Orphan& orphan = *orphans.back();
    orphan.process = std::make_unique<Process>(
        family.child({"paced", std::to_string(i), records_at_the_end, "until-stop"}, {}, orphan.err.writer()));
    orphan.err.close_writer();
  }
  const auto all_log = [&] {
    for (std::size_t i = 0; i < children; ++i) {
      if (family.ledger().entry(i).accepted < 100) return false;
    }
    return true;
  };
  until(session.deadline(), all_log);
  sleep_between(session, 0, 50'000);
  family.parent().kill_at_once();
  judge_ending(result, "the killed parent", family.parent().wait(session.deadline()), SIGKILL);
  sleep_between(session, 50'000, 100'000);
  family.ledger().page().stop = 1;
  for (auto& orphan : orphans) {
    judge_ending(result, "a child of the killed parent", orphan->process->wait(session.deadline()), 0);
    if (!orphan->err.finish(session.deadline())) ++result.hung;
  }
  family.read_to_end();  // its last line may be cut: the kill met a write
  judge_lines(result, family.tally());
  for (std::size_t i = 0; i < children; ++i)
    judge_orphan(result, family.tally(), *orphans[i], i, family.ledger().entry(i));
  return 1;
}

}  // namespace

std::vector<Row> kill_rows() {
  return {
      {"kill-child", "SIGKILL at any instant of a child that logs as fast as it can, beside two others", 1,
       child_is_killed},
      {"kill-parent",
       "SIGKILL of a parent under 8 busy children: none dead, no call over 100 ms, each goes on at its stderr", 4,
       parent_is_killed},
  };
}

}  // namespace torture
