// Rows of processes whose surroundings fail: no crash, no hang, and counts that are true.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "torture/family.hpp"
#include "torture/row.hpp"

namespace torture {
namespace {

constexpr std::uint64_t records_max = 2000;
constexpr unsigned rarity = 5;

std::vector<std::string> faulty(Session& session, const char* fault) {
  return {"faulty", fault, "0", std::to_string(session.magnitude(1, records_max))};
}

// Enqueued is all that was accepted, and each is shown, dropped or undeliverable; shown is what stands on the console.
void judge_counts(Result& result, const Entry& entry, std::uint64_t on_console) {
  if (entry.enqueued == entry.accepted && entry.shown == on_console &&
      entry.enqueued == entry.shown + entry.dropped + entry.undeliverable)
    return;
  ++result.failed;
  result.fault(
      fmt::format("{} accepted, {} on the console, but stats() says {} = {} shown + {} dropped + {} undeliverable",
                  entry.accepted.load(), on_console, entry.enqueued.load(), entry.shown.load(), entry.dropped.load(),
                  entry.undeliverable.load()));
}

// The console refuses every byte: `err` is a descriptor, or Start::closed.
std::uint64_t console_refuses(Session& session, Result& result, int err) {
  result.unpromised_words = "were refused by the console, and counted as undeliverable";
  const Ledger ledger;
  Start start;
  start.words = faulty(session, "none");
  start.environment = session.environment();
  start.err = err;
  start.ledger = ledger.fd();
  Process victim(start);
  judge_ending(result, "the process", victim.wait(session.deadline()), 0);
  judge_counts(result, ledger.entry(0), 0);
  result.unpromised += ledger.entry(0).undeliverable;
  return 1;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {
    if (fd < 0) throw std::runtime_error("a descriptor for a victim cannot be opened");
  }
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::uint64_t full_console(Session& session, Result& result, std::uint64_t) {
  const Descriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  return console_refuses(session, result, full.get());
}

std::uint64_t gone_console(Session& session, Result& result, std::uint64_t) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe for a victim");
  close(ends[0]);
  const Descriptor nobody_reads(ends[1]);
  return console_refuses(session, result, nobody_reads.get());
}

std::uint64_t closed_console(Session& session, Result& result, std::uint64_t) {
  return console_refuses(session, result, Start::closed);
}

// The console is sound, and what the process lacks is no reason to lose a record.
std::uint64_t something_lacks(Session& session, Result& result, const char* fault) {
  Alone victim(session, 1, faulty(session, fault));
  victim.end(session, result, 0);
  const Entry& entry = victim.ledger().entry(0);
  judge_source(result, victim.tally(), 0, entry.accepted);
  judge_counts(result, entry, victim.tally().source(0).different);
  return 1;
}

}  // namespace

std::vector<Row> fault_rows() {
  const auto lacks = [](const char* fault) {
    return [fault](Session& session, Result& result, std::uint64_t) { return something_lacks(session, result, fault); };
  };
  return {
      {"console-full", "the console is a device without room (ENOSPC)", rarity, full_console},
      {"console-gone", "the console is a pipe that nobody reads (EPIPE)", rarity, gone_console},
      {"console-closed", "there is no stderr", rarity, closed_console},
      {"no-descriptors", "no descriptor can be opened any more when the first record is logged", rarity,
       lacks("no-descriptors")},
      {"no-threads", "no thread can be started", rarity, lacks("no-threads")},
  };
}

}  // namespace torture
