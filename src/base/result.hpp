// A value or the reason why there is none: errors as values, for functions that can fail.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace dlog {

struct Error {
  std::string reason;
};

template <class T>
class Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return held_.index() == 0; }
  T& operator*() { return std::get<0>(held_); }
  const T& operator*() const { return std::get<0>(held_); }
  T* operator->() { return &std::get<0>(held_); }
  const std::string& reason() const { return std::get<1>(held_).reason; }

 private:
  std::variant<T, Error> held_;
};

}  // namespace dlog
