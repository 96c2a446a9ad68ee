// The picture on a terminal: see frame.hpp.
#include "log/render/frame.hpp"

#include <fmt/format.h>

#include <iterator>

namespace dlog::render {
namespace {

constexpr std::string_view sync_begin = "\x1b[?2026h";
constexpr std::string_view sync_end = "\x1b[?2026l";
constexpr std::string_view erase_down = "\x1b[J";
constexpr std::string_view erase_to_line_end = "\x1b[K";
constexpr std::string_view autowrap_off = "\x1b[?7l";
constexpr std::string_view autowrap_on = "\x1b[?7h";

}  // namespace

std::size_t Frame::rows_max(Size size) noexcept { return size.rows > 2 ? static_cast<std::size_t>(size.rows - 2) : 0; }

void Frame::append(std::string& out, std::string_view lines, const std::vector<std::string>& rows, Size size) {
  if (rows_before_ == 0 && rows.empty()) {
    out += lines;  // nothing is live: an ordinary program that prints
    return;
  }
  out += sync_begin;
  // A stray line that another program wrote has moved the cursor to the row below, which is to be the spacer now. Stray text
  // without a newline goes on standing on the spacer, until a record comes: that must not be torn.
  const bool from_scratch = !lines.empty() || rows.size() < rows_before_ || size != size_before_;
  if (rows_before_ != 0 && !from_scratch) out += erase_to_line_end;
  out += '\r';
  if (rows_before_ != 0 && from_scratch) out += erase_down;
  out += lines;
  if (!rows.empty()) {
    out += autowrap_off;
    for (const std::string& row : rows) {
      out += '\n';
      out += row;
      out += erase_to_line_end;
    }
    out += autowrap_on;
    fmt::format_to(std::back_inserter(out), "\r\x1b[{}A", rows.size());
  }
  out += sync_end;
  rows_before_ = rows.size();
  size_before_ = size;
}

}  // namespace dlog::render
