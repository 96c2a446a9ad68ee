// The library's side of a logging call: see dlog/capture.hpp.
#include <algorithm>
#include <cstring>
#include <exception>
#include <string>

#include "dlog/capture.hpp"
#include "log/api/runtime.hpp"
#include "log/event/captured.hpp"

namespace dlog::capture {

using api::Runtime;
using hub::Item;

bool admits_first(Level level) noexcept {
  try {
    Runtime::get();
  } catch (const std::exception&) {
    return false;  // no memory to start with
  }
  return static_cast<unsigned>(level) + 1 >= threshold.load(std::memory_order_relaxed);
}

namespace {

// A number that is no level is taken for the most severe.
Level known(Level level) { return std::min(level, Level::fatal); }

Item* open_item(Item::Kind kind, Level level, const Location& where, std::size_t bytes) noexcept {
  if (level == Level::off) return nullptr;  // a threshold, not a level to log at
  // The level is known before dlog is: a thread that passed it waits here for another that is starting it.
  Item* item = nullptr;
  try {
    item = Runtime::get().thread().open(kind, known(level), bytes);
  } catch (const std::exception&) {
    return nullptr;  // no memory to start with
  }
  if (item != nullptr) item->site.where = where;
  return item;
}

void submit(Item* item) noexcept { Runtime::running()->thread().submit(item); }

}  // namespace

Slot open(Level level, const Site& site, const Code* codes, std::size_t count, std::size_t bytes) noexcept {
  Item* item = open_item(Item::Kind::captured, level, site.where, bytes);
  if (item == nullptr) return {};
  item->site = site;
  item->codes = codes;
  item->argument_count = static_cast<std::uint32_t>(count);
  return {item->payload(), item};
}

void commit(Slot slot) noexcept { submit(static_cast<Item*>(slot.record)); }

void emit_text(Level level, const Location& where, const char* data, std::size_t size) noexcept {
  std::string cut;
  try {
    if (size > event::message_bytes_max) {
      cut.assign(data, event::message_bytes_max + 1);
      event::limit_message(cut);
      data = cut.data();
      size = cut.size();
    }
  } catch (const std::exception&) {
    size = event::message_bytes_max;  // no memory to say that it is cut
  }
  Item* item = open_item(Item::Kind::text, level, where, size);
  if (item == nullptr) return;
  if (size != 0) std::memcpy(item->payload(), data, size);
  submit(item);
}

void emit_formatted(Level level, const Site& site, const void* const* addresses, fmt::format_args arguments) noexcept {
  try {
    std::string message;
    event::format_at_once(message, site, addresses, arguments);
    emit_text(level, site.where, message.data(), message.size());
  } catch (const std::exception&) {
    emit_text(level, site.where, site.format, site.format_size);  // no memory: what the call says without its arguments
  }
}

}  // namespace dlog::capture
