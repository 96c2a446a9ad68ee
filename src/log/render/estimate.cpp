// How fast a bar moves: see estimate.hpp.
#include "log/render/estimate.hpp"

#include <algorithm>
#include <cmath>

namespace dlog::render {
namespace {

// What is left of the weight of something that is so old.
double weight_after(std::int64_t ns) {
  return std::pow(0.1, static_cast<double>(std::max<std::int64_t>(ns, 0)) * 1e-9 / Estimate::window_s);
}

}  // namespace

void Estimate::begin(std::uint64_t value, std::int64_t now_ns) noexcept {
  begun_ns_ = at_ns_ = now_ns;
  value_ = value;
  once_ = twice_ = 0;
}

void Estimate::record(std::uint64_t value, std::int64_t now_ns) noexcept {
  if (value < value_) return begin(value, now_ns);
  if (now_ns <= at_ns_) return;  // counted with the next
  const double rate = static_cast<double>(value - value_) / (static_cast<double>(now_ns - at_ns_) * 1e-9);
  const double kept = weight_after(now_ns - at_ns_);
  const double known = 1 - weight_after(now_ns - begun_ns_);
  once_ = once_ * kept + rate * (1 - kept);
  twice_ = twice_ * kept + once_ / known * (1 - kept);
  at_ns_ = now_ns;
  value_ = value;
}

void Estimate::skip_to(std::int64_t now_ns) noexcept {
  if (now_ns <= at_ns_) return;
  begun_ns_ += now_ns - at_ns_;
  at_ns_ = now_ns;
}

double Estimate::per_second(std::int64_t now_ns) const noexcept {
  if (twice_ == 0 || now_ns <= begun_ns_) return 0;
  // As if nothing had happened since: no news are bad news.
  const double known = 1 - weight_after(std::max(now_ns, at_ns_) - begun_ns_);
  return twice_ * weight_after(now_ns - at_ns_) / known;
}

}  // namespace dlog::render
