// Any bytes as text: what is made visible is harmless, what is cut stays whole, and what is read as a time or a number is one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/civil_time.hpp"
#include "base/number.hpp"
#include "base/utf8.hpp"
#include "demand.hpp"
#include "log/render/visible.hpp"
#include "log/wire/encoder.hpp"

namespace {

using dlog::fuzz::demand;
using namespace dlog;

bool has_control(std::string_view text, std::string_view allowed = {}) {
  return std::any_of(text.begin(), text.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 || byte == 0x7F) && allowed.find(c) == std::string_view::npos;
  });
}

void check_visible(std::string_view text) {
  std::string out;
  render::append_visible(out, text);
  demand(utf8::valid(out) && !has_control(out), "visible text is one harmless line");
  std::string again;
  render::append_visible(again, out);
  demand(again == out, "visible text is visible");

  std::string lines;
  render::append_visible_lines(lines, text);
  demand(utf8::valid(lines) && !has_control(lines, "\n"), "visible lines are harmless");
  for (std::size_t at = lines.find('\n'); at != std::string::npos; at = lines.find('\n', at + 1)) {
    demand(lines.compare(at + 1, 1, " ") == 0, "a continuation line is indented");
  }
}

// The code unit in four hex digits at the front of `text`.
char32_t hex_unit(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  demand(text.size() >= 4, "an escaped code point has four digits");
  char32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    const std::size_t digit = digits.find(c);
    demand(digit != std::string_view::npos, "an escaped code point is in hex digits");
    value = value * 16 + static_cast<char32_t>(digit);
  }
  demand(value < 0xD800 || value > 0xDFFF, "an escaped code point is one");
  return value;
}

void append_utf8(std::string& out, char32_t value) {
  if (value < 0x80) {
    out += static_cast<char>(value);
  } else if (value < 0x800) {
    out += static_cast<char>(0xC0 | (value >> 6));
    out += static_cast<char>(0x80 | (value & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | (value >> 12));
    out += static_cast<char>(0x80 | ((value >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (value & 0x3F));
  }
}

// What a JSON parser reads, of the grammar of RFC 8259 as far as it may be needed.
std::string read_json_string(std::string_view json) {
  demand(json.size() >= 2 && json.front() == '"' && json.back() == '"', "a JSON string has its quotes");
  std::string_view rest = json.substr(1, json.size() - 2);
  std::string out;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    demand(c != '"', "a quote inside a JSON string is escaped");
    if (c != '\\') {
      out += c;
      continue;
    }
    demand(!rest.empty(), "an escape of a JSON string is whole");
    const char kind = rest.front();
    rest.remove_prefix(1);
    demand(kind == '"' || kind == '\\' || kind == 'n' || kind == 'u', "an escape of a JSON string is known");
    if (kind == 'u') {
      append_utf8(out, hex_unit(rest));
      rest.remove_prefix(4);
    } else {
      out += kind == 'n' ? '\n' : kind;
    }
  }
  return out;
}

void check_json(std::string_view text) {
  std::string out;
  render::append_json_string(out, text);
  demand(utf8::valid(out) && !has_control(out), "a JSON string is harmless");
  demand(read_json_string(out) == render::valid_utf8(text), "a JSON string says what the text says");
}

void check_utf8(std::string_view text) {
  const std::string repaired = render::valid_utf8(text);
  demand(utf8::valid(repaired), "repaired text is UTF-8");
  demand(!utf8::valid(text) || repaired == text, "what is UTF-8 stays as it is");
  for (std::size_t bytes = 0; bytes <= std::min<std::size_t>(repaired.size(), 16); ++bytes) {
    const std::string_view cut = utf8::cut(repaired, bytes);
    demand(cut.size() <= bytes && utf8::valid(cut) && repaired.starts_with(cut), "a cut is a whole beginning");
    demand(bytes - cut.size() < 4 || cut.size() == repaired.size(), "a cut takes no more than it must");
  }
  for (std::size_t at = 0; at < text.size();) {
    const utf8::CodePoint point = utf8::first(text.substr(at));
    demand(point.bytes >= 1 && point.bytes <= 4 && at + point.bytes <= text.size(), "a code point is inside its text");
    demand(point.valid || point.bytes == 1, "an invalid byte is one byte");
    at += point.bytes;
  }
}

void check_numbers(std::string_view text) {
  // The year that is written has a bound; an offset or a leap second may lead out of it, to a time that cannot be written.
  const auto read_ns = parse_rfc3339(text);
  const int year = read_ns ? civil_time(*read_ns).year : 0;
  if (const auto time_ns = read_ns; year >= 1678 && year <= 2261) {
    const std::string stamp = wire::timestamp(*time_ns);
    const auto again = parse_rfc3339(stamp);
    demand(again.has_value(), "what is written as a time can be read as one");
    const std::int64_t before_ns = *time_ns - *again;
    demand(before_ns >= 0 && before_ns < ns_per_ms, "a written time is the same to the millisecond");
  }
  if (const auto number = parse_unsigned(text)) {
    demand(!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos, "a number is digits");
    demand(parse_bytes(text) == number, "digits alone are a number of bytes too");
  }
  demand(!parse_switch(text) || text.size() <= 5, "a switch is one of the known words");
  demand(equal_ignoring_case(text, text), "a text equals itself");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_visible(text);
  check_json(text);
  check_utf8(text);
  check_numbers(text);
  return 0;
}
