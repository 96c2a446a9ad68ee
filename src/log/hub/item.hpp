// What goes through the queue between a calling thread and the log thread: a block that records are written into (block.hpp), or
// what is rare and has a place among the records: a notice, a signal handler's word, a change of a bar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "dlog/event.hpp"
#include "dlog/level.hpp"
#include "log/hub/signal_ring.hpp"

namespace dlog::hub {

struct BarCell;

struct Parcel {
  enum class Kind : std::uint8_t { block, notice, signal, bar };
  Kind kind;
};

// One allocation, made by the caller, freed by the log thread.
struct Item : Parcel {
  explicit Item(Kind kind_of) : Parcel{kind_of} {}
  std::uint64_t ticks = 0;
  std::size_t admitted = 0;  // bytes of the backlog that it holds
};

// dlog itself speaks, in a caller's thread.
struct NoticeItem : Item {
  NoticeItem() : Item(Kind::notice) {}
  Level level = Level::info;
  std::string text{};
};

// A signal handler spoke.
struct SignalItem : Item {
  SignalItem() : Item(Kind::signal) {}
  SignalText said{};
};

// What of a bar may change while it lives.
struct BarFigures {
  std::uint64_t value = 0;
  std::uint64_t total = 0;
  Unit unit = Unit::items;
  bool paused = false;
  std::uint32_t estimate = 0;
  bool operator==(const BarFigures&) const = default;
};
struct BarTexts {
  std::string message{};
  std::string bar_template{};
};

// A bar starts or ends: what it was at that moment.
struct BarChange : Item {
  BarChange() : Item(Kind::bar) {}
  std::shared_ptr<BarCell> cell{};
  BarState state = BarState::running;
  BarFigures figures{};
  BarTexts texts{};
};

struct ItemDeleter {
  void operator()(Item* item) const noexcept {
    switch (item->kind) {
      case Parcel::Kind::bar: delete static_cast<BarChange*>(item); break;
      case Parcel::Kind::signal: delete static_cast<SignalItem*>(item); break;
      case Parcel::Kind::notice: delete static_cast<NoticeItem*>(item); break;
      case Parcel::Kind::block: break;  // is none
    }
  }
};
using ItemOwner = std::unique_ptr<Item, ItemDeleter>;

}  // namespace dlog::hub
