// A screen in memory: dlog/memory_screen.hpp.
#include "dlog/memory_screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "log/event/bar_template.hpp"
#include "log/event/outlet.hpp"
#include "log/render/screen.hpp"
#include "log/render/terminal_model.hpp"

namespace dlog {
namespace {

// Some time of a clock that only goes on when it is told to. Far from both ends: pass() cannot overflow it.
constexpr std::int64_t start_ns = 1'000'000'000;
constexpr std::int64_t latest_ns = std::int64_t{1} << 62;

render::LineWords words_for(const MemoryScreenOptions& options) {
  render::LineWords words;
  words.date = false;
  words.time = options.time;
  return words;
}

render::Screen::Look look_for(const MemoryScreenOptions& options) {
  render::Screen::Look look;
  look.age_ns = 0;
  look.bars.unicode = options.unicode;
  look.bars.theme = render::theme_for(options.theme, options.unicode);
  if (auto parsed = event::BarTemplate::parse(options.bar_template)) look.bars.bar_template = std::move(*parsed);
  return look;
}

}  // namespace

struct MemoryScreen::State {
  explicit State(const MemoryScreenOptions& options)
      : terminal({options.columns, options.rows}),
        screen(words_for(options), look_for(options)),
        numbers(options.numbers) {
    screen.fit(terminal.size());
  }

  void accept(Event event) {
    if (!numbers) event.source.pid = 0, event.source.port = 0;
    screen.accept(event, now_ns);
    stale = true;
  }
  // Brings the terminal up to date. Only here: how the log thread batches events is nothing that a test can know.
  void draw() {
    if (!std::exchange(stale, false)) return;
    bytes.clear();
    screen.draw(bytes, now_ns, terminal.size());
    if (bytes.empty()) return;
    terminal.write(bytes);
    ++frames;
  }

  std::mutex mutex{};  // over all that follows
  render::TerminalModel terminal;
  render::Screen screen;
  bool numbers;
  bool stale = false;
  std::int64_t now_ns = start_ns;
  std::size_t frames = 0;
  std::string bytes{};  // kept for its memory
};

MemoryScreen::MemoryScreen(const MemoryScreenOptions& options) : state_(std::make_unique<State>(options)) {
  const std::string fault = event::BarTemplate::fault_in(options.bar_template);
  if (fault.empty()) return;
  const std::string told = fmt::format("bar_template: {}", fault);
  const Record notice = event::notice_record(Level::warn, told);
  Event event;
  event.source.name = "dlog";
  event.record = &notice;
  state_->accept(event);
}

MemoryScreen::~MemoryScreen() = default;

std::vector<std::string> MemoryScreen::rows() const {
  const std::lock_guard lock(state_->mutex);
  state_->draw();
  return state_->terminal.screen();
}

std::vector<std::string> MemoryScreen::lines() const {
  const std::lock_guard lock(state_->mutex);
  state_->draw();
  return state_->terminal.text();
}

std::string MemoryScreen::text() const {
  std::string out;
  for (const std::string& line : lines()) out.append(line).append("\n");
  return out;
}

MemoryScreen::Cursor MemoryScreen::cursor() const {
  const std::lock_guard lock(state_->mutex);
  state_->draw();
  return {state_->terminal.column(), state_->terminal.row(), state_->terminal.cursor_visible()};
}

std::size_t MemoryScreen::frames() const {
  const std::lock_guard lock(state_->mutex);
  state_->draw();
  return state_->frames;
}

void MemoryScreen::resize(int columns, int rows) {
  const std::lock_guard lock(state_->mutex);
  state_->draw();
  state_->terminal.resize({columns, rows});
  state_->screen.fit(state_->terminal.size());
  state_->stale = true;
}

void MemoryScreen::write(std::string_view foreign) {
  const std::lock_guard lock(state_->mutex);
  state_->draw();
  state_->terminal.write(foreign);
}

void MemoryScreen::pass(std::chrono::nanoseconds duration) {
  const std::lock_guard lock(state_->mutex);
  state_->draw();
  const std::int64_t passed_ns = std::clamp<std::int64_t>(duration.count(), 0, latest_ns - state_->now_ns);
  state_->now_ns += passed_ns;
  state_->stale = true;
  state_->draw();
}

void MemoryScreen::accept(const Event& event) {
  const std::lock_guard lock(state_->mutex);
  state_->accept(event);
}

void MemoryScreen::flush() {}  // see State::draw()

}  // namespace dlog
