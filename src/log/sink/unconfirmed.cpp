// What a parent has not confirmed: see unconfirmed.hpp.
#include "log/sink/unconfirmed.hpp"

#include <algorithm>
#include <exception>

#include "base/big_endian.hpp"
#include "log/wire/format.hpp"

namespace dlog::sink {
namespace {

struct First {
  std::size_t bytes;
  bool is_record;
};
First first_of(std::span<const std::byte> frames) noexcept {
  const std::size_t payload = load_big_endian<std::uint32_t>(frames.data());
  const bool is_record =
      payload != 0 && static_cast<wire::FrameType>(frames[wire::header_bytes]) == wire::FrameType::record;
  return {wire::header_bytes + payload, is_record};
}

}  // namespace

void Unconfirmed::add(std::span<const std::byte> frames) noexcept {
  for (auto rest = frames; !rest.empty();) {
    const First first = first_of(rest);
    added_ += first.is_record ? 1 : 0;
    rest = rest.subspan(first.bytes);
  }
  try {
    frames_.insert(frames_.end(), frames.begin(), frames.end());
  } catch (const std::exception&) {  // no memory: what there was is only counted
    return clear();
  }
  if (frames_.size() - begin_ > 2 * bytes_max) {
    while (frames_.size() - begin_ > bytes_max) drop_front();
  }
  if (begin_ < bytes_max) return;
  frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
}

void Unconfirmed::confirm(std::uint64_t records) noexcept {
  confirmed_ = std::max(confirmed_, std::min(records, added_));
  while (begin_ < frames_.size() && before_ < confirmed_) drop_front();
  if (confirmed_ == added_) clear();
}

void Unconfirmed::drop_front() noexcept {
  const First first = first_of(frames());
  begin_ += first.bytes;
  before_ += first.is_record ? 1 : 0;
}

void Unconfirmed::clear() noexcept {
  frames_ = {};
  begin_ = 0;
  before_ = added_;
}

}  // namespace dlog::sink
