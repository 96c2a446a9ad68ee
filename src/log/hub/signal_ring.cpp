// What signal handlers say, on its way to the log thread: see signal_ring.hpp.
#include "log/hub/signal_ring.hpp"

namespace dlog::hub {

bool SignalRing::put(const SignalText& text) noexcept {
  std::uint64_t place = next_.load(std::memory_order_relaxed);
  for (;;) {
    Slot& slot = slots_[place % signal_texts_max];
    const std::uint64_t free = free_state(place);
    const std::uint64_t state = slot.state.load(std::memory_order_acquire);
    if (state < free) return false;  // what was put there a round ago was not taken yet
    if (state > free) {              // somebody else was faster
      place = next_.load(std::memory_order_relaxed);
      continue;
    }
    if (!next_.compare_exchange_weak(place, place + 1, std::memory_order_relaxed)) continue;
    slot.text = text;
    slot.state.store(free + 1, std::memory_order_release);
    return true;
  }
}

bool SignalRing::take(SignalText& text) noexcept {
  if (empty()) return false;
  Slot& slot = slots_[taken_ % signal_texts_max];
  text = slot.text;
  slot.state.store(free_state(taken_) + 2, std::memory_order_release);
  ++taken_;
  return true;
}

bool SignalRing::empty() const noexcept {
  return slots_[taken_ % signal_texts_max].state.load(std::memory_order_acquire) != free_state(taken_) + 1;
}

}  // namespace dlog::hub
