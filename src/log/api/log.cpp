// The library's side of a logging call: see dlog/emit.hpp.
#include <fmt/format.h>

#include <exception>
#include <string_view>

#include "dlog/emit.hpp"
#include "log/api/runtime.hpp"
#include "log/event/captured.hpp"
#include "os/clock.hpp"

namespace dlog::capture {

using api::Runtime;

bool admits_first(Level level) noexcept {
  try {
    Runtime::get();
  } catch (const std::exception&) {
    return false;  // no memory to start with
  }
  return static_cast<unsigned>(level) + 1 >= threshold.load(std::memory_order_relaxed);
}

std::uint32_t enrol(SiteId& id, const Site& site, const Code* codes, std::size_t count) noexcept {
  try {
    return Runtime::sites().add(id, site, codes, count);
  } catch (const std::exception&) {
    if (Runtime* runtime = Runtime::running()) runtime->thread().drop();
    return 0;
  }
}

char* turn_page(std::size_t bytes, Level level) noexcept {
  // Of the first calls nobody knew whether their level is logged.
  if (!admits(level)) return nullptr;
  try {
    // The level is known before dlog is: a thread that passed it waits here for another that is starting it.
    return Runtime::get().thread().place(bytes, level);
  } catch (const std::exception&) {
    return nullptr;  // no memory to start with
  }
}

void ring() noexcept { Runtime::running()->thread().ring(); }

std::uint64_t portable_ticks() noexcept { return static_cast<std::uint64_t>(os::monotonic_ns()); }

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
