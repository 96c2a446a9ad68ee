// What this program is when the tool starts it once more: a process that logs numbered records and comes to its end in the way it
// was told.
//
//   victim parent                              listens, until its stdin ends
//   victim dying <source> <count> <ending>     logs, and ends right after its last call; endings: see `ending_words`
//   victim endless <source>                    logs as fast as it can until it is killed
//   victim paced <source> <count> [until-stop]  ten records each millisecond
//   victim flood <source>                      as fast as it can until it is told to stop; then flush() and stats()
//   victim family <children> <count>           starts children of its own, which log and return from main
//   victim forks <method> <children> <count>   eight threads log, bars move, and it forks: fork, _Fork or clone
//   victim faulty <fault> <source> <count>     a fault of its surroundings, then records, flush() and stats()
//
// Errors: whatever is wrong with its words ends it badly, which the tool takes for a failed trial.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "torture/ledger.hpp"

namespace torture {

inline constexpr int bad_victim = 64;
inline constexpr std::size_t storm_threads = 8;

int run_victim(const std::vector<std::string>& words);

// The parts that more than one kind of victim has.
//
// One numbered record, counted when the call has returned; does here what `--sabotage` asks for.
void log_record(Entry& entry, std::size_t source, std::uint64_t number);
void log_records(Entry& entry, std::size_t source, std::uint64_t first, std::uint64_t last);
// The whole of flush() and stats(), for the tool to compare.
void flush_and_report(Entry& entry, unsigned deadline_ms);
// Where a victim is made to hang on purpose.
void end_of_work(Entry& entry);
// Dies with the one who started it, also where that one is dead already.
void die_with_parent(pid_t parent);

int run_forks(const std::vector<std::string>& words, const Ledger& ledger);
int run_faulty(const std::vector<std::string>& words, const Ledger& ledger);

}  // namespace torture
