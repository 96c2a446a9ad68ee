// Tests of screen.cpp on a terminal of other people's making (libvterm): whole screens, and that our own model of a terminal,
// which the other tests look at, shows the same.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "log/render/screen.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/terminal.hpp"
#include "support/vterm.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using render::Screen;
using render::Size;

constexpr std::int64_t ms = 1'000'000;
const std::string head = "INF prog[4711]: ";

// A screen whose frames go to both terminals.
struct Console {
  explicit Console(Size given, std::string_view bar_template = "{desc} {bar:12} {percent}")
      : size(given),
        screen(words, look(bar_template)),
        theirs(given.columns, given.rows),
        ours(given.columns, given.rows) {}

  void say(std::string_view message) { screen.accept(event_of(record(message)), now_ns); }
  void tell(const Bar& bar) { screen.accept(event_of(bar), now_ns); }
  void write(std::string_view bytes) {
    theirs.write(bytes);
    ours.write(bytes);
  }
  Rows draw(std::int64_t passed_ns = 200 * ms) {
    now_ns += passed_ns;
    std::string out;
    screen.draw(out, now_ns, size);
    write(out);
    REQUIRE(ours.settled());
    REQUIRE(theirs.autowrap());
    REQUIRE(theirs.cursor_visible());
    return theirs.screen();
  }
  void resize(Size to) {
    size = to;
    theirs.resize(to.columns, to.rows);
    ours.resize(to.columns, to.rows);
  }
  void require_same() {
    REQUIRE(theirs.text() == ours.text());
    require_same_screen();
  }
  void require_same_screen() {
    REQUIRE(theirs.screen() == ours.screen());
    REQUIRE(theirs.column() == ours.column());
    REQUIRE(theirs.row() == ours.row());
  }

  static constexpr render::LineWords words{false, false, nullptr, false};
  static Screen::Look look(std::string_view bar_template) {
    Screen::Look out;
    out.bars.unicode = true;
    out.bars.bar_template = *event::BarTemplate::parse(bar_template);
    return out;
  }

  Size size;
  Screen screen;
  Vterm theirs;
  Terminal ours;
  std::int64_t now_ns = 1'000'000 * ms;
};

}  // namespace

TEST_CASE("vterm: records scroll, bars stand below them, an ended bar leaves its line") {
  Console console({50, 6});
  console.say("one");
  CHECK(console.draw() == Rows{head + "one"});
  console.tell(running(1, 5, 10, "a"));
  console.tell(running(2, 0, 10, "second"));
  CHECK(console.draw() == Rows{head + "one", "", "a      [#####-----]  50%", "second [----------]   0%"});
  CHECK(console.theirs.row() == 1);
  CHECK(console.theirs.column() == 0);
  for (int i = 0; i < 4; ++i) console.say(fmt::format("more {}", i));
  CHECK(console.draw() == Rows{head + "more 1", head + "more 2", head + "more 3", "", "a      [#####-----]  50%",
                               "second [----------]   0%"});
  CHECK(console.theirs.gone() == Rows{head + "one", head + "more 0"});
  const std::string ended = "a [##############] 100% 10/10 ✓ finished in 0.4 s";
  console.tell(bar(1, BarState::finished, 10, 10, "a"));
  CHECK(console.draw() ==
        Rows{head + "more 1", head + "more 2", head + "more 3", ended, "", "second [----------]   0%"});
  console.tell(bar(2, BarState::cleared, 0, 10, "second"));
  CHECK(console.draw() == Rows{head + "more 1", head + "more 2", head + "more 3", ended});
  console.require_same();
}

TEST_CASE("vterm: more bars than rows") {
  Console console({40, 5});
  for (std::uint64_t i = 0; i < 9; ++i) console.tell(running(i, i, 10, fmt::format("bar{}", i)));
  console.say("one");
  CHECK(console.draw() ==
        Rows{head + "one", "", "bar7 [#######---]  70%", "bar8 [########--]  80%", "... and 7 more, 30 %"});
  for (std::uint64_t i = 0; i < 9; ++i) console.tell(bar(i, BarState::finished, 10, 10, fmt::format("bar{}", i)));
  console.draw();
  Rows expected{head + "one"};
  for (int i = 0; i < 9; ++i) expected.push_back(fmt::format("bar{} 100% 10/10 ✓ finished in 0.2 s", i));
  CHECK(console.theirs.text() == expected);
  console.require_same();
}

TEST_CASE("vterm: stray lines survive, and leave no ghost of a bar") {
  Console console({50, 7});
  console.say("one");
  console.tell(running(1, 5, 10, "first of the bars"));
  console.tell(running(2, 0, 10, "second of the bars"));
  console.draw();
  console.write("stray\n");
  CHECK(console.draw() == Rows{head + "one", "stray", "", "first of the bars  [#####-----]  50%",
                               "second of the bars [----------]   0%"});
  console.write("and more\n");
  console.say("two");
  CHECK(console.draw() == Rows{head + "one", "stray", "and more", head + "two", "",
                               "first of the bars  [#####-----]  50%", "second of the bars [----------]   0%"});
  CHECK(console.theirs.gone().empty());
  console.require_same();
}

TEST_CASE("vterm: wide characters, marks and emoji keep bars in their rows") {
  Console console({31, 8});
  console.say("one");
  console.tell(running(1, 5, 10, "漢字漢字漢字漢字漢字漢字漢字"));
  console.tell(running(2, 5, 10,
                       "e\xcc\x81"
                       "e\xcc\x81te\xcc\x81"));
  CHECK(console.draw() == Rows{head + "one", "", "漢字漢字漢…  [#####-----]  50%",
                               "e\xcc\x81"
                               "e\xcc\x81te\xcc\x81         [#####-----]  50%"});
  console.require_same();
  // This terminal adds up what a sequence of emoji is made of, where we think of one picture: rows are too long for it, and
  // still none wraps.
  console.tell(
      running(3, 5, 10, "👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧"));
  for (int i = 0; i < 5; ++i) {
    console.say("two");
    const Rows rows = console.draw();
    CHECK(std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.starts_with("漢字"); }) == 1);
    CHECK(std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.starts_with("👨"); }) == 1);
    CHECK(rows.back().starts_with("👨"));
  }
  for (std::uint64_t i = 1; i < 4; ++i) console.tell(bar(i, BarState::cleared, 0, 0, ""));
  console.draw();
  CHECK(console.theirs.text() ==
        Rows{head + "one", head + "two", head + "two", head + "two", head + "two", head + "two"});
}

TEST_CASE("vterm: a new size leaves no ghost") {
  Console console({50, 8}, "{desc} {bar}");
  console.say("one");
  console.say("two");
  console.tell(running(1, 5, 10, "a"));
  console.tell(running(2, 5, 10, "b"));
  console.draw();
  console.resize({24, 8});
  CHECK(console.draw() == Rows{head + "one", head + "two", "", "a [#########----------]", "b [#########----------]"});
  console.resize({50, 4});
  CHECK(console.draw() ==  // so low that rows leave room at their right
        Rows{head + "two", "", "a [############-------------]", "b [############-------------]"});
  const std::string wide(20, '#');
  const std::string rest(20, '-');
  console.resize({50, 12});
  console.say("three");
  CHECK(console.draw() ==
        Rows{head + "one", head + "two", head + "three", "", "a [" + wide + rest + "]", "b [" + wide + rest + "]"});
  CHECK(console.theirs.gone().empty());
  console.resize({50, 2});  // no room for bars
  console.say("four");
  CHECK(console.draw().size() <= 2);
  console.resize({50, 10});
  console.draw();
  for (std::uint64_t i = 1; i < 3; ++i) console.tell(bar(i, BarState::cleared, 0, 0, ""));
  console.draw();
  const Rows all = console.theirs.text();
  for (const char* word : {"one", "two", "three", "four"}) CHECK(std::count(all.begin(), all.end(), head + word) == 1);
}

namespace {

// Steps at random, and the lines that must be there afterwards.
class Run {
 public:
  Run(unsigned seed, Size size) : random_(seed), console_(size, "{desc} {bar} {amount} {rate} {message}") {}

  std::size_t pick(std::size_t below) { return random_() % below; }
  Console& console() { return console_; }

  void step() {
    switch (pick(8)) {
      case 0:
      case 1: return say();
      case 2:
      case 3:
      case 4: return move_bar();
      case 5:
        if (pick(4) == 0) console_.write("stray" + printable() + "\n");
        return;
      case 6:
        if (pick(6) == 0) console_.screen.leave(false);
        return;
      default: console_.draw(static_cast<std::int64_t>(pick(500)) * ms);
    }
  }
  // Each line that was said begins a row, once, in order, and no other row is like it.
  bool all_there_once() const {
    std::size_t next = 0;
    for (const std::string& row : console_.theirs.text()) {
      if (row.find("line ") == std::string::npos) continue;
      if (next == said_.size() || !row.starts_with(said_[next++])) return false;
    }
    return next == said_.size();
  }
  void end() {
    console_.screen.leave(true);
    console_.draw();
  }

 private:
  std::string any_text() {
    static const std::string texts[] = {"", "", " plain", "漢字", " e\xcc\x81", "\x1b[2J", "\n", "\t", "ﬀ→", "한글"};
    return texts[pick(7)] + texts[pick(std::size(texts))];
  }
  std::string printable() {
    std::string out = any_text();
    std::erase(out, '\x1b'), std::erase(out, '\n'), std::erase(out, '\t');
    return out;
  }
  void say() {
    said_.push_back(fmt::format("{}line {};", head, said_.size()));
    console_.say(said_.back().substr(head.size()) + any_text());
  }
  void move_bar() {
    const std::uint64_t id = pick(12);
    Bar now = running(id, pick(100), pick(3) == 0 ? 0 : 100, names_[id]);
    now.message = "message";
    if (pick(6) == 0) now.state = static_cast<BarState>(1 + pick(5));
    console_.tell(now);
    if (now.state == BarState::running) return;
    names_[id] = fmt::format("bar {}{}", id, printable());
  }

  std::mt19937 random_;
  Console console_;
  std::vector<std::string> said_{};
  std::vector<std::string> names_ = std::vector<std::string>(12, "bar 漢");
};

}  // namespace

TEST_CASE("vterm: our model of a terminal shows what this one shows") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    // Not smaller: libvterm 0.1 keeps no scrollback of one row, and wraps twice behind a wide character in two columns.
    Run run(seed, {static_cast<int>(3 + seed % 60), static_cast<int>(2 + seed % 16)});
    INFO("seed " << seed);
    for (int i = 0; i < 150; ++i) {
      run.step();
      run.console().require_same_screen();
    }
    run.end();
    run.console().require_same();
  }
}

TEST_CASE("vterm: no line is lost or doubled by new sizes, where rows are wide enough") {
  for (const bool reflow : {false, true}) {
    for (unsigned seed = 1; seed <= 25; ++seed) {
      Run run(seed, {80, 24});
      if (run.console().theirs.reflow(reflow) != reflow && reflow) return;
      INFO("seed " << seed << ", reflow " << reflow);
      for (int i = 0; i < 150; ++i) {
        run.step();
        if (run.pick(8) == 0)
          run.console().resize({static_cast<int>(60 + run.pick(60)), static_cast<int>(2 + run.pick(30))});
      }
      run.end();
      INFO(fmt::format("{}", fmt::join(run.console().theirs.text(), "\n")));
      REQUIRE(run.all_there_once());
    }
  }
}
