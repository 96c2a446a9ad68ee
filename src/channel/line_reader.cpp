// Bytes in any pieces, lines out: see line_reader.hpp.
#include "channel/line_reader.hpp"

#include <algorithm>
#include <utility>

namespace dlog::channel {
namespace {

constexpr std::size_t kept_idle_max = 64 << 10;  // a buffer that grew beyond it for one line is given back

}  // namespace

void LineReader::take(std::string_view bytes, Receiver& receiver) {
  std::size_t next_end = bytes.find('\n');
  while (!bytes.empty()) {
    const std::size_t end = next_end;
    if (end == std::string_view::npos) {
      keep(bytes, receiver);
      return;
    }
    const std::string_view head = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    next_end = bytes.find('\n');
    has_more_ = next_end != std::string_view::npos;
    if (!skips_ && kept_.empty() && head.size() <= line_bytes_max_) {
      taken_ += head.size() + 1;
      receiver.take_line(head, taken_);
      continue;
    }
    keep(head, receiver);
    ++taken_;
    unfinished_ = 0;
    if (std::exchange(skips_, false)) {
      receiver.long_line_ends(taken_);
      continue;
    }
    receiver.take_line({kept_.data(), kept_.size()}, taken_);
    kept_.clear();
    if (kept_.capacity() > kept_idle_max) kept_.shrink_to_fit();
  }
}

void LineReader::keep(std::string_view bytes, Receiver& receiver) {
  taken_ += bytes.size();
  unfinished_ += bytes.size();
  if (skips_) return;
  if (bytes.size() <= line_bytes_max_ - kept_.size()) {
    // Never room for more than the limit.
    if (kept_.capacity() - kept_.size() < bytes.size())
      kept_.reserve(std::min(line_bytes_max_, std::max(2 * kept_.capacity(), kept_.size() + bytes.size())));
    kept_.insert(kept_.end(), bytes.begin(), bytes.end());
    return;
  }
  skips_ = true;
  std::vector<char>().swap(kept_);
  receiver.take_long_line(taken_ - unfinished_);
}

}  // namespace dlog::channel
