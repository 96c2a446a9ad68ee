// Text made safe to show: see visible.hpp.
#include "log/render/visible.hpp"

#include <fmt/format.h>

#include <iterator>

#include "base/utf8.hpp"

namespace dlog::render {
namespace {

constexpr std::string_view continuation_indent = "    ";

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

// Marks, embeddings, overrides and isolates of the bidirectional algorithm, and separators that some programs take for newlines.
bool is_reordering(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void append_hex_byte(std::string& out, unsigned value) { fmt::format_to(std::back_inserter(out), "\\x{:02x}", value); }
void append_hex_point(std::string& out, char32_t value) {
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(value));
}

void append_escaped(std::string& out, utf8::CodePoint point) {
  switch (point.value) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  if (!point.valid || point.value < 0x80) append_hex_byte(out, static_cast<unsigned>(point.value));
  else append_hex_point(out, point.value);
}

// Hands every run of harmless text to `keep` and every other code point to `escape`.
template <class Harmless, class Keep, class Escape>
void split(std::string_view text, Harmless harmless, Keep keep, Escape escape) {
  std::size_t start = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const utf8::CodePoint point = byte < 0x80 ? utf8::CodePoint{byte, 1, true} : utf8::first(text.substr(at));
    if (!point.valid || !harmless(point.value)) {
      keep(text.substr(start, at - start));
      escape(point);
      start = at + point.bytes;
    }
    at += point.bytes;
  }
  keep(text.substr(start));
}

bool is_printable(char32_t c) { return !is_control(c) && !is_reordering(c); }

}  // namespace

void append_visible(std::string& out, std::string_view text) {
  const std::size_t harmless = utf8::printable_ascii(text);
  out += text.substr(0, harmless);
  text.remove_prefix(harmless);
  if (text.empty()) return;
  split(
      text, is_printable, [&](std::string_view run) { out += run; },
      [&](utf8::CodePoint point) { append_escaped(out, point); });
}

std::string visible(std::string_view text) {
  std::string out;
  append_visible(out, text);
  return out;
}

void append_visible_lines(std::string& out, std::string_view message) {
  if (utf8::printable_ascii(message) == message.size()) {
    out += message;
    return;
  }
  if (message.ends_with('\n')) message.remove_suffix(1);
  if (message.ends_with('\r')) message.remove_suffix(1);
  for (;;) {
    const std::size_t newline = message.find('\n');
    std::string_view line = message.substr(0, newline);
    if (newline != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    append_visible(out, line);
    if (newline == std::string_view::npos) return;
    out += '\n';
    out += continuation_indent;
    message.remove_prefix(newline + 1);
  }
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  split(
      text, [](char32_t) { return true; }, [&](std::string_view run) { out += run; },
      [&](utf8::CodePoint point) { append_hex_byte(out, static_cast<unsigned>(point.value)); });
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  const auto harmless = [](char32_t c) { return is_printable(c) && c != '"' && c != '\\'; };
  out += '"';
  split(
      text, harmless, [&](std::string_view run) { out += run; },
      [&](utf8::CodePoint point) {
        if (!point.valid) {
          out += '\\';  // the backslash of `\xff` needs one of its own in JSON
          append_hex_byte(out, static_cast<unsigned>(point.value));
        } else if (point.value == '"' || point.value == '\\') {
          out += '\\';
          out += static_cast<char>(point.value);
        } else if (point.value == '\n') {
          out += "\\n";
        } else {
          append_hex_point(out, point.value);
        }
      });
  out += '"';
}

}  // namespace dlog::render
