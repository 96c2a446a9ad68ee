// A small strict reader of one line of JSON: an object of strings and whole numbers.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace dlog::test {

// Texts decoded to UTF-8, numbers as they stand. Throws std::runtime_error on anything that JSON forbids: raw control bytes,
// unknown escapes, half surrogates, bytes that are not UTF-8, a key twice, trailing text.
std::map<std::string, std::string> parse_json_line(std::string_view line);

// One JSON string with its quotes.
std::string parse_json_string(std::string_view text);

}  // namespace dlog::test
