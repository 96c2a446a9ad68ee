// The library's side of a logging call: see dlog/emit.hpp.
#include <fmt/format.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <exception>
#include <string_view>
#include <vector>

#include "dlog/emit.hpp"
#include "log/api/runtime.hpp"
#include "log/event/captured.hpp"
#include "log/event/level_name.hpp"
#include "os/clock.hpp"
#include "os/output.hpp"

namespace dlog::capture {

using api::Runtime;

bool admits_first(Level level) noexcept {
  try {
    Runtime::get();
  } catch (const std::exception&) {
    Runtime::drop_for_memory();  // there is none to start with
    return false;
  }
  return may_admit(level);
}

namespace {

// Sites that this thread met lately at calls that were made for another one first: in functions that are handed their format.
struct Met {
  const char* format = nullptr;
  const void* spot = nullptr;
  std::uint32_t number = 0;
};
constexpr std::size_t met_max = 64;
constinit thread_local Met met_lately[met_max];

Met& met_place(const char* format, const void* spot) noexcept {
  const auto mixed =
      (reinterpret_cast<std::uintptr_t>(format) ^ reinterpret_cast<std::uintptr_t>(spot) >> 3) * 0x9E37'79B9'7F4A'7C15U;
  return met_lately[mixed >> 58];
}

}  // namespace

std::uint32_t find_site(Call& call, const Site& site, const void* spot, const Code* codes, std::size_t count) noexcept {
  try {
    Runtime::get();  // before a lock is taken that another thread may have held when this process was forked
    event::SiteTable& sites = Runtime::sites();
    // Pointers that are known are looked at once more: what was unloaded may have given its addresses to something else.
    // And one place may be called with several types: a fold expression, a macro.
    const auto is = [&](std::uint32_t number) { return number != 0 && sites.find(number).is(site, codes, count); };
    if (const std::uint32_t first = known_site(call, site.format, spot); is(first)) return first;
    Met& met = met_place(site.format, spot);
    if (met.format == site.format && met.spot == spot && is(met.number)) return met.number;
    const std::uint32_t number = sites.number_of(site, codes, count);
    if (call.site.replace(0, number)) {
      call.format.store_relaxed(site.format);
      call.spot.store_release(spot);
    } else {
      met = {site.format, spot, number};
    }
    return number;
  } catch (const std::exception&) {
    Runtime::drop_for_memory();
    return 0;
  }
}

// "Hot" are all functions of a page turn: they stand side by side then, and where they have gone cold, fewer pages are fetched.
[[gnu::hot]] char* turn_page(std::size_t bytes, Level level) noexcept {
  // Of the first calls nobody knew whether their level is logged.
  if (!admits(level)) return nullptr;
  try {
    // The level is known before dlog is: a thread that passed it waits here for another that is starting it.
    return Runtime::get().thread().place(bytes, level);
  } catch (const std::exception&) {
    Runtime::drop_for_memory();  // there is none to start with
    return nullptr;
  }
}

namespace {

// The thread wrote its last record where the log thread of the process that this one was forked from would have read it.
void bring_over() noexcept {
  try {
    const std::vector<char> record = hub::Lanes::take_stray();
    hub::LogThread& thread = Runtime::get().thread();
    if (record.empty()) return;
    const auto level = static_cast<Level>(load_size_word(record.data()) & 7);
    if (!may_admit(level)) return;
    char* const place = thread.place(record.size(), level);
    if (place == nullptr) return;       // counted
    const std::uint64_t now = ticks();  // until dlog was started, another clock may have gone
    constexpr std::size_t word = sizeof(RecordHead::bytes_and_level);
    std::memcpy(place + word, record.data() + word, record.size() - word);
    std::memcpy(place + offsetof(RecordHead, ticks), &now, sizeof now);
    commit_record(place, record.size(), level);
    look_at_doorbell(level);
  } catch (const std::exception&) {
    Runtime::drop_for_memory();
  }
}

}  // namespace

void ring() noexcept {
  if (hub::Lanes::end_interrupted()) return;
  if (hub::Lanes::is_stray()) return bring_over();
  if (Runtime* runtime = Runtime::running()) runtime->thread().ring();
}

std::uint64_t portable_ticks() noexcept { return static_cast<std::uint64_t>(os::monotonic_ns()); }

void emit_in_handler(Level level, const char* text, std::size_t size, const void* spot) noexcept {
  const int error = errno;
  if (Runtime* const runtime = Runtime::running()) {
    if (may_admit(level)) runtime->thread().say_in_handler(level, {text, size}, spot);
  } else {
    os::say_in_handler(2, event::short_name(level), {text, size});
  }
  errno = error;
}

void emit_text(Call& call, Level level, const void* spot, const char* data, std::size_t size) noexcept {
  std::string_view text{data, size};
  fmt::memory_buffer cut;
  try {
    text = event::limited(cut, text);
  } catch (const std::exception&) {
    text = text.substr(0, event::message_bytes_max);  // no memory to say that it is cut
  }
  emit_rare(call, level, CallSite{nullptr, 0, spot}, text);
}

void emit_formatted(Call& call, Level level, const CallSite& site, const void* const* addresses,
                    fmt::format_args arguments) noexcept {
  if (!admits(level)) return;
  fmt::memory_buffer message;
  try {
    event::format_at_once(message, site.site(), addresses, arguments);
    const std::string_view text = event::text_in(message);
    emit_text(call, level, site.spot, text.data(), text.size());
  } catch (const std::exception&) {
    // No memory: what the call says without its arguments.
    emit_text(call, level, site.spot, site.format, site.format_size);
  }
}

}  // namespace dlog::capture
