// A small strict reader of JSON: see json.hpp.
#include "support/json.hpp"

#include <cstddef>
#include <stdexcept>

#include "base/utf8.hpp"

namespace dlog::test {
namespace {

[[noreturn]] void refuse(const char* what) { throw std::runtime_error(std::string("JSON: ") + what); }

void append_utf8(std::string& out, unsigned c) {
  const auto add = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0 | (c >> 6));
    add(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    add(0xE0 | (c >> 12));
    add(0x80 | ((c >> 6) & 0x3F));
    add(0x80 | (c & 0x3F));
  } else {
    add(0xF0 | (c >> 18));
    add(0x80 | ((c >> 12) & 0x3F));
    add(0x80 | ((c >> 6) & 0x3F));
    add(0x80 | (c & 0x3F));
  }
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {
    if (!utf8::valid(text)) refuse("not UTF-8");
  }

  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  char next() {
    if (rest_.empty()) refuse("ends too early");
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void expect(char c) {
    if (next() != c) refuse("an unexpected character");
  }
  std::string string() {
    expect('"');
    std::string out;
    for (;;) {
      const char c = next();
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) refuse("a raw control byte");
      if (c == '\\') escape(out);
      else out += c;
    }
  }
  std::string number() {
    std::string out;
    while (peek() >= '0' && peek() <= '9') out += next();
    if (out.empty() || (out.size() > 1 && out.front() == '0')) refuse("not a number");
    return out;
  }

 private:
  void escape(std::string& out) {
    const char c = next();
    switch (c) {
      case '"':
      case '\\':
      case '/': out += c; return;
      case 'b': out += '\b'; return;
      case 'f': out += '\f'; return;
      case 'n': out += '\n'; return;
      case 'r': out += '\r'; return;
      case 't': out += '\t'; return;
      case 'u': break;
      default: refuse("an unknown escape");
    }
    unsigned value = four_digits();
    if (value >= 0xD800 && value <= 0xDFFF) {
      if (value >= 0xDC00) refuse("half a surrogate pair");
      expect('\\');
      expect('u');
      const unsigned low = four_digits();
      if (low < 0xDC00 || low > 0xDFFF) refuse("half a surrogate pair");
      value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, value);
  }
  unsigned four_digits() {
    unsigned value = 0;
    for (int i = 0; i < 4; ++i) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(next());
      if (digit == std::string_view::npos) refuse("not a hex digit");
      value = value * 16 + static_cast<unsigned>(digit);
    }
    return value;
  }

  std::string_view rest_;
};

}  // namespace

std::map<std::string, std::string> parse_json_line(std::string_view line) {
  Reader reader(line);
  std::map<std::string, std::string> out;
  reader.expect('{');
  for (bool first = true; reader.peek() != '}'; first = false) {
    if (!first) reader.expect(',');
    const std::string key = reader.string();
    reader.expect(':');
    const std::string value = reader.peek() == '"' ? reader.string() : reader.number();
    if (!out.emplace(key, value).second) refuse("a key twice");
  }
  reader.expect('}');
  reader.expect('\n');
  if (!reader.done()) refuse("text after the line");
  return out;
}

std::string parse_json_string(std::string_view text) {
  Reader reader(text);
  std::string out = reader.string();
  if (!reader.done()) refuse("text after the string");
  return out;
}

}  // namespace dlog::test
