// What waits in the queue between a calling thread and the log thread: a record with its copied arguments, or a change of a bar.
// One allocation each, made by the caller, freed by the log thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>

#include "dlog/capture.hpp"
#include "dlog/event.hpp"

namespace dlog::hub {

struct BarCell;

// The state of a bar at one moment, with texts of its own: what an Item carries for a bar.
struct BarChange {
  std::shared_ptr<BarCell> cell;
  BarState state = BarState::running;
  std::uint64_t value = 0;
  std::uint64_t total = 0;
  Unit unit = Unit::items;
  std::string message;
};

struct Item {
  enum class Kind : std::uint8_t { captured, text, bar };
  Kind kind = Kind::text;
  Level level = Level::info;
  bool notice = false;        // dlog itself speaks
  std::uint32_t bytes = 0;    // of the payload
  std::int64_t stamp_ns = 0;  // monotonic
  std::uint64_t thread = 0;
  capture::Site site{};
  const capture::Code* codes = nullptr;  // captured: of a static array
  std::uint32_t argument_count = 0;
  BarChange* bar = nullptr;  // bar: owned

  char* payload() noexcept { return reinterpret_cast<char*>(this + 1); }
  const char* payload() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  // What it counts for in the bound of the queue.
  std::size_t cost() const noexcept { return sizeof(Item) + bytes; }

  static Item* make(Kind kind, std::size_t payload_bytes) noexcept {
    void* memory = ::operator new(sizeof(Item) + payload_bytes, std::nothrow);
    if (memory == nullptr) return nullptr;
    Item* item = new (memory) Item;
    item->kind = kind;
    item->bytes = static_cast<std::uint32_t>(payload_bytes);
    return item;
  }
  static void destroy(Item* item) noexcept {
    delete item->bar;
    item->~Item();
    ::operator delete(item);
  }
};

struct ItemDeleter {
  void operator()(Item* item) const noexcept { Item::destroy(item); }
};
using ItemOwner = std::unique_ptr<Item, ItemDeleter>;

}  // namespace dlog::hub
