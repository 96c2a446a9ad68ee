// The memory that a thread writes its records into and the log thread reads behind it: this head, then records (dlog/emit.hpp) up to
// the word that ends the block. It is announced in the queue when it is opened, and comes back to its lane when it was read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "dlog/emit.hpp"
#include "log/hub/item.hpp"

namespace dlog::hub {

struct Lane;

struct alignas(64) Block : Parcel {
  explicit Block(std::size_t capacity) : Parcel{Kind::block}, bytes(capacity) {}
  Lane* lane = nullptr;
  Block* next = nullptr;    // of the list that it stands in
  std::size_t bytes;        // for records, the word that ends the block included
  std::size_t touched = 0;  // of an own one: so much has its pages
  bool own = false;         // its lane's for ever; others are counted in the backlog, and shared
  bool counted = false;     // in the backlog, now
  bool single = false;      // one record, which is its lane's last

  char* records() noexcept { return reinterpret_cast<char*>(this + 1); }
  const char* records() const noexcept { return reinterpret_cast<const char*>(this + 1); }

  // Room for records of `bytes` in all, and the word that ends them. Null: no memory.
  static Block* make(std::size_t bytes) noexcept {
    const std::size_t capacity = bytes + capture::record_align;
    void* memory = ::operator new(sizeof(Block) + capacity, std::align_val_t{alignof(Block)}, std::nothrow);
    return memory == nullptr ? nullptr : new (memory) Block(capacity);
  }
  static void destroy(Block* block) noexcept {
    block->~Block();
    ::operator delete(block, std::align_val_t{alignof(Block)});
  }
};

}  // namespace dlog::hub
