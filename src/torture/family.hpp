// A process whose console the tool reads, alone or as a parent that children find.
//
// Threads: one owner, the tool's main thread. Errors: what goes wrong is counted in the row's result.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "torture/collector.hpp"
#include "torture/ledger.hpp"
#include "torture/process.hpp"
#include "torture/row.hpp"
#include "torture/tally.hpp"

namespace torture {

// A victim with its own console: `on_stdout` where the C++ runtime speaks on stderr.
class Alone {
 public:
  Alone(Session& session, std::size_t sources, std::vector<std::string> words, bool on_stdout = false);

  const Ledger& ledger() const { return *ledger_; }
  const Tally& tally() const { return *tally_; }
  // Waits for its end, so many deadlines, and for all that it has shown. `expected` as in judge_ending().
  void end(Session& session, Result& result, int expected, unsigned deadlines = 1);

 private:
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Tally> tally_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<Process> process_;
};

// A parent that listens until it is closed, and its children, which the tool starts: so it knows how each of them ended.
class Family {
 public:
  Family(Session& session, Result& result, std::size_t sources);
  ~Family();
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  // False: the parent did not say where it listens; that has been counted.
  bool ready() const { return ready_; }
  const Ledger& ledger() const { return ledger_; }
  const Tally& tally() const { return tally_; }
  Collector& console() { return collector_; }
  Process& parent() { return *parent_; }
  Process child(const std::vector<std::string>& words, const std::vector<std::string>& more_environment = {},
                int err = -1);
  // Lets the parent return from main, and judges its console.
  void close();
  // Waits for the end of the console, without a word to the parent.
  void read_to_end();

 private:
  Session& session_;
  Result& result_;
  Ledger ledger_;
  Tally tally_;
  Collector collector_;
  std::unique_ptr<Process> parent_;
  int stdin_ = -1;
  bool ready_ = false;
};

// Polls until `condition` holds; false: the time is over.
template <class Condition>
bool until(std::chrono::milliseconds limit, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::microseconds{200});
  }
  return true;
}

}  // namespace torture
