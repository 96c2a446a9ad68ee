// Who listens behind a DLOG_PIPE: see pipe_id.hpp.
#include "base/pipe_id.hpp"

#include <algorithm>
#include <limits>

#include "base/number.hpp"

namespace dlog {
namespace {

// One way to write a number: without zeros in front.
template <class T>
bool take_number(std::string_view& rest, T& out) noexcept {
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view digits = rest.substr(0, colon);
  const auto value = parse_unsigned(digits);
  if (!value || *value > std::numeric_limits<T>::max() || (digits.size() > 1 && digits.front() == '0')) return false;
  out = static_cast<T>(*value);
  rest.remove_prefix(colon + 1);
  return true;
}

bool is_hex_digit(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string token_of(std::uint64_t high, std::uint64_t low) {
  std::string out(PipeId::token_digits, '0');
  for (std::size_t i = 0; i < 16; ++i) {
    out[15 - i] = "0123456789abcdef"[high >> (4 * i) & 0xF];
    out[31 - i] = "0123456789abcdef"[low >> (4 * i) & 0xF];
  }
  return out;
}

std::string format_pipe_id(const PipeId& id) {
  return std::to_string(id.port) + ':' + std::to_string(id.pid) + ':' + std::to_string(id.cookie) + ':' + id.token;
}

std::optional<PipeId> parse_pipe_id(std::string_view text) {
  PipeId id;
  if (!take_number(text, id.port) || !take_number(text, id.pid) || !take_number(text, id.cookie)) return std::nullopt;
  if (id.port == 0 || id.pid == 0) return std::nullopt;
  if (text.size() != PipeId::token_digits || !std::all_of(text.begin(), text.end(), is_hex_digit)) return std::nullopt;
  id.token = text;
  return id;
}

}  // namespace dlog
