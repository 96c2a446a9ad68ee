// A terminal of other people's making: see vterm.hpp.
#include "support/vterm.hpp"

#include <vterm.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/display_width.hpp"

namespace dlog::test {
namespace {

constexpr auto behind_wide = static_cast<std::uint32_t>(-1);  // what libvterm has in the right half of a wide character

void append_utf8(std::string& out, std::uint32_t c) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    tail(12), tail(6), tail(0);
  }
}

std::string text_of(const std::vector<VTermScreenCell>& cells) {
  std::string out;
  std::uint32_t before = 0;
  for (const VTermScreenCell& cell : cells) {
    const std::uint32_t left = std::exchange(before, cell.chars[0]);
    if (cell.chars[0] == behind_wide) {
      if (width_of(left) != 2) out += ' ';  // something was written over the left half
      continue;
    }
    if (cell.chars[0] == 0) out += ' ';
    for (std::size_t i = 0; i < std::size(cell.chars) && cell.chars[i] != 0; ++i) append_utf8(out, cell.chars[i]);
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

}  // namespace

struct Vterm::State {
  VTerm* terminal = nullptr;
  VTermScreen* screen = nullptr;
  std::vector<std::vector<VTermScreenCell>> gone{};
  bool cursor_visible = true;

  static int push_line(int columns, const VTermScreenCell* cells, void* self) {
    static_cast<State*>(self)->gone.emplace_back(cells, cells + columns);
    return 1;
  }
  static int pop_line(int columns, VTermScreenCell* cells, void* self) {
    auto& gone = static_cast<State*>(self)->gone;
    if (gone.empty()) return 0;
    VTermScreenCell blank{};
    blank.width = 1;
    gone.back().resize(static_cast<std::size_t>(columns), blank);
    std::copy(gone.back().begin(), gone.back().end(), cells);
    gone.pop_back();
    return 1;
  }
  static int set_property(VTermProp property, VTermValue* value, void* self) {
    if (property == VTERM_PROP_CURSORVISIBLE) static_cast<State*>(self)->cursor_visible = value->boolean != 0;
    return 1;
  }
  VTermPos cursor() const {
    VTermPos at{};
    vterm_state_get_cursorpos(vterm_obtain_state(terminal), &at);
    return at;
  }
};

Vterm::Vterm(int columns, int rows) : state_(std::make_unique<State>()) {
  static const VTermScreenCallbacks callbacks = [] {
    VTermScreenCallbacks out{};
    out.sb_pushline = State::push_line;
    out.sb_popline = State::pop_line;
    out.settermprop = State::set_property;
    return out;
  }();
  state_->terminal = vterm_new(rows, columns);
  vterm_set_utf8(state_->terminal, 1);
  state_->screen = vterm_obtain_screen(state_->terminal);
  vterm_screen_set_callbacks(state_->screen, &callbacks, state_.get());
  vterm_screen_reset(state_->screen, 1);
}

Vterm::~Vterm() { vterm_free(state_->terminal); }

void Vterm::write(std::string_view bytes) {
  std::string disciplined;
  for (const char c : bytes) {
    if (c == '\n') disciplined += '\r';
    disciplined += c;
  }
  vterm_input_write(state_->terminal, disciplined.data(), disciplined.size());
  vterm_screen_flush_damage(state_->screen);
}

void Vterm::resize(int columns, int rows) {
  vterm_set_size(state_->terminal, rows, columns);
  vterm_screen_flush_damage(state_->screen);
}

bool Vterm::reflow([[maybe_unused]] bool on) {
#if VTERM_VERSION_MAJOR > 0 || VTERM_VERSION_MINOR >= 3
  vterm_screen_enable_reflow(state_->screen, on);
  return true;
#else
  return false;
#endif
}

std::vector<std::string> Vterm::screen() const {
  int rows = 0;
  int columns = 0;
  vterm_get_size(state_->terminal, &rows, &columns);
  std::vector<std::string> out;
  for (int y = 0; y < rows; ++y) {
    std::vector<VTermScreenCell> cells(static_cast<std::size_t>(columns));
    for (int x = 0; x < columns; ++x)
      vterm_screen_get_cell(state_->screen, {y, x}, &cells[static_cast<std::size_t>(x)]);
    out.push_back(text_of(cells));
  }
  while (!out.empty() && out.back().empty()) out.pop_back();
  return out;
}

std::vector<std::string> Vterm::gone() const {
  std::vector<std::string> out;
  for (const auto& cells : state_->gone) out.push_back(text_of(cells));
  return out;
}

std::vector<std::string> Vterm::text() const {
  std::vector<std::string> out = gone();
  for (std::string& row : screen()) out.push_back(std::move(row));
  return out;
}

int Vterm::column() const { return state_->cursor().col; }
int Vterm::row() const { return state_->cursor().row; }
bool Vterm::cursor_visible() const { return state_->cursor_visible; }

bool Vterm::autowrap() const {
  std::array<char, 64> answer{};
  vterm_output_read(state_->terminal, answer.data(), answer.size());  // what was said before
  constexpr std::string_view question = "\x1b[?7$p";
  vterm_input_write(state_->terminal, question.data(), question.size());
  const std::size_t size = vterm_output_read(state_->terminal, answer.data(), answer.size());
  return std::string_view(answer.data(), size).find("?7;1$y") != std::string_view::npos;
}

}  // namespace dlog::test
