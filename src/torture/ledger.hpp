// What dlog-torture and its victims both see: memory that outlives whoever wrote to it, so that a victim which is killed between
// two calls has still said how many of its calls had returned.
//
// Threads and processes: each entry has one writer, its victim; the tool reads. Errors: std::runtime_error where there is no memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace torture {

// Where a victim finds the memory: the tool and every parent leave it open for those that they start.
inline constexpr int ledger_fd = 3;
inline constexpr std::size_t entries_max = 1100;

// One source of numbered records: a process, or a thread of one.
struct Entry {
  std::atomic<std::uint64_t> accepted;    // calls that have returned
  std::atomic<std::uint64_t> flushed;     // records before a flush() that returned complete
  std::atomic<std::uint64_t> longest_ns;  // of its calls
  std::atomic<std::uint64_t> enqueued;    // dlog::stats() at the end, and the three that follow
  std::atomic<std::uint64_t> shown;
  std::atomic<std::uint64_t> dropped;
  std::atomic<std::uint64_t> undeliverable;
  std::atomic<std::uint32_t> started;
  std::atomic<std::uint32_t> done;  // its last call has returned
  std::atomic<std::uint32_t> hung;  // told by a victim that has children of its own
  std::atomic<std::uint32_t> failed;
};

struct LedgerPage {
  std::atomic<std::int32_t> tool;    // its process id
  std::atomic<std::uint32_t> ready;  // the parent has written its address below
  std::atomic<std::uint32_t> stop;   // those that log without end shall come to their end
  char variables[2][256];            // dlog::child_environment()
  Entry entries[entries_max];
};

class Ledger {
 public:
  Ledger();                        // the tool's: new and empty
  explicit Ledger(int inherited);  // a victim's
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  int fd() const { return fd_; }
  LedgerPage& page() const { return *page_; }
  Entry& entry(std::size_t number) const { return page_->entries[number]; }

 private:
  void map();

  int fd_ = -1;
  LedgerPage* page_ = nullptr;
};

}  // namespace torture
