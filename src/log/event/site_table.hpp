// What is known of each call site: its format, its place in the source, the types of its arguments. Records carry its number.
//
// Threads: number_of() any; find() any, with a number that it was given, or by way of a record. Lifetimes: entries and their texts
// stay for ever, also when the code that they came from is unloaded.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dlog/capture.hpp"

namespace dlog::event {

// A format taken apart once: text, argument, text, argument ... text. Only formats that show each argument once, in order and plainly
// ({} or {0}) have one: the others are left to fmt.
struct Plan {
  bool plain = false;
  std::string literals{};
  std::vector<std::uint32_t> literal_bytes{};  // of each text; one more than arguments
};
Plan plan_of(std::string_view format, std::size_t argument_count);

struct SiteEntry {
  bool is_text = false;  // the only argument is the message
  std::string format{};
  std::string file{};
  std::string function{};
  std::uint32_t line = 0;
  std::uint64_t addresses = 0;
  std::vector<capture::Code> codes{};
  Plan plan{};

  bool shows_address(std::size_t i) const noexcept { return i < 64 && (addresses >> i & 1) != 0; }
  // Is all of it what is known of this site?
  bool is(const capture::Site& site, const capture::Code* site_codes, std::size_t count) const noexcept;
};
SiteEntry entry_of(const capture::Site& site, const capture::Code* codes, std::size_t count);

class SiteTable {
 public:
  SiteTable() = default;
  ~SiteTable();
  SiteTable(const SiteTable&) = delete;
  SiteTable& operator=(const SiteTable&) = delete;

  // The number of this site; never 0. Sites of which the same is known have one number. Throws std::bad_alloc.
  std::uint32_t number_of(const capture::Site& site, const capture::Code* codes, std::size_t count);

  const SiteEntry& find(std::uint32_t number) const noexcept {
    return (*chunks_[number / chunk_entries].load(std::memory_order_acquire))[number % chunk_entries];
  }

  // After a fork, in the child: another thread may have held the lock.
  void renew_lock() noexcept;

 private:
  // Entries never move: a chunk is filled from its front, and more follow.
  static constexpr std::size_t chunk_entries = 256;
  static constexpr std::size_t chunks_max = 4096;
  using Chunk = std::array<SiteEntry, chunk_entries>;

  std::mutex mutex_;
  std::uint32_t next_ = 1;
  std::unordered_multimap<std::size_t, std::uint32_t> numbers_;  // by hash of what is known
  std::array<std::atomic<Chunk*>, chunks_max> chunks_{};
};

}  // namespace dlog::event
