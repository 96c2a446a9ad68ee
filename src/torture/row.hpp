// A row of the table: what is done to processes, and what was counted while it was done.
//
// Threads: the tool's main thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "torture/options.hpp"
#include "torture/process.hpp"
#include "torture/tally.hpp"

namespace torture {

struct Result {
  std::uint64_t trials = 0;
  std::uint64_t deaths = 0;    // processes that came to their end
  std::uint64_t accepted = 0;  // records that a promise was made for
  std::uint64_t lost = 0;      // of these
  std::uint64_t doubled = 0;
  std::uint64_t torn = 0;
  std::uint64_t disorder = 0;
  std::uint64_t hung = 0;
  std::uint64_t failed = 0;                         // ended otherwise than they should, or counted wrongly
  std::uint64_t blocked = 0;                        // processes with a call that took longer than it may
  std::optional<std::chrono::nanoseconds> longest;  // call, in rows that promise a time
  // Records without a promise, and what became of them; in words.
  std::uint64_t unpromised = 0;
  std::string unpromised_words;
  bool cut_short = false;
  std::string skipped;              // why the row cannot be run here
  std::vector<std::string> faults;  // the first few, as words

  bool held() const { return trials > 0 && lost + doubled + torn + disorder + hung + failed + blocked == 0; }
  void fault(std::string text);
};

// The run: what all rows draw on.
struct Session {
  Options options;
  std::chrono::steady_clock::time_point end;
  std::mt19937 random{20'261'121};  // the same counts in each run; instants differ anyway
  std::string row;                  // that is being run, for names of kept files
  unsigned kept = 0;

  std::chrono::milliseconds deadline() const { return options.deadline; }
  bool over() const { return std::chrono::steady_clock::now() >= end; }
  // From `least` to `most`; all magnitudes alike.
  std::uint64_t magnitude(std::uint64_t least, std::uint64_t most);
  std::uint64_t between(std::uint64_t least, std::uint64_t most);
  // The file that a console is kept in; empty: none.
  std::string keep(std::string_view what);
  // What victims of this run get beside the usual.
  std::vector<std::string> environment() const;
};

struct Row {
  std::string name;
  std::string meaning;
  // A row has --trials divided by this many trials: those that take long have fewer.
  unsigned rarity = 1;
  // Makes at least one trial and at most `left`, and says how many.
  std::function<std::uint64_t(Session& session, Result& result, std::uint64_t left)> run;
};

std::vector<Row> death_rows();
std::vector<Row> kill_rows();
std::vector<Row> load_rows();
std::vector<Row> fault_rows();

// Judges. Of one source: each accepted record was shown once and in order.
void judge_source(Result& result, const Tally& tally, std::size_t source, std::uint64_t accepted);
// Of a console: nothing torn ...
void judge_lines(Result& result, const Tally& tally);
// ... and a last line that is whole.
void judge_console(Result& result, const Tally& tally);
// Of a process: it ended as it should. `expected`: a signal, or 0 for a return of 0.
void judge_ending(Result& result, std::string_view who, const Ending& ending, int expected);

}  // namespace torture
