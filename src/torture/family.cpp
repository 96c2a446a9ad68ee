// Victims with a console: see family.hpp.
#include "torture/family.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace torture {

Alone::Alone(Session& session, std::size_t sources, std::vector<std::string> words, bool on_stdout)
    : ledger_(std::make_unique<Ledger>()),
      tally_(std::make_unique<Tally>(sources)),
      collector_(std::make_unique<Collector>(*tally_, session.keep("console"))) {
  Start start;
  start.words = std::move(words);
  start.environment = session.environment();
  start.ledger = ledger_->fd();
  (on_stdout ? start.out : start.err) = collector_->writer();
  if (on_stdout) start.environment.emplace_back("DLOG_OUTPUT_FD=1");
  process_ = std::make_unique<Process>(start);
  collector_->close_writer();
}

void Alone::end(Session& session, Result& result, int expected, unsigned deadlines) {
  judge_ending(result, "the process", process_->wait(session.deadline() * deadlines), expected);
  if (!collector_->finish(session.deadline())) {
    ++result.hung;
    result.fault("somebody still has the console");
  }
  judge_console(result, *tally_);
}

Family::Family(Session& session, Result& result, std::size_t sources)
    : session_(session), result_(result), tally_(sources), collector_(tally_, session.keep("console")) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe for a parent's stdin");
  stdin_ = ends[1];
  Start start;
  start.words = {"parent"};
  start.environment = session.environment();
  start.in = ends[0];
  start.err = collector_.writer();
  start.ledger = ledger_.fd();
  parent_ = std::make_unique<Process>(start);
  ::close(ends[0]);
  collector_.close_writer();
  ready_ = until(session.deadline(), [this] { return ledger_.page().ready != 0; });
  if (ready_) return;
  ++result.hung;
  result.fault("the parent does not start");
}

Family::~Family() {
  if (stdin_ >= 0) ::close(stdin_);
}

Process Family::child(const std::vector<std::string>& words, const std::vector<std::string>& more_environment,
                      int err) {
  Start start;
  start.words = words;
  start.environment = session_.environment();
  for (const auto& variable : ledger_.page().variables) start.environment.emplace_back(variable);
  start.environment.insert(start.environment.end(), more_environment.begin(), more_environment.end());
  start.err = err;
  start.ledger = ledger_.fd();
  return Process(start);
}

void Family::close() {
  ::close(std::exchange(stdin_, -1));
  const Ending ending = parent_->wait(session_.deadline());
  if (ending.hung) ++result_.hung;
  else if (!ending.returned(0)) ++result_.failed;
  if (!ending.returned(0)) result_.fault("the parent: " + ending.text());
  read_to_end();
  judge_console(result_, tally_);
}

void Family::read_to_end() {
  if (collector_.finish(session_.deadline())) return;
  ++result_.hung;
  result_.fault("somebody still has the parent's console");
}

}  // namespace torture
