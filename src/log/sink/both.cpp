// Two sinks where one is asked for: see both.hpp.
#include "log/sink/both.hpp"

#include <exception>

namespace dlog::sink {

void Both::accept(const Event& event) {
  try {
    second_->accept(event);
  } catch (const std::exception&) {
    // No memory; the first may still have some, and counts.
  }
  first_->accept(event);
}

void Both::flush() {
  first_->flush();
  second_->flush();
}

void Both::settle() {
  first_->settle();
  second_->settle();
}

void Both::leave(bool for_good) {
  first_->leave(for_good);
  second_->leave(for_good);
}

void Both::suspend(bool on) {
  first_->suspend(on);
  second_->suspend(on);
}

void Both::abandon() noexcept {
  first_->abandon();
  second_->abandon();
}

std::string Both::take_complaint() {
  std::string complaint = first_->take_complaint();
  return complaint.empty() ? second_->take_complaint() : complaint;
}

}  // namespace dlog::sink
