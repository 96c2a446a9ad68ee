// The log thread's side of the records of this process: see own_records.hpp.
#include "log/hub/own_records.hpp"

#include <algorithm>
#include <cstring>

namespace dlog::hub {
namespace {

using capture::RecordHead;

constexpr std::uint32_t level_bits = capture::record_align - 1;

RecordHead head_at(const char* at) noexcept {
  RecordHead head;
  std::memcpy(&head, at, sizeof head);
  return head;
}

}  // namespace

void OwnRecords::add(Block* block) {
  Lane& lane = *block->lane;
  if (!lane.listed) {
    heads_.reserve(listed_.size() + 1);
    listed_.push_back(&lane);
    lane.listed = true;
  }
  lane.ended = false;
  block->next = nullptr;
  if (lane.first == nullptr) {
    lane.first = block;
    lane.at = block->records();
  } else {
    lane.last->next = block;
    ++behind_;
  }
  lane.last = block;
}

bool OwnRecords::waiting() const noexcept {
  return std::any_of(listed_.begin(), listed_.end(),
                     [](Lane* lane) { return lane->first != nullptr && capture::load_size_word(lane->at) != 0; });
}

void OwnRecords::begin(std::uint64_t cut, std::uint64_t far) {
  cut_ = cut;
  far_ = far;
  heads_.clear();
  for (std::size_t i = 0; i < listed_.size();) {
    Lane& lane = *listed_[i];
    const std::uint64_t ticks = head(lane);
    Lanes::touch_ahead(lane);
    if (ticks != none) heads_.push_back({ticks, &lane});
    if (!lane.ended) {
      ++i;
      continue;
    }
    lane.listed = false;
    listed_[i] = listed_.back();
    listed_.pop_back();
  }
  std::make_heap(heads_.begin(), heads_.end());
}

Lane& OwnRecords::take_first() noexcept {
  Lane& lane = *heads_.front().lane;
  std::pop_heap(heads_.begin(), heads_.end());
  heads_.pop_back();
  return lane;
}

void OwnRecords::put(Lane& lane, std::uint64_t ticks) {
  heads_.push_back({ticks, &lane});
  std::push_heap(heads_.begin(), heads_.end());
}

std::uint64_t OwnRecords::head(Lane& lane) noexcept {
  while (lane.first != nullptr) {
    const bool ended = lane.first->single && lane.at != lane.first->records();
    const std::uint32_t word = ended ? capture::end_of_lane : capture::load_size_word(lane.at);
    if (word == 0) {
      if (lane.first->counted) lanes_.discount(*lane.first);
      return none;
    }
    if (word > level_bits) {
      const std::uint64_t ticks = time_of(head_at(lane.at).ticks);
      return ticks <= cut_ ? ticks : none;
    }
    if (!next_block(lane, word == capture::end_of_lane)) return none;
  }
  return none;
}

bool OwnRecords::next_block(Lane& lane, bool last) noexcept {
  Block* const read = lane.first;
  lane.first = read->next;
  lane.at = lane.first == nullptr ? nullptr : lane.first->records();
  if (lane.first != nullptr) --behind_;
  lane.ended = last;
  lanes_.give_back(read);
  if (last) lanes_.retire(&lane);
  return !last;
}

OwnRecord OwnRecords::step(Lane& lane) noexcept {
  const RecordHead head = head_at(lane.at);
  const OwnRecord record{static_cast<Level>(head.bytes_and_level & level_bits), head.site, time_of(head.ticks),
                         lane.thread, lane.at + sizeof(RecordHead)};
  lane.at += head.bytes_and_level & ~level_bits;
  return record;
}

}  // namespace dlog::hub
