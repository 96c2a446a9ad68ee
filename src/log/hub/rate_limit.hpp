// How many records a second are taken of one child; what is beyond is counted, and told once a second at the most.
//
// Threads: the log thread.
#pragma once

#include <cstdint>
#include <utility>

namespace dlog::hub {

class RateLimit {
 public:
  // 0: no limit.
  void set(std::uint64_t per_second) noexcept { per_second_ = per_second; }
  std::uint64_t per_second() const noexcept { return per_second_; }

  // Seconds are counted from the first record on, and from the first one after each of them.
  bool admit(std::int64_t now_ns) noexcept {
    if (per_second_ == 0) return true;
    if (taken_ == 0 || !same_second(since_ns_, now_ns)) {
      since_ns_ = now_ns;
      taken_ = 0;
    }
    if (taken_ < per_second_) return ++taken_, true;
    ++refused_;
    ++untold_;
    return false;
  }
  std::uint64_t refused() const noexcept { return refused_; }
  std::uint64_t untold() const noexcept { return untold_; }
  // What is to be told now; 0: nothing, or something was told less than a second ago.
  std::uint64_t take_untold(std::int64_t now_ns) noexcept {
    if (untold_ == 0 || (told_ && same_second(told_ns_, now_ns))) return 0;
    told_ = true;
    told_ns_ = now_ns;
    return take_rest();
  }
  // Where nothing more will be told.
  std::uint64_t take_rest() noexcept { return std::exchange(untold_, 0); }

 private:
  // The clock may be set back.
  static bool same_second(std::int64_t since_ns, std::int64_t now_ns) noexcept {
    return now_ns >= since_ns && now_ns - since_ns < 1'000'000'000;
  }

  std::uint64_t per_second_ = 0;
  std::int64_t since_ns_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t untold_ = 0;
  bool told_ = false;  // once at least, then at:
  std::int64_t told_ns_ = 0;
};

}  // namespace dlog::hub
