// A terminal in memory: see terminal.hpp.
#include "support/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/utf8.hpp"

namespace dlog::test {
namespace {

// Columns that a character takes on most terminals; a rough table is enough for the tests.
int width_of(char32_t c) {
  const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (in(0x0300, 0x036F) || in(0x200B, 0x200D) || in(0xFE00, 0xFE0F)) return 0;
  const bool wide = in(0x1100, 0x115F) || in(0x2E80, 0xA4CF) || in(0xAC00, 0xD7A3) || in(0xF900, 0xFAFF) ||
                    in(0xFF00, 0xFF60) || in(0x1F300, 0x1FAFF);
  return wide ? 2 : 1;
}

std::string joined(const std::vector<std::string>& cells) {
  std::string out;
  for (const std::string& cell : cells) out += cell;
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

[[noreturn]] void refuse(std::string_view what) { throw std::runtime_error(fmt::format("terminal: {}", what)); }

}  // namespace

Terminal::Terminal(int columns, int rows) : columns_(columns), rows_(rows) {
  cells_.assign(static_cast<std::size_t>(rows), blank_row());
}

void Terminal::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    if (byte == 0x1B) {
      bytes.remove_prefix(sequence(bytes));
    } else if (byte < 0x20 || byte == 0x7F) {
      control(byte);
      bytes.remove_prefix(1);
    } else {
      const utf8::CodePoint point = utf8::first(bytes);
      if (!point.valid) refuse(fmt::format("byte {:#04x} is not UTF-8", byte));
      if (point.value >= 0x80 && point.value < 0xA0) refuse(fmt::format("C1 control U+{:04x}", unsigned{byte}));
      put(bytes.substr(0, point.bytes), width_of(point.value));
      bytes.remove_prefix(point.bytes);
    }
  }
}

void Terminal::control(unsigned char byte) {
  if (byte == '\r') {
    x_ = 0;
    wrap_next_ = false;
  } else if (byte == '\n') {
    line_feed();
  } else {
    refuse(fmt::format("control byte {:#04x}", byte));
  }
}

// Carries out the sequence at the front of `bytes` and returns its length.
std::size_t Terminal::sequence(std::string_view bytes) {
  const std::size_t end = bytes.find_first_not_of("0123456789;?", 2);
  if (bytes.size() < 3 || bytes[1] != '[' || end == std::string_view::npos) refuse("an escape that is no CSI sequence");
  const std::string_view given = bytes.substr(2, end - 2);
  const char final = bytes[end];
  const auto is = [&](std::string_view wanted, char wanted_final) { return given == wanted && final == wanted_final; };
  const bool digits_only = !given.empty() && given.find_first_not_of("0123456789") == std::string_view::npos;

  if (final == 'A' && digits_only && given.size() < 6 && given != "0") {
    y_ = std::max(0, y_ - std::stoi(std::string(given)));
    wrap_next_ = false;
  } else if (final == 'C' && (given.empty() || digits_only) && given.size() < 6 && given != "0") {
    x_ = std::min(columns_ - 1, x_ + (given.empty() ? 1 : std::stoi(std::string(given))));
    wrap_next_ = false;
  } else if (is("", 'D')) {
    x_ = std::max(0, x_ - 1);
    wrap_next_ = false;
  } else if (is("", 'J')) {
    erase_down();
  } else if (is("", 'K')) {
    erase_right();
  } else if (is("?7", 'h') || is("?7", 'l')) {
    autowrap_ = final == 'h';
    wrap_next_ = false;
  } else if (is("?2026", 'h') || is("?2026", 'l')) {
    if (synchronized_ == (final == 'h')) refuse("a synchronized update begins or ends twice");
    synchronized_ = final == 'h';
  } else if (final == 'm' && given.find('?') == std::string_view::npos) {
    coloured_ = !given.empty() && given != "0";
  } else {
    refuse(fmt::format("sequence CSI {} {}", given, final));
  }
  return end + 1;
}

void Terminal::put(std::string_view character, int width) {
  if (width == 0) {
    if (x_ > 0) cells_[static_cast<std::size_t>(y_)][static_cast<std::size_t>(x_ - 1)] += character;
    return;
  }
  const int last = std::max(0, columns_ - width);
  if (autowrap_ && (wrap_next_ || x_ > last)) line_feed();
  x_ = std::min(x_, last);
  Row& row = cells_[static_cast<std::size_t>(y_)];
  row[static_cast<std::size_t>(x_)] = character;
  if (width == 2 && x_ + 1 < columns_) row[static_cast<std::size_t>(x_ + 1)].clear();
  wrap_next_ = x_ + width >= columns_;
  x_ = std::min(x_ + width, columns_ - 1);
}

void Terminal::line_feed() {
  x_ = 0;
  wrap_next_ = false;
  if (y_ + 1 < rows_) {
    ++y_;
    return;
  }
  gone_.push_back(joined(cells_.front()));
  cells_.erase(cells_.begin());
  cells_.push_back(blank_row());
}

void Terminal::erase_right() {
  Row& row = cells_[static_cast<std::size_t>(y_)];
  std::fill(row.begin() + x_, row.end(), " ");
}

void Terminal::erase_down() {
  erase_right();
  for (std::size_t y = static_cast<std::size_t>(y_) + 1; y < cells_.size(); ++y) cells_[y] = blank_row();
}

Terminal::Row Terminal::blank_row() const { return Row(static_cast<std::size_t>(columns_), " "); }

void Terminal::resize(int columns, int rows) {
  for (; y_ >= rows; --y_) {  // what is above the cursor makes room first
    gone_.push_back(joined(cells_.front()));
    cells_.erase(cells_.begin());
  }
  columns_ = columns;
  rows_ = rows;
  cells_.resize(static_cast<std::size_t>(rows), blank_row());
  for (Row& row : cells_) row.resize(static_cast<std::size_t>(columns), " ");
  x_ = std::min(x_, columns - 1);
  wrap_next_ = false;
}

Rows Terminal::screen() const {
  Rows out;
  for (const Row& row : cells_) out.push_back(joined(row));
  while (!out.empty() && out.back().empty()) out.pop_back();
  return out;
}

Rows Terminal::text() const {
  Rows out = gone_;
  for (std::string& row : screen()) out.push_back(std::move(row));
  return out;
}

}  // namespace dlog::test
