// What a parent was sent and has not confirmed: the latest of it, to be shown elsewhere should the parent be gone.
//
// The log thread. Memory: twice bytes_max; what is older than that is only counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "log/wire/encoder.hpp"

namespace dlog::sink {

class Unconfirmed {
 public:
  static constexpr std::size_t bytes_max = std::size_t{256} << 10;

  // Whole frames that were sent.
  void add(std::span<const std::byte> frames) noexcept;
  // So many records since the first have been written, with all that stood before them.
  void confirm(std::uint64_t records) noexcept;

  std::span<const std::byte> frames() const noexcept { return std::span(frames_).subspan(begin_); }
  // Records among these.
  std::uint64_t records() const noexcept { return added_ - before_; }
  // Records before these that were not confirmed either.
  std::uint64_t forgotten() const noexcept { return before_ - (confirmed_ < before_ ? confirmed_ : before_); }
  void clear() noexcept;

 private:
  void drop_front() noexcept;

  wire::Bytes frames_;
  std::size_t begin_ = 0;        // of what is not confirmed
  std::uint64_t added_ = 0;      // records
  std::uint64_t before_ = 0;     // of these: before begin_
  std::uint64_t confirmed_ = 0;  // as it was told last
};

}  // namespace dlog::sink
