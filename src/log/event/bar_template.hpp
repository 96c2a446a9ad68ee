// How a bar's row looks, as its owner writes it: "{desc} {bar} {percent} {eta}".
//
// `{field}` stands for what it names, `{field:N}` takes exactly N columns (N up to columns_max), `{{` and `}}` are braces, all
// else is itself. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace dlog::event {

enum class BarField : std::uint8_t {
  literal,  // text
  source,
  desc,
  spinner,
  bar,
  percent,
  value,
  total,
  amount,
  rate,
  elapsed,
  eta,
  message,
  state,
};

struct BarTemplate {
  struct Part {
    BarField field = BarField::literal;
    std::string text{};       // of a literal
    std::size_t columns = 0;  // 0: as many as it takes
  };
  std::vector<Part> parts{};

  static constexpr std::size_t bytes_max = 1024;
  static constexpr std::size_t columns_max = 200;
  static constexpr std::size_t parts_max = 64;

  static Result<BarTemplate> parse(std::string_view text);
  // Why it cannot be read; empty: it can.
  static std::string fault_in(std::string_view text);
};

}  // namespace dlog::event
