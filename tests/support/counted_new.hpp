// An operator new that counts, for the whole program whose one source includes this: a *_memory_test.cpp.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace dlog::test {

inline std::atomic<std::size_t> live_bytes{0};
inline std::atomic<std::size_t> peak_bytes{0};
inline std::atomic<std::size_t> blocks_made{0};

inline void* counted_new(std::size_t bytes) noexcept {
  void* block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) return nullptr;
  blocks_made.fetch_add(1);
  const std::size_t block_bytes = ::malloc_usable_size(block);
  const std::size_t live = live_bytes.fetch_add(block_bytes) + block_bytes;
  std::size_t peak = peak_bytes.load();
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
  }
  return block;
}

inline void* counted_new_or_throw(std::size_t bytes) {
  void* block = counted_new(bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

inline void counted_delete(void* block) noexcept {
  live_bytes.fetch_sub(::malloc_usable_size(block));
  std::free(block);
}

// Bytes that are alive, or were at most, beyond those at the start; and how many blocks were taken since.
class Memory {
 public:
  Memory() : start_(live_bytes.load()), blocks_(blocks_made.load()) { peak_bytes.store(start_); }
  std::size_t live() const { return live_bytes.load() - start_; }
  std::size_t peak() const { return peak_bytes.load() - start_; }
  std::size_t blocks() const { return blocks_made.load() - blocks_; }

 private:
  std::size_t start_;
  std::size_t blocks_;
};

}  // namespace dlog::test

// All forms for types of usual alignment: a sanitizer brings its own for those that are left out, and they would not match.
void* operator new(std::size_t bytes) { return dlog::test::counted_new_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return dlog::test::counted_new_or_throw(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return dlog::test::counted_new(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return dlog::test::counted_new(bytes); }
void operator delete(void* block) noexcept { dlog::test::counted_delete(block); }
void operator delete[](void* block) noexcept { dlog::test::counted_delete(block); }
void operator delete(void* block, std::size_t) noexcept { dlog::test::counted_delete(block); }
void operator delete[](void* block, std::size_t) noexcept { dlog::test::counted_delete(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { dlog::test::counted_delete(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { dlog::test::counted_delete(block); }
