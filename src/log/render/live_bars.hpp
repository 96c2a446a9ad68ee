// The bars that live: what is known of each, which of them are drawn where there is no room for all, and in what order.
//
// Bars stand in the order of their creation, parts below what they are a part of. One thread; times are arguments, monotonic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/seeded_hash.hpp"
#include "dlog/event.hpp"
#include "log/event/bar_template.hpp"
#include "log/render/bar_view.hpp"
#include "log/render/estimate.hpp"

namespace dlog::render {

class LiveBars {
 public:
  struct Live {
    std::uint64_t source_id = 0;
    std::string source{};  // who it belongs to
    std::string description{};
    std::string message{};
    std::string template_text{};
    event::BarTemplate bar_template{};
    Bar bar{};                 // its views are set in view()
    std::uint64_t number = 0;  // the earlier created, the smaller
    std::int64_t since_ns = 0;
    std::int64_t moved_ns = 0;   // when it changed last
    std::int64_t paused_ns = 0;  // since when it is paused
    std::int64_t idle_ns = 0;    // how long it was, before
    float busy = 0;              // grows with each change, and goes down by half in busy_half_ns
    Estimate estimate{};

    BarView view(std::int64_t now_ns, bool with_source) const;
  };

  // The state of a bar, new or known.
  void put(const Event& event, std::int64_t now_ns);
  const Live* find(std::uint64_t source_id, std::uint64_t bar_id) const;
  void remove(std::uint64_t source_id, std::uint64_t bar_id);
  // In the order of their creation.
  const std::list<Live>& all() const noexcept { return bars_; }
  bool empty() const noexcept { return bars_.empty(); }

  // Have bars of more than one process been here, so that each must say whose it is?
  bool of_several() const noexcept { return of_several_; }

  struct Choice {
    std::vector<BarView> views;  // from the top down
    std::size_t more = 0;        // that are old enough, and for which there is no row
    int more_percent = 0;        // of those: the mean
  };
  // Up to `rows` of the bars that are at least `age_ns` old, where there are more one fewer: the busiest and the newest.
  Choice choose(std::size_t rows, std::int64_t age_ns, std::int64_t now_ns) const;

  // The progress of all together, 0..100: the mean of those that are a part of none and have a total; -1: there is none.
  int overall_percent() const;

  static constexpr std::int64_t busy_half_ns = 1'000'000'000;
  static constexpr std::int64_t new_ns = 2'000'000'000;  // a bar younger than this is among the newest

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // (source, bar)
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return static_cast<std::size_t>(seeded_hash(key.first ^ seeded_hash(key.second)));
    }
  };
  const Live* parent_of(const Live& live) const;
  std::vector<std::pair<const Live*, std::size_t>> in_order(std::int64_t age_ns, std::int64_t now_ns) const;

  std::list<Live> bars_;
  std::unordered_map<Key, std::list<Live>::iterator, KeyHash> places_;
  std::uint64_t created_ = 0;
  std::uint64_t parts_ = 0;  // of all bars, those that name a parent
  std::uint64_t first_source_ = 0;
  bool of_several_ = false;
};

}  // namespace dlog::render
