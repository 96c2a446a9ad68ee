// The picture on a terminal: see frame.hpp.
#include "log/render/frame.hpp"

#include <fmt/format.h>

#include <iterator>

namespace dlog::render {
namespace {

constexpr std::string_view sync_begin = "\x1b[?2026h";
constexpr std::string_view sync_end = "\x1b[?2026l";
// From the first column. Not at once: in the first column of the first row tmux takes "erase down" for "clear the screen", and keeps
// what stood there as if it had scrolled away.
constexpr std::string_view erase_down = "\x1b[K\x1b[C\x1b[J\r";
constexpr std::string_view erase_to_line_end = "\x1b[K";
constexpr std::string_view down = "\r\x1b[B";
constexpr std::string_view autowrap_off = "\x1b[?7l";
constexpr std::string_view autowrap_on = "\x1b[?7h";

// To the first column; and where the cursor is not there, to a new line: text without a newline that another program wrote stays
// as a line of its own. Nobody can ask where the cursor is, but from the first column it is one step further to the right edge
// than from any other, so that of two blanks written there the second goes to a new line or not. The blank before that is for
// text that has just filled its row: the cursor then stands on its last character. What follows text or, behind a stray line, is
// left of a live row is erased before that: where the terminal has just got narrower the second blank goes to a new line anyway.
void append_line_start(std::string& out, Size size) {
  if (size.columns > 2) fmt::format_to(std::back_inserter(out), " \x1b[D\x1b[K\x1b[{}C  ", size.columns - 2);
  out += '\r';
}

// A terminal that has just got lower has less room than these rows take: what scrolls then should be no row of ours, or it would
// stay as a ghost. So where nothing is left below, room is made first, and rows are gone down to, which scrolls nothing. Where they
// are drawn over what they were, so that nothing flickers, each makes the room that a stray line may have taken.
void append_rows(std::string& out, const std::vector<std::string>& rows, bool from_scratch) {
  if (from_scratch) {
    out.append(rows.size(), '\n');
    fmt::format_to(std::back_inserter(out), "\x1b[{}A", rows.size());
  }
  out += autowrap_off;
  for (const std::string& row : rows) {
    out += from_scratch ? down : std::string_view("\n");
    out += row;
    out += erase_to_line_end;
  }
  out += autowrap_on;
  fmt::format_to(std::back_inserter(out), "\r\x1b[{}A", rows.size());
}

}  // namespace

std::size_t Frame::rows_max(Size size) noexcept { return size.rows > 2 ? static_cast<std::size_t>(size.rows - 2) : 0; }

void Frame::append(std::string& out, std::string_view lines, const std::vector<std::string>& rows, Size size) {
  if (rows_before_ == 0 && rows.empty()) {
    out += lines;  // nothing is live: an ordinary program that prints
    return;
  }
  out += sync_begin;
  append_line_start(out, size);
  // A stray line that another program wrote has moved the cursor to the row below, which is to be the spacer now.
  const bool from_scratch = !lines.empty() || rows.size() < rows_before_ || size != size_before_;
  out += rows_before_ != 0 && from_scratch ? erase_down : erase_to_line_end;
  out += lines;
  if (!rows.empty()) append_rows(out, rows, from_scratch);
  out += sync_end;
  rows_before_ = rows.size();
  size_before_ = size;
}

}  // namespace dlog::render
