// How a logging call becomes a record in its thread's block: shared by the logging functions, not meant to be called by programs.
//
// Threads: any; each writes into a block of its own, without a lock, and the log thread reads behind it. Lifetimes: what a record
// says of its call (format, place, types) is copied when the call is made for the first time. Nothing throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "dlog/atomic.hpp"
#include "dlog/capture.hpp"
#include "dlog/level.hpp"

namespace dlog {
#pragma GCC visibility push(default)
namespace capture {

// A record: this head, then the arguments as put() lays them down, up to a multiple of 8 bytes. `bytes_and_level` is stored last:
// it is the commit. It is 0 where no record is yet, and one of the two ends where none will be.
struct RecordHead {
  std::uint32_t bytes_and_level;  // of the whole record; the level in the lowest three bits
  std::uint32_t site;
  std::uint64_t ticks;
};
inline constexpr std::uint32_t end_of_block = 7;  // the next record is in the thread's next block
inline constexpr std::uint32_t end_of_lane = 6;   // there is no next record
inline constexpr std::size_t record_align = 8;
// Ahead of the next record. Measured: less is late; what is fetched earlier is gone again by the next burst of calls.
inline constexpr std::size_t prefetch_bytes = 192;

// What every call looks at, in a cache line of its own that is seldom written: it stays with all who read it. And in a page of its
// own, which is all zero in a process that was forked, however that was done: so the next call starts dlog there, and rings.
struct alignas(4096) Common {
  // 0: nothing is known yet, the next call starts dlog. Else 1 + the lowest level that is logged.
  Atomic<std::uint8_t> threshold{0};
  // The lowest level whose records ring for the log thread; above all levels once somebody has rung.
  Atomic<std::uint8_t> doorbell{0};
  // Time stamps are this machine's counter's; else they are read from the operating system.
  Atomic<bool> steady_counter{false};
};
extern Common common;

// Where the calling thread writes next. `next` is a record's place, with nothing committed yet; up to `end`, and 8 bytes more, is ours.
struct Cursor {
  char* next = nullptr;
  char* end = nullptr;
  Atomic<std::uint64_t>* written = nullptr;  // records, counted by this thread only
};
extern constinit thread_local Cursor cursor;

// A call in the source: which site it was made for first, and its level. One object each, told apart by its tag; it has internal
// linkage: tags of two sources may have the same name. A call inside a function that is handed its format is made for many sites:
// so the site is looked at every time, by its pointers, `spot` first.
struct Call {
  Atomic<const void*> spot{nullptr};  // stored last
  Atomic<const char*> format{nullptr};
  Atomic<std::uint32_t> site{0};
  Level level = Level::info;
};
template <class Tag, Level level>
static constinit Call call{.level = level};

// The number of the site, if the call was made for it before; else 0.
inline std::uint32_t known_site(const Call& call, const char* format, const void* spot) noexcept {
  if (call.spot.load_acquire() != spot || call.format.load_relaxed() != format) return 0;
  return call.site.load_relaxed();
}

// Starts dlog if need be and says whether `level` is logged.
bool admits_first(Level level) noexcept;
// The number of a site, by what it says where its pointers are not known. 0: no memory; the record is counted as dropped.
std::uint32_t find_site(Call& call, const Site& site, const void* spot, const Code* codes, std::size_t count) noexcept;
// A place for a record of `bytes` where the block has no room for it. Null: dropped, and counted.
char* turn_page(std::size_t bytes, Level level) noexcept;
// Wakes the log thread, or does its work where there is none. In a process that was forked meanwhile: starts dlog anew, and takes
// what the call wrote with it.
void ring() noexcept;
std::uint64_t portable_ticks() noexcept;

// For arguments that cannot be copied: formats in the calling thread. `addresses` has one for each argument that is characters.
void emit_formatted(Call& call, Level level, const CallSite& site, const void* const* addresses,
                    fmt::format_args arguments) noexcept;
void emit_text(Call& call, Level level, const void* spot, const char* data, std::size_t size) noexcept;
void emit_in_handler(Level level, const char* text, std::size_t size, const void* spot) noexcept;

// What the arguments are copied as, with one more: no array is empty. Of internal linkage, lest a plug-in that has it can never be
// unloaded.
template <class... W>
static constexpr Code codes_of[] = {code_of<W>..., Code::boolean};

// Before dlog runs, the level is not known, and the call finds out on its way: the check is one comparison.
[[gnu::always_inline]] inline bool may_admit(Level level) noexcept {
  return static_cast<unsigned>(level) + 1 >= common.threshold.load_relaxed();
}
inline bool admits(Level level) noexcept {
  return common.threshold.load_relaxed() == 0 ? admits_first(level) : may_admit(level);
}

// `off` is a threshold, not a level to log at; a number that is no level is taken for the most severe.
constexpr bool loggable(Level level) noexcept { return level != Level::off; }
constexpr Level known(Level level) noexcept { return level < Level::fatal ? level : Level::fatal; }

// For the macros of macros.hpp: is a call at `level` kept when `active` is DLOG_ACTIVE_LEVEL?
consteval bool compiled_in(Level level, int active) { return static_cast<int>(level) >= active; }

// Has the line there fetched to be written. The log thread's processor has read it: to fetch it for reading, as the builtin
// does, unless it is told of this instruction, is as good as nothing.
[[gnu::always_inline]] inline void fetch_to_write(const char* at) noexcept {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*at));
#else
  __builtin_prefetch(at, 1);
#endif
}

// A time stamp, in ticks of a counter that all cores share.
[[gnu::always_inline]] inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  if (common.steady_counter.load_relaxed()) return __builtin_ia32_rdtsc();
#endif
  return portable_ticks();
}

// The first word of a record: see RecordHead.
inline std::uint32_t load_size_word(const char* record) noexcept {
  return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(record), __ATOMIC_ACQUIRE);
}
// Nothing there yet. What is written before the next commit is seen with it.
inline void clear_size_word(char* record) noexcept {
  __atomic_store_n(reinterpret_cast<std::uint32_t*>(record), 0, __ATOMIC_RELAXED);
}
inline void store_size_word(char* record, std::uint32_t word) noexcept {
  __atomic_store_n(reinterpret_cast<std::uint32_t*>(record), word, __ATOMIC_RELEASE);
}

[[gnu::always_inline]] inline char* begin_record(std::size_t bytes, Level level) noexcept {
  const Cursor& at = cursor;
  if (static_cast<std::size_t>(at.end - at.next) >= bytes) [[likely]]
    return at.next;
  return turn_page(bytes, level);
}

// Afterwards the log thread may see it; whoever commits looks at the doorbell next.
[[gnu::always_inline]] inline void commit_record(char* record, std::size_t bytes, Level level) noexcept {
  Cursor& at = cursor;
  at.next = record + bytes;
  fetch_to_write(at.next + prefetch_bytes);
  clear_size_word(at.next);
  at.written->store_relaxed(at.written->load_relaxed() + 1);
  store_size_word(record, static_cast<std::uint32_t>(bytes) | static_cast<std::uint32_t>(level));
}

[[gnu::always_inline]] inline void look_at_doorbell(Level level) noexcept {
  // The compiler keeps the order; the processor may not, and the log thread makes up for it before it sleeps.
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (static_cast<std::uint8_t>(level) >= common.doorbell.load_relaxed()) [[unlikely]]
    ring();
}

template <class... W>
[[gnu::always_inline]] inline void write_values(std::uint32_t site, Level level, const W&... values) noexcept {
  const std::size_t bytes =
      (sizeof(RecordHead) + (bytes_of(values) + ... + std::size_t{0}) + record_align - 1) & ~(record_align - 1);
  char* const record = begin_record(bytes, level);
  if (record == nullptr) [[unlikely]]
    return;
  const std::uint64_t now = ticks();
  std::memcpy(record + offsetof(RecordHead, site), &site, sizeof site);
  std::memcpy(record + offsetof(RecordHead, ticks), &now, sizeof now);
  [[maybe_unused]] char* to = record + sizeof(RecordHead);
  ((to = put(to, values)), ...);
  commit_record(record, bytes, level);
  look_at_doorbell(level);
}

// Shared by all calls with arguments of these types.
template <class... W>
[[gnu::noinline]] void emit_plain(Call& call, const char* format, const void* spot, W... values) noexcept {
  std::uint32_t site = known_site(call, format, spot);
  if (site == 0) [[unlikely]] {
    site = find_site(call, {format, std::strlen(format), Location::of(spot)}, spot, codes_of<W...>, sizeof...(W));
    if (site == 0) return;
  }
  write_values(site, call.level, measured(values)...);
}

template <std::size_t... I, class... Args>
void emit_copied(Call& call, Level level, const CallSite& site, std::index_sequence<I...>,
                 const Args&... arguments) noexcept {
  const Code* const codes = codes_of<decltype(plain(arguments))...>;
  const std::uint32_t number = find_site(call, site.site(), site.spot, codes, sizeof...(I));
  if (number == 0) return;
  [[maybe_unused]] const void* const addresses[] = {address_of(arguments)..., nullptr};
  write_values(number, level, measured(plain_or_address(arguments, (site.addresses >> I & 1) != 0, addresses[I]))...);
}

template <class... Args>
void emit_shown(Call& call, Level level, const CallSite& site, const void* const* addresses,
                Args&&... arguments) noexcept {
  emit_formatted(call, level, site, addresses, fmt::make_format_args(arguments...));
}

// What is rare: arguments that cannot be copied, a level that is not the call's own, a format that is no literal or was handed to
// the function that logs, addresses of characters.
template <class... Args>
[[gnu::noinline]] void emit_rare(Call& call, Level level, CallSite site, Args&... arguments) noexcept {
  if constexpr ((is_copied<std::decay_t<Args>> && ...)) {
    emit_copied(call, level, site, std::index_sequence_for<Args...>{}, arguments...);
  } else {
    const void* const addresses[] = {address_of(arguments)...};
    emit_shown(call, level, site, addresses, shown(arguments)...);
  }
}

// A literal that stands in the call lives as long as this code does: its address is enough to know it by.
template <bool may_show_addresses, class... Args>
[[gnu::always_inline]] inline void emit(Call& call, Level level, LiteralSite<may_show_addresses> site,
                                        Args&... arguments) noexcept {
  if constexpr (may_show_addresses) {
    if (site.addresses != 0) return emit_rare(call, level, call_site(site), arguments...);
  }
  if constexpr ((is_cast<std::remove_const_t<Args>> && ...)) {
    emit_plain<Plain<Args>...>(call, site.format, site.spot, static_cast<Plain<Args>>(arguments)...);
  } else if constexpr ((is_copied<std::decay_t<Args>> && ...)) {
    emit_plain(call, site.format, site.spot, plain(arguments)...);
  } else {
    emit_rare(call, level, call_site(site), arguments...);
  }
}

}  // namespace capture
#pragma GCC visibility pop
}  // namespace dlog
