// Text made safe to show: nothing in it can move a cursor, forge a line, reorder text or change a title.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace dlog::render {

// Control bytes become `\x1b`, bidi controls and line separators `\u202e`, bytes that are not UTF-8 `\xff`; a newline `\n`.
void append_visible(std::string& out, std::string_view text);
std::string visible(std::string_view text);

// The same for a message: its newlines stay, and each continuation line is indented, so that it cannot pass for a record. One
// newline at the end is left out.
void append_visible_lines(std::string& out, std::string_view message);

// Valid UTF-8 whatever came in: bytes that are not become `\xff`. All else stays.
std::string valid_utf8(std::string_view text);

// A JSON string with its quotes, pure printable text inside.
void append_json_string(std::string& out, std::string_view text);

}  // namespace dlog::render
