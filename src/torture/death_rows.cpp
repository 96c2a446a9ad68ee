// Rows of processes that log and die right after their last call, as a child and alone: all that they logged must be shown.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <string>

#include "torture/family.hpp"
#include "torture/row.hpp"

namespace torture {
namespace {

constexpr std::uint64_t records_max = 2000;
// That one parent hears out, one after the other: none of them may do harm to the next.
constexpr std::uint64_t deaths_a_parent = 10;

struct Death {
  const char* word;  // as a victim knows it; see victim.hpp
  const char* row;
  const char* meaning;
  int signal;            // that ends it; 0: it returns 0
  bool flushes = false;  // and must have been told that this was complete
};

const Death deaths[] = {
    {"return", "return", "returns from main", 0},
    {"exit", "exit", "calls exit", 0},
    {"quick_exit", "quick-exit", "calls quick_exit", 0},
    {"abort", "abort", "calls abort", SIGABRT},
    {"terminate", "terminate", "ends in an uncaught exception", SIGABRT},
    {"sigterm", "sigterm", "ends by SIGTERM, with handle_signals", SIGTERM},
    {"sigsegv", "sigsegv", "touches memory that is not there, with handle_signals", SIGSEGV},
    {"flush_exit", "flush-exit", "calls flush, then _exit", 0, true},
    {"flush_kill", "flush-kill", "calls flush, then dies by SIGKILL", SIGKILL, true},
};

std::vector<std::string> dying(Session& session, std::size_t source, const Death& death) {
  return {"dying", std::to_string(source), std::to_string(session.magnitude(1, records_max)), death.word};
}

// Where flush() did not return complete there is nothing that its promise could be held against.
void judge_victim(Result& result, const Death& death, const Tally& tally, const Ledger& ledger, std::size_t source) {
  const Entry& entry = ledger.entry(source);
  judge_source(result, tally, source, entry.accepted);
  if (!death.flushes || entry.flushed == entry.accepted) return;
  ++result.failed;
  result.fault("flush() returned incomplete");
}

std::uint64_t children_die(Session& session, Result& result, std::uint64_t left, const Death& death) {
  const std::uint64_t children = std::min(left, deaths_a_parent);
  Family family(session, result, children);
  if (!family.ready()) return 1;
  for (std::size_t i = 0; i < children; ++i) {
    Process child = family.child(dying(session, i, death));
    judge_ending(result, fmt::format("child {}", i), child.wait(session.deadline()), death.signal);
  }
  family.close();
  for (std::size_t i = 0; i < children; ++i) judge_victim(result, death, family.tally(), family.ledger(), i);
  return children;
}

std::uint64_t one_dies_alone(Session& session, Result& result, const Death& death) {
  // Of an uncaught exception the C++ runtime speaks on stderr, in the middle of our lines.
  const bool on_stdout = death.word == std::string_view("terminate");
  Alone victim(session, 1, dying(session, 0, death), on_stdout);
  victim.end(session, result, death.signal);
  judge_victim(result, death, victim.tally(), victim.ledger(), 0);
  return 1;
}

}  // namespace

std::vector<Row> death_rows() {
  std::vector<Row> rows;
  for (const Death& death : deaths) {
    rows.push_back({fmt::format("child-{}", death.row), fmt::format("a child logs and {}", death.meaning), 1,
                    [&death](Session& session, Result& result, std::uint64_t left) {
                      return children_die(session, result, left, death);
                    }});
  }
  for (const Death& death : deaths) {
    rows.push_back(
        {fmt::format("alone-{}", death.row), fmt::format("a process without a parent logs and {}", death.meaning), 1,
         [&death](Session& session, Result& result, std::uint64_t) { return one_dies_alone(session, result, death); }});
  }
  return rows;
}

}  // namespace torture
