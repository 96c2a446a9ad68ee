// How many records of each source a sink could not deliver.
//
// The log thread. Of so many sources it is known as sources_max says; the first to be forgotten are the children that came first:
// their numbers are never used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <map>

namespace dlog::sink {

class Losses {
 public:
  static constexpr std::size_t sources_max = 8192;

  Losses() { of_[0] = 0; }  // this process itself: never forgotten

  void add(std::uint64_t source_id, std::uint64_t records) noexcept {
    try {
      of_[source_id] += records;
    } catch (const std::exception&) {
      // No memory to know it of a child; that something was lost is said.
    }
    while (of_.size() > sources_max) of_.erase(std::next(of_.begin()));
  }
  std::uint64_t of(std::uint64_t source_id) const noexcept {
    const auto found = of_.find(source_id);
    return found == of_.end() ? 0 : found->second;
  }

 private:
  std::map<std::uint64_t, std::uint64_t> of_;
};

}  // namespace dlog::sink
