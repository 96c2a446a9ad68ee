// A screen under thousands of random steps, compared with what it must show: every record and every ended bar once, in order.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "log/render/bar_line.hpp"
#include "log/render/bar_rows.hpp"
#include "log/render/screen.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/terminal.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using render::Screen;
using render::Size;

constexpr std::int64_t ms = 1'000'000;
constexpr render::LineWords words{false, true, nullptr};
const render::BarLook look{BarTheme::ascii, false, true, false, {}};

// Random steps on a screen, and what its terminal must hold at the end.
class Run {
 public:
  Run(unsigned seed, Size size) : random_(seed), size_(size), terminal_(size.columns, size.rows) {}

  void record() {
    const std::string message = fmt::format("record {}.{}", ++records_, hostile());
    const Record said = test::record(message, static_cast<Level>(pick(6)));
    const Event event = event_of(said, pick(3) == 0 ? child : own);
    render::append_record_line(expected_, event, words);
    screen_.accept(event, now_ns_);
  }
  void change_bar() {
    const Source& source = pick(3) == 0 ? child : own;
    const std::uint64_t id = pick(30);
    if (bars_.empty()) first_source_ = source.id, of_several_ = false;
    of_several_ |= source.id != first_source_;
    auto& live = bars_[{source.id, id}];
    if (live.empty()) {
      live = fmt::format("bar {};{}", ++names_, hostile());
      order_.push_back({source.id, id});
      since_[{source.id, id}] = now_ns_;
    }
    Bar now = running(id, pick(100), pick(4) == 0 ? 0 : 100, live);
    if (pick(4) == 0) now.state = static_cast<BarState>(1 + pick(5));
    if (pick(5) == 0) now.message = "hostile \x1b[3A\r\n words";
    last_[{source.id, id}] = now;
    screen_.accept(event_of(now, source), now_ns_);
    if (now.state == BarState::running) return;
    if (now.state != BarState::cleared) expect_end({source.id, id}, live);
    forget({source.id, id});
  }
  void draw() {
    now_ns_ += pick(400) * ms;
    std::string out;
    screen_.draw(out, now_ns_, size_);
    terminal_.write(out);
    drawn_columns_ = size_.columns;
    REQUIRE(terminal_.settled());
    look_at_all();
  }
  void resize(Size to) {
    size_ = to;
    terminal_.resize(to.columns, to.rows);
  }
  void suspend_or_resume() {
    if (suspended_ > 0 && pick(2) == 0) {
      --suspended_;
      screen_.suspend(false);
    } else if (suspended_ < 3) {
      ++suspended_;
      screen_.suspend(true);
    }
  }
  void leave() { screen_.leave(false); }
  void end() {
    for (const Key& key : std::vector<Key>(order_)) expect_end(key, bars_[key]);
    screen_.leave(true);
    draw();
  }

  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  Size size() const { return size_; }
  const Terminal& terminal() const { return terminal_; }
  // The lines without their colours.
  Rows expected() const {
    Rows out;
    std::string line;
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      if (expected_[i] == '\x1b') i = expected_.find('m', i);
      else if (expected_[i] == '\n') out.push_back(std::move(line)), line.clear();
      else line += expected_[i];
    }
    for (std::string& each : out) each.erase(each.find_last_not_of(' ') + 1);
    return out;
  }

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;

  std::string hostile() {
    static const std::string pieces[] = {"",         "\x1b[2J", "\n",     "\r\n\x1b[A", "\xff",
                                         "\xc2\x9b", "漢字",    "\x07\b", "e\xcc\x81",  "\xe2\x80\xae"};
    return pieces[pick(std::size(pieces))] + pieces[pick(std::size(pieces))];
  }
  void expect_end(const Key& key, const std::string& description) {
    Bar ended = last_[key];
    ended.description = description;
    std::string source;
    if (of_several_ || key.first != 0) render::append_source(source, key.first == 0 ? own : child);
    render::BarView view;
    view.bar = ended;
    view.source = source;
    view.elapsed_ns = now_ns_ - since_[key];
    expected_ += render::bar_end_line(view, static_cast<std::size_t>(drawn_columns_), look) + '\n';
  }
  void forget(const Key& key) {
    bars_.erase(key);
    last_.erase(key);
    std::erase(order_, key);
  }
  // No bar stands on the screen twice, but for the line that an ended one left.
  void look_at_all() const {
    std::string all;
    for (const std::string& row : terminal_.screen()) all += row + '\n';
    for (unsigned i = 1; i <= names_; ++i) {
      const std::string name = fmt::format("bar {};", i);
      const std::size_t first = all.find(name);
      INFO(all);
      if (first != std::string::npos) REQUIRE(all.find(name, first + 1) == std::string::npos);
    }
  }

  std::mt19937 random_;
  Size size_;
  Terminal terminal_;
  Screen screen_{words};
  std::int64_t now_ns_ = 1'000'000 * ms;
  int drawn_columns_ = 80;  // before the first frame
  int suspended_ = 0;
  unsigned records_ = 0;
  unsigned names_ = 0;
  std::string expected_{};
  std::map<Key, std::string> bars_{};  // descriptions of those that live
  std::map<Key, Bar> last_{};
  std::map<Key, std::int64_t> since_{};
  std::vector<Key> order_{};
  std::uint64_t first_source_ = 0;
  bool of_several_ = false;  // bars of two processes have met
};

void step(Run& run) {
  switch (run.pick(10)) {
    case 0:
    case 1:
    case 2: return run.record();
    case 3:
    case 4:
    case 5:
    case 6: return run.change_bar();
    case 7: return run.pick(6) == 0 ? run.suspend_or_resume() : run.draw();
    case 8: return run.pick(8) == 0 ? run.leave() : run.draw();
    default: return run.draw();
  }
}

}  // namespace

TEST_CASE("screen fuzz: all records and ended bars once and in order, in a terminal of changing height") {
  for (unsigned seed = 1; seed <= 120; ++seed) {
    Run run(seed, {300, 24});
    INFO("seed " << seed);
    for (int i = 0; i < 200; ++i) {
      step(run);
      if (run.pick(20) == 0) run.resize({300, static_cast<int>(1 + run.pick(30))});
    }
    run.end();
    REQUIRE(run.terminal().text() == run.expected());
  }
}

TEST_CASE("screen fuzz: no ghost and no forbidden byte, in a terminal of any changing size") {
  for (unsigned seed = 1001; seed <= 1120; ++seed) {
    Run run(seed, {80, 24});
    INFO("seed " << seed);
    for (int i = 0; i < 200; ++i) {
      step(run);
      if (run.pick(10) == 0) {
        run.resize({static_cast<int>(1 + run.pick(120)), static_cast<int>(1 + run.pick(30))});
      }
    }
    run.end();
  }
}
