// What the logging calls need of an atomic variable, and no more: <atomic> costs the compiler a tenth of a second for each source that
// logs, and each of its operations some more at every call.
// Threads: any. The names say the memory order; exchange() is sequentially consistent.
#pragma once

namespace dlog::capture {

// Beside pointers and integers of up to 8 bytes nothing is meant.
template <class T>
class Atomic {
 public:
  constexpr Atomic() noexcept = default;
  explicit constexpr Atomic(T value) noexcept : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load_relaxed() const noexcept { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
  T load_acquire() const noexcept { return __atomic_load_n(&value_, __ATOMIC_ACQUIRE); }
  void store_relaxed(T value) noexcept { __atomic_store_n(&value_, value, __ATOMIC_RELAXED); }
  void store_release(T value) noexcept { __atomic_store_n(&value_, value, __ATOMIC_RELEASE); }
  void store_seq_cst(T value) noexcept { __atomic_store_n(&value_, value, __ATOMIC_SEQ_CST); }
  T exchange(T value) noexcept { return __atomic_exchange_n(&value_, value, __ATOMIC_SEQ_CST); }
  // Stores `value` where `expected` stands; false: something else does. Relaxed.
  bool replace(T expected, T value) noexcept {
    return __atomic_compare_exchange_n(&value_, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  }

 private:
  alignas(sizeof(T)) T value_{};  // more than 32-bit x86 asks for: else it could not be loaded at once
};

}  // namespace dlog::capture
