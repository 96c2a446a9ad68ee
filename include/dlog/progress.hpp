// Progress bars: handles of this process whose bars stand below the records on the console of the whole process tree.
//
// Threads: every member but move, assignment and destruction may be called from any thread. += and push are one relaxed
// atomic operation: the log thread samples. Lifetimes: description and message are copied. Errors: nothing here throws but track(), for want of memory. A
// bar that cannot be shown (progress off) still counts; one for which there is no memory does nothing. A bar that ends is written once more as an ordinary line, in order with the
// records; what is called on it afterwards is not shown. A child's bar shows all of this at its parent's console; where the
// parent only speaks the seed protocol, that carries description, first total, value and end: the rest stays unseen, and a
// failure's reason is sent as a record. Rate and time left are worked out where the bar is drawn, never by the caller.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "dlog/counter.hpp"
#include "dlog/event.hpp"

#pragma GCC visibility push(default)  // the attribute of a namespace does not reach definitions elsewhere in clang
namespace dlog {

namespace progress {

// Any integral number as a count: below zero is zero.
template <std::integral T>
constexpr std::uint64_t count(T n) noexcept {
  if constexpr (std::is_signed_v<T>) {
    if (n < 0) return 0;
  }
  if constexpr (sizeof(T) > sizeof(std::uint64_t)) {
    if (n > static_cast<T>(std::numeric_limits<std::uint64_t>::max())) return std::numeric_limits<std::uint64_t>::max();
  }
  return static_cast<std::uint64_t>(n);
}

// Takes the bars off the screen for its lifetime (own console only); may be nested.
class Suspension {
 public:
  Suspension() noexcept;
  ~Suspension();
  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;

 private:
  bool suspended_ = false;
};

}  // namespace progress

class ProgressBar;

// What a bar may begin with beside its total.
struct BarOptions {
  Unit unit = Unit::items;
  const ProgressBar* parent = nullptr;  // stands below it, indented; read during the call only
  std::string_view message{};
  std::string_view bar_template{};  // see set_template()
};

class ProgressBar {
 public:
  explicit ProgressBar(std::string_view description)
      : ProgressBar(description, std::uint64_t{0}) {}  // unknown total: a spinner
  template <std::integral T>
  ProgressBar(std::string_view description, T total)
      : counter_(create(description, progress::count(total), {})) {}  // 0 or less: unknown
  template <std::integral T>
  ProgressBar(std::string_view description, T total, const BarOptions& options)
      : counter_(create(description, progress::count(total), options)) {}
  ProgressBar(ProgressBar&& other) noexcept : counter_(std::exchange(other.counter_, nullptr)) {}
  ProgressBar& operator=(ProgressBar&& other) noexcept {
    if (this != &other) {
      release();
      counter_ = std::exchange(other.counter_, nullptr);
    }
    return *this;
  }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  // Reached its total, or never had one: finished; else abandoned.
  ~ProgressBar() { release(); }

  // Absolute, as in the seed. Below zero is zero.
  template <std::integral T>
  void push(T value) noexcept {
    if (counter_ != nullptr) counter_->value.store(progress::count(value), std::memory_order_relaxed);
  }
  // Relative; a negative number takes back, not below zero.
  template <std::integral T>
  ProgressBar& operator+=(T n) noexcept {
    if (counter_ == nullptr) return *this;
    if constexpr (std::is_signed_v<T>) {
      if (n < 0) {
        const std::uint64_t less_one = progress::count(static_cast<T>(-(n + 1)));  // -n itself may not be a T
        take_back(less_one == std::numeric_limits<std::uint64_t>::max() ? less_one : less_one + 1);
        return *this;
      }
    }
    counter_->value.fetch_add(progress::count(n), std::memory_order_relaxed);
    return *this;
  }
  ProgressBar& operator++() noexcept { return *this += 1U; }

  void set_total(std::uint64_t total) noexcept;
  void set_message(std::string_view message) noexcept;
  void set_unit(Unit unit) noexcept;
  // How the row looks while the bar lives, as "{desc} {bar} {percent} {eta}"; docs/console.md lists the fields. Empty: as the
  // console's settings say. A template that cannot be read is told once, and the bar keeps its look.
  void set_template(std::string_view bar_template) noexcept;

  // The bar waits for something that is no work of its own: until resume() time counts neither for its rate nor as elapsed.
  void pause() noexcept;
  void resume() noexcept;
  // What it did so far says nothing about what is left: rate and time left are estimated anew from here.
  void reset_eta() noexcept;

  void finish() noexcept;                       // complete: the value becomes the total, where one is known
  void fail(std::string_view reason) noexcept;  // ended in failure; the value stays
  void abandon() noexcept;                      // ended before its time; the value stays
  void clear() noexcept;                        // leave no line behind

  std::uint64_t value() const noexcept {
    return counter_ == nullptr ? 0 : counter_->value.load(std::memory_order_relaxed);
  }

 private:
  static progress::Counter* create(std::string_view description, std::uint64_t total,
                                   const BarOptions& options) noexcept;
  void take_back(std::uint64_t n) noexcept;
  void release() noexcept;

  progress::Counter* counter_ = nullptr;  // null after a move
};

// The range that track() returns: iterate it once. It owns a range given as an rvalue, else refers to it.
template <class Range>
class Tracked {
 public:
  Tracked(Range&& range, std::string_view description)
      : range_(std::forward<Range>(range)), description_(description) {}

  using Inner = decltype(std::ranges::begin(std::declval<std::remove_reference_t<Range>&>()));
  using End = decltype(std::ranges::end(std::declval<std::remove_reference_t<Range>&>()));

  class Iterator {
   public:
    using difference_type = std::iter_difference_t<Inner>;
    using value_type = std::iter_value_t<Inner>;
    using iterator_concept = std::input_iterator_tag;

    Iterator(Inner inner, Tracked* owner) : inner_(std::move(inner)), owner_(owner) {}
    decltype(auto) operator*() const { return *inner_; }
    Iterator& operator++() {
      ++inner_;
      if (owner_->bar_) ++*owner_->bar_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const End& end) const { return inner_ == end; }

   private:
    Inner inner_;
    Tracked* owner_;
  };

  Iterator begin() {
    Inner first = std::ranges::begin(range_);
    if (!(first == std::ranges::end(range_))) {
      if constexpr (std::ranges::sized_range<std::remove_reference_t<Range>>)
        bar_.emplace(description_, std::ranges::size(range_));
      else bar_.emplace(description_);
    }
    return Iterator(std::move(first), this);
  }
  End end() { return std::ranges::end(range_); }

 private:
  Range range_;
  std::string description_;
  std::optional<ProgressBar> bar_;
};

// for (auto&& x : dlog::track(files, "Reading")): a bar that counts the elements. An empty range shows nothing; a loop left
// early abandons the bar.
template <class Range>
auto track(Range&& range, std::string_view description) {
  return Tracked<Range>(std::forward<Range>(range), description);
}

// Runs f with the bars off the screen, for foreign output, and returns what it returns. Records still appear. In a child it
// only runs f.
template <class F>
decltype(auto) suspend(F&& f) {
  const progress::Suspension guard;
  return std::forward<F>(f)();
}

}  // namespace dlog
#pragma GCC visibility pop
