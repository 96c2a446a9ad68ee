// A terminal in memory: see terminal_model.hpp.
#include "log/render/terminal_model.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/display_width.hpp"
#include "base/utf8.hpp"

namespace dlog::render {
namespace {

constexpr unsigned char escape_byte = 0x1B;
constexpr int tab_columns = 8;
constexpr int number_max = 99'999;

Size within(Size size) {
  return {std::clamp(size.columns, 1, TerminalModel::side_max), std::clamp(size.rows, 1, TerminalModel::side_max)};
}

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7F; }

std::string joined(const std::vector<std::string>& cells) {
  std::string out;
  for (const std::string& cell : cells) out += cell;
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

// How many bytes at the end are the beginning of a character that goes on elsewhere.
std::size_t unfinished_bytes(std::string_view text) {
  for (std::size_t n = 1; n <= std::min<std::size_t>(text.size(), 3); ++n) {
    const auto byte = static_cast<unsigned char>(text[text.size() - n]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t wanted = byte > 0xF4 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1;
    return wanted > n ? n : 0;
  }
  return 0;
}

// The numbers of a sequence, as many as anybody here asks for; -1: none was given.
std::array<int, 8> numbers_in(std::string_view given) {
  std::array<int, 8> out{};
  out.fill(-1);
  std::size_t at = 0;
  for (const char c : given) {
    if (c == ';') {
      if (++at == out.size()) break;
    } else {
      out[at] = std::min(number_max, std::max(out[at], 0) * 10 + (c - '0'));
    }
  }
  return out;
}

}  // namespace

TerminalModel::TerminalModel(Size size) : size_(within(size)), cells_(static_cast<std::size_t>(size_.rows)) {}

void TerminalModel::write(std::string_view bytes) {
  std::string whole;
  if (!unfinished_.empty()) {
    whole = std::exchange(unfinished_, {}).append(bytes);
    bytes = whole;
  }
  while (!bytes.empty()) {
    if (state_ != State::text || is_control(static_cast<unsigned char>(bytes.front()))) {
      take(static_cast<unsigned char>(bytes.front()));
      bytes.remove_prefix(1);
      continue;
    }
    const auto* const end =
        std::find_if(bytes.begin(), bytes.end(), [](char c) { return is_control(static_cast<unsigned char>(c)); });
    std::string_view text = bytes.substr(0, static_cast<std::size_t>(end - bytes.begin()));
    bytes.remove_prefix(text.size());
    if (bytes.empty()) {
      const std::size_t cut = unfinished_bytes(text);
      unfinished_ = text.substr(text.size() - cut);
      text.remove_suffix(cut);
    }
    put_text(text);
  }
}

void TerminalModel::take(unsigned char byte) {
  constexpr unsigned char cancel = 0x18;
  constexpr unsigned char substitute = 0x1A;
  if (byte == cancel || byte == substitute) {
    state_ = State::text;
  } else if (byte == escape_byte) {
    state_ = State::escape;  // also what ends a string: its second byte means nothing by itself
  } else if (state_ == State::string) {
    if (byte == '\a') state_ = State::text;
  } else if (is_control(byte)) {
    control(byte);  // also in the middle of a sequence
  } else if (state_ == State::sequence) {
    take_sequence(byte);
  } else {
    take_escape(byte);
  }
}

void TerminalModel::take_escape(unsigned char byte) {
  if (byte == '[') {
    sequence_.clear();
    state_ = State::sequence;
  } else if (std::string_view("]P_^X").find(static_cast<char>(byte)) != std::string_view::npos) {
    state_ = State::string;
  } else if (byte < 0x20 || byte > 0x2F) {  // between them it goes on
    state_ = State::text;
  }
}

void TerminalModel::take_sequence(unsigned char byte) {
  if (byte < 0x40) {
    if (sequence_.size() <= sequence_bytes_max) sequence_ += static_cast<char>(byte);
    return;
  }
  state_ = State::text;
  if (byte < 0x7F && sequence_.size() <= sequence_bytes_max) carry_out(static_cast<char>(byte));
}

void TerminalModel::control(unsigned char byte) {
  switch (byte) {
    case '\r': return move_to(0, y_);
    case '\n': return line_feed();
    case '\b': return move_to(x_ - 1, y_);
    case '\t': return move_to((x_ / tab_columns + 1) * tab_columns, y_);
    default: return;
  }
}

void TerminalModel::carry_out(char what) {
  std::string_view given = sequence_;
  const bool is_private = given.starts_with('?');
  if (is_private) given.remove_prefix(1);
  if (given.find_first_not_of("0123456789;") != std::string_view::npos) return;
  const auto numbers = numbers_in(given);
  if (is_private) {
    for (const int mode : numbers) {
      if (what == 'h' || what == 'l') set_mode(mode, what == 'h');
    }
    return;
  }
  const int steps = std::max(1, numbers[0]);
  const int part = std::max(0, numbers[0]);  // 0: behind the cursor, 1: before it, 2: all
  switch (what) {
    case 'A': return move_to(x_, y_ - steps);
    case 'B': return move_to(x_, y_ + steps);
    case 'C': return move_to(x_ + steps, y_);
    case 'D': return move_to(x_ - steps, y_);
    case 'H': return move_to(std::max(1, numbers[1]) - 1, steps - 1);
    case 'J':
      if (part <= 2) {
        erase_rows(part == 0 ? y_ + 1 : 0, part == 1 ? y_ : size_.rows);
        erase(y_, part == 0 ? x_ : 0, part == 1 ? x_ + 1 : size_.columns);
      }
      return;
    case 'K':
      if (part <= 2) erase(y_, part == 0 ? x_ : 0, part == 1 ? x_ + 1 : size_.columns);
      return;
    default: return;
  }
}

void TerminalModel::set_mode(int mode, bool on) {
  constexpr int autowrap_mode = 7;
  constexpr int cursor_mode = 25;
  if (mode == autowrap_mode) {
    autowrap_ = on;
    wrap_next_ = false;
  } else if (mode == cursor_mode) {
    cursor_visible_ = on;
  }
}

void TerminalModel::put_text(std::string_view text) {
  while (!text.empty()) {
    const utf8::CodePoint point = utf8::first(text);
    if (!point.valid) {
      put("\ufffd", 1);
      text.remove_prefix(point.bytes);
      continue;
    }
    const Character character = first_character(text);
    if (character.columns > 0) put(text.substr(0, character.bytes), character.columns);
    else if (point.value < 0x80 || point.value >= 0xA0) join(text.substr(0, character.bytes));
    text.remove_prefix(character.bytes);
  }
}

void TerminalModel::put(std::string_view character, int columns) {
  columns = std::min(columns, size_.columns);
  if (autowrap_ && (wrap_next_ || x_ + columns > size_.columns)) line_feed();
  x_ = std::min(x_, size_.columns - columns);
  erase(y_, x_, x_ + columns);
  Row& row = cells_[static_cast<std::size_t>(y_)];
  const auto at = static_cast<std::size_t>(x_);
  const auto end = static_cast<std::size_t>(x_ + columns);
  if (row.size() < end) row.resize(end, " ");
  row[at] = utf8::cut(character, column_bytes_max);
  for (std::size_t behind = at + 1; behind < end; ++behind) row[behind].clear();
  wrap_next_ = x_ + columns >= size_.columns;
  x_ = std::min(x_ + columns, size_.columns - 1);
}

// A mark that takes no column stands on the character before it.
void TerminalModel::join(std::string_view mark) {
  Row& row = cells_[static_cast<std::size_t>(y_)];
  int at = wrap_next_ ? x_ : x_ - 1;
  if (at < 0 || static_cast<std::size_t>(at) >= row.size()) return;
  while (at > 0 && row[static_cast<std::size_t>(at)].empty()) --at;
  std::string& cell = row[static_cast<std::size_t>(at)];
  if (cell.size() + mark.size() <= column_bytes_max) cell += mark;
}

void TerminalModel::line_feed() {
  if (y_ + 1 >= size_.rows) scroll_up();
  else ++y_;
  x_ = 0;
  wrap_next_ = false;
}

void TerminalModel::scroll_up() {
  gone_.push_back(joined(cells_.front()));
  cells_.pop_front();
  cells_.emplace_back();
}

void TerminalModel::move_to(int column, int row) {
  x_ = std::clamp(column, 0, size_.columns - 1);
  y_ = std::clamp(row, 0, size_.rows - 1);
  wrap_next_ = false;
}

// Columns `from` up to `to` of a row; of a wide character one half of which is among them, all.
void TerminalModel::erase(int y, int from, int to) {
  Row& row = cells_[static_cast<std::size_t>(y)];
  auto first = static_cast<std::size_t>(from);
  auto last = static_cast<std::size_t>(to);
  while (first > 0 && first < row.size() && row[first].empty()) --first;
  while (last < row.size() && row[last].empty()) ++last;
  if (last >= row.size()) row.resize(std::min(first, row.size()), " ");
  else
    std::fill(row.begin() + static_cast<std::ptrdiff_t>(first), row.begin() + static_cast<std::ptrdiff_t>(last), " ");
}

void TerminalModel::erase_rows(int from, int to) {
  for (int y = from; y < to; ++y) cells_[static_cast<std::size_t>(y)].clear();
}

void TerminalModel::resize(Size size) {
  size_ = within(size);
  for (; y_ >= size_.rows; --y_) {  // what is above the cursor makes room first
    gone_.push_back(joined(cells_.front()));
    cells_.pop_front();
  }
  cells_.resize(static_cast<std::size_t>(size_.rows));
  for (std::size_t y = 0; y < cells_.size(); ++y) {
    const auto columns = static_cast<std::size_t>(size_.columns);
    if (cells_[y].size() > columns) erase(static_cast<int>(y), size_.columns, static_cast<int>(cells_[y].size()));
  }
  move_to(x_, y_);
}

std::vector<std::string> TerminalModel::screen() const {
  std::vector<std::string> out;
  for (const Row& row : cells_) out.push_back(joined(row));
  while (!out.empty() && out.back().empty()) out.pop_back();
  return out;
}

std::vector<std::string> TerminalModel::text() const {
  std::vector<std::string> out = gone_;
  for (std::string& row : screen()) out.push_back(std::move(row));
  return out;
}

}  // namespace dlog::render
