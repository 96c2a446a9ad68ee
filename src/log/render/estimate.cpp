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
  at_ns_ = now_ns;
  value_ = value;
  unknown_ = 1;
  once_ = twice_ = 0;
}

void Estimate::record(std::uint64_t value, std::int64_t now_ns) noexcept {
  if (value < value_) return begin(value, now_ns);
  if (now_ns <= at_ns_) return;  // counted with the next
  const double rate = static_cast<double>(value - value_) / (static_cast<double>(now_ns - at_ns_) * 1e-9);
  const double kept = weight_after(now_ns - at_ns_);
  unknown_ *= kept;
  once_ = once_ * kept + rate * (1 - kept);
  twice_ = twice_ * kept + once_ / (1 - unknown_) * (1 - kept);
  at_ns_ = now_ns;
  value_ = value;
}

void Estimate::skip_to(std::int64_t now_ns) noexcept { at_ns_ = std::max(at_ns_, now_ns); }

double Estimate::per_second(std::int64_t now_ns) const noexcept {
  if (twice_ == 0) return 0;
  // As if nothing had happened since: no news are bad news.
  const double kept = weight_after(now_ns - at_ns_);
  return twice_ * kept / (1 - unknown_ * kept);
}

}  // namespace dlog::render
