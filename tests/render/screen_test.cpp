// Tests of screen.cpp: whole screens, with records and bars that come, move and go.
#include "log/render/screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/frame_bytes.hpp"
#include "support/terminal.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using render::Renderer;
using render::Screen;
using render::Size;

constexpr std::int64_t ms = 1'000'000;
const std::string head = "04:16:40.727 INF prog[4711]: ";

// A screen with a clock that stands still, and the terminal that its frames are written to.
struct Console {
  explicit Console(Size given = {80, 10}) : size(given), terminal(given.columns, given.rows) {}

  void say(std::string_view message) { screen.accept(event_of(record(message)), now_ns); }
  void tell(const Bar& bar, const Source& source = own) { screen.accept(event_of(bar, source), now_ns); }
  // One frame; what it wrote.
  std::string draw() {
    std::string out = "kept|";
    screen.draw(out, now_ns, size);
    REQUIRE(out.starts_with("kept|"));
    out.erase(0, 5);
    terminal.write(out);
    REQUIRE(terminal.settled());
    return out;
  }
  Rows draw_after(std::int64_t passed_ns) {
    now_ns += passed_ns;
    draw();
    return terminal.screen();
  }
  bool is_due() const { return screen.due_ns() <= now_ns; }
  void resize(Size to) {
    size = to;
    terminal.resize(to.columns, to.rows);
  }

  Size size;
  Terminal terminal;
  Screen screen{render::LineWords{false, false, nullptr}, few_words()};
  std::int64_t now_ns = 1'000'000 * ms;

  // Rows that do not change by themselves.
  static Screen::Look few_words() {
    Screen::Look look;
    look.bars.bar_template = *event::BarTemplate::parse("{desc} {bar} {percent} {amount} {message}");
    return look;
  }
};

// `wide`: the columns of the longest description beside it.
std::string row_of(std::string_view description, std::uint64_t value, std::uint64_t total, std::size_t wide = 0) {
  const auto filled = static_cast<std::size_t>(value * 40 / total);
  return fmt::format("{:{}} [{}{}] {:3}% {:>{}}/{}", description, wide, std::string(filled, '#'),
                     std::string(40 - filled, '-'), value * 100 / total, value, fmt::formatted_size("{}", total),
                     total);
}

std::string end_of(std::string_view description, std::uint64_t value, std::uint64_t total, std::string_view words,
                   std::size_t wide = 40) {
  const auto filled = static_cast<std::size_t>(value * wide / total);
  return fmt::format("{} [{}{}] {:3}% {}/{} {}", description, std::string(filled, '#'), std::string(wide - filled, '-'),
                     value * 100 / total, value, total, words);
}

}  // namespace

TEST_CASE("screen: records only are plain lines, due at once") {
  Console console;
  CHECK(console.screen.due_ns() == Renderer::never);
  console.say("one");
  CHECK(console.is_due());
  CHECK(console.draw() == head + "one\n");
  CHECK(console.screen.due_ns() == Renderer::never);
  CHECK(console.draw() == "");
}

TEST_CASE("screen: a young bar is not drawn") {
  Console console;
  console.tell(running(1, 3, 10, "Reading"));
  CHECK(console.screen.due_ns() == console.now_ns + 150 * ms);
  CHECK(console.draw_after(0).empty());
  CHECK(console.draw_after(150 * ms - 1).empty());
  CHECK(console.terminal.gone().empty());
  CHECK(console.draw_after(1) == Rows{"", row_of("Reading", 3, 10)});
}

TEST_CASE("screen: how old a bar must be is a setting") {
  Screen::Look look = Console::few_words();
  look.age_ns = 0;
  Screen screen(render::LineWords{false, false, nullptr}, look);
  Terminal terminal(80, 10);
  screen.accept(event_of(running(1, 3, 10, "Reading")), 1);
  CHECK(screen.due_ns() <= 1 + Screen::bars_frame_ns);
  std::string out;
  screen.draw(out, 1, {80, 10});
  terminal.write(out);
  CHECK(terminal.screen() == Rows{"", row_of("Reading", 3, 10)});
}

TEST_CASE("screen: a bar that ends young leaves its line only") {
  Console console;
  console.tell(running(1, 0, 10, "Reading"));
  console.draw_after(50 * ms);
  console.tell(bar(1, BarState::finished, 10, 10, "Reading"));
  CHECK(console.draw() == end_of("Reading", 10, 10, "finished in 0.1 s") + "\n");
  CHECK(console.screen.due_ns() == Renderer::never);
}

TEST_CASE("screen: records above, bars below in the order of their creation") {
  Console console;
  console.tell(running(1, 1, 10, "first"));
  console.tell(running(2, 2, 10, "second"));
  console.tell(running(1, 3, 10, "third"), child);
  console.say("one");
  CHECK(console.draw_after(200 * ms) == Rows{head + "one", "", row_of("prog[4711] first", 1, 10, 18),
                                             row_of("prog[4711] second", 2, 10, 18),
                                             row_of("child[40001] third", 3, 10)});
  console.tell(running(2, 9, 10, "second"));
  console.tell(running(1, 2, 10, "first"));
  console.say("two");
  CHECK(console.draw_after(100 * ms) == Rows{head + "one", head + "two", "", row_of("prog[4711] first", 2, 10, 18),
                                             row_of("prog[4711] second", 9, 10, 18),
                                             row_of("child[40001] third", 3, 10)});
}

TEST_CASE("screen: a bar that ends becomes one line, in order with the records") {
  Console console({80, 10});
  console.tell(running(1, 1, 10, "a"));
  console.tell(running(2, 2, 10, "b"));
  console.draw_after(200 * ms);
  console.say("before");
  console.tell(bar(1, BarState::finished, 10, 10, "a"));
  console.say("after");
  CHECK(console.draw_after(100 * ms) ==
        Rows{head + "before", end_of("a", 10, 10, "finished in 0.2 s"), head + "after", "", row_of("b", 2, 10)});
  Bar failed = bar(2, BarState::failed, 3, 10, "b");
  failed.message = "404";
  console.tell(failed);
  console.say("last");
  const Rows expected{head + "before", end_of("a", 10, 10, "finished in 0.2 s"), head + "after",
                      end_of("b", 3, 10, "failed after 0.3 s: 404"), head + "last"};
  CHECK(console.draw_after(100 * ms) == expected);
  CHECK(console.screen.due_ns() == Renderer::never);
  CHECK(console.draw() == "");
}

TEST_CASE("screen: every way to end leaves one line, but a cleared bar none") {
  Console console({80, 12});
  const BarState ends[] = {BarState::finished, BarState::failed, BarState::abandoned, BarState::orphaned,
                           BarState::cleared};
  for (std::uint64_t i = 0; i < 5; ++i) console.tell(running(i, i, 10, fmt::format("bar{}", i)));
  CHECK(console.draw_after(200 * ms).size() == 6);
  for (std::uint64_t i = 0; i < 5; ++i) console.tell(bar(i, ends[i], i, 10, fmt::format("bar{}", i)));
  CHECK(console.draw_after(100 * ms) ==
        Rows{end_of("bar0", 0, 10, "finished in 0.2 s"), end_of("bar1", 1, 10, "failed after 0.2 s"),
             end_of("bar2", 2, 10, "abandoned after 0.2 s"), end_of("bar3", 3, 10, "orphaned after 0.2 s")});
}

TEST_CASE("screen: a cleared bar takes its row away though nothing else is said") {
  Console console;
  console.tell(running(1, 1, 10, "a"));
  console.draw_after(200 * ms);
  console.tell(bar(1, BarState::cleared, 1, 10, "a"));
  CHECK(console.is_due());
  CHECK(console.draw_after(0).empty());
  CHECK(console.terminal.text().empty());
}

TEST_CASE("screen: the end of a bar that was never seen is a line") {
  Console console({80, 10});
  console.tell(bar(1, BarState::finished, 10, 10, "a"));
  console.tell(bar(2, BarState::cleared, 10, 10, "b"));
  CHECK(console.draw_after(0) == Rows{end_of("a", 10, 10, "finished in 0.0 s")});
}

TEST_CASE("screen: bars of different sources do not meet") {
  Console console;
  console.tell(running(1, 1, 10, "a"), child);
  console.tell(running(1, 2, 10, "b"), other_child);
  console.draw_after(200 * ms);
  console.tell(bar(1, BarState::cleared, 1, 10, "a"), child);
  const Rows rows = console.draw_after(100 * ms);
  REQUIRE(rows.size() == 2);
  CHECK(rows[1].starts_with("child[40002] b "));
}

TEST_CASE("screen: frames are due seldom, and only for a reason") {
  Console console;
  console.tell(running(1, 1, 10, "a"));
  console.draw_after(200 * ms);
  const std::int64_t drawn = console.now_ns;
  CHECK(console.screen.due_ns() == drawn + 1000 * ms);  // idle
  console.tell(running(1, 2, 10, "a"));
  CHECK(console.screen.due_ns() == drawn + 100 * ms);  // moved
  console.say("one");
  CHECK(console.screen.due_ns() == drawn + 16 * ms);  // a record
  console.draw();
  CHECK(console.screen.due_ns() == drawn + 1000 * ms);
}

TEST_CASE("screen: a second bar is due when it is old enough") {
  Console console;
  console.tell(running(1, 1, 10, "a"));
  console.draw_after(200 * ms);
  console.tell(running(2, 1, 10, "b"));
  console.draw_after(100 * ms);  // too young
  CHECK(console.screen.due_ns() <= console.now_ns + 50 * ms);
}

TEST_CASE("screen: more bars than rows end in a summary") {
  Console console({100, 6});  // spacer, four rows, and one row for text
  for (std::uint64_t i = 0; i < 10; ++i) console.tell(running(i, i, 10, fmt::format("bar{}", i)));
  console.say("one");
  CHECK(console.draw_after(200 * ms) == Rows{head + "one", "", row_of("bar7", 7, 10), row_of("bar8", 8, 10),
                                             row_of("bar9", 9, 10), "... and 7 more, 30 %"});
  console.tell(bar(9, BarState::cleared, 0, 10, "bar9"));
  CHECK(console.draw_after(100 * ms) == Rows{head + "one", "", row_of("bar6", 6, 10), row_of("bar7", 7, 10),
                                             row_of("bar8", 8, 10), "... and 6 more, 25 %"});
  for (std::uint64_t i = 0; i < 5; ++i) console.tell(bar(i, BarState::cleared, 0, 10, ""));
  CHECK(console.draw_after(100 * ms) == Rows{head + "one", "", row_of("bar5", 5, 10), row_of("bar6", 6, 10),
                                             row_of("bar7", 7, 10), row_of("bar8", 8, 10)});
}

TEST_CASE("screen: rows that could get too many when they are broken anew leave room at their right") {
  for (const auto& [bars, widest] : {std::pair<std::uint64_t, std::size_t>{9, 79}, {10, 47}, {50, 47}}) {
    Console console({80, 24});
    const std::string description(200, 'd');
    for (std::uint64_t i = 0; i < bars; ++i) console.tell(running(i, i, 100, description));
    std::size_t found = 0;
    for (const std::string& row : console.draw_after(200 * ms)) found = std::max(found, row.size());
    CHECK(found <= widest);
    CHECK(found + 3 > widest);
  }
}

TEST_CASE("screen: a summary of one row only") {
  Console console({100, 3});
  console.tell(running(1, 5, 10, "a"));
  CHECK(console.draw_after(200 * ms) == Rows{"", row_of("a", 5, 10)});
  console.tell(running(2, 10, 10, "b"));
  CHECK(console.draw_after(200 * ms) == Rows{"", "... and 2 more, 75 %"});
  console.resize({10, 3});
  CHECK(console.draw_after(200 * ms) == Rows{"", "... and 2"});
}

TEST_CASE("screen: terminals too small for bars show the records") {
  for (const Size size :
       {Size{1, 1}, Size{2, 1}, Size{60, 1}, Size{60, 2}, Size{1, 2}, Size{1, 3}, Size{2, 3}, Size{1, 24}}) {
    Console console(size);
    INFO(size.columns << "x" << size.rows);
    console.tell(running(1, 5, 10, "a"));
    console.tell(running(2, 5, 10, "b"));
    std::string said;
    for (int i = 0; i < 5; ++i) {
      console.now_ns += 200 * ms;
      console.say(fmt::format("{}", i));
      said += head + fmt::format("{}", i);
      console.draw();
      if (size.rows < 3) CHECK_FALSE(console.terminal.row() > size.rows - 1);
    }
    console.tell(bar(1, BarState::cleared, 5, 10, "a"));
    console.tell(bar(2, BarState::cleared, 5, 10, "b"));
    console.draw_after(200 * ms);
    // Every character of every record is there, once, whatever row it stands in.
    std::string shown;
    for (const std::string& row : console.terminal.text()) {
      shown += row;
      if (size.columns > 1 && row.size() < static_cast<std::size_t>(size.columns)) shown += ' ';
    }
    const auto bare = [](std::string text) {
      std::erase(text, ' ');
      return text;
    };
    CHECK(bare(shown) == bare(said));
    CHECK(console.screen.due_ns() == Renderer::never);
  }
}

TEST_CASE("screen: sizes that no terminal has harm nothing") {
  Console console;
  console.tell(running(1, 5, 10, "a"));
  console.now_ns += 200 * ms;
  for (const Size size : {Size{0, 0}, Size{0, 24}, Size{80, 0}, Size{-1, -1}, Size{0, 3}}) {
    console.say("r");
    std::string out;
    console.screen.draw(out, console.now_ns, size);
    CHECK(out.find(head + "r\n") != std::string::npos);
  }
}

TEST_CASE("screen: no row is wider than a terminal without columns") {
  for (const Size size : {Size{-1, 24}, Size{-2'147'483'647 - 1, 24}, Size{0, 3}, Size{1, 3}, Size{1, 24}}) {
    Console console;
    console.tell(running(1, 5, 10, "a"));
    console.tell(running(2, 5, 10, "b"));
    std::string out;
    console.screen.draw(out, console.now_ns + 200 * ms, size);
    FrameBytes bytes;
    REQUIRE(bytes.read(out) == "");
    for (const std::string& row : bytes.rows()) CHECK(row == "");
  }
}

TEST_CASE("screen: the size is asked for at each frame") {
  Console console({100, 8});
  for (std::uint64_t i = 0; i < 4; ++i) console.tell(running(i, i, 10, fmt::format("bar{}", i)));
  console.say("one");
  CHECK(console.draw_after(200 * ms).size() == 6);
  console.resize({100, 5});
  CHECK(console.draw_after(100 * ms) ==
        Rows{head + "one", "", row_of("bar2", 2, 10), row_of("bar3", 3, 10), "... and 2 more, 5 %"});
  console.resize({100, 20});
  CHECK(console.draw_after(100 * ms).size() == 6);
  console.resize({16, 20});
  CHECK(console.draw_after(100 * ms) ==
        Rows{head.substr(0, 16), "", "bar0 [---]   0%", "bar1 [---]  10%", "bar2 [---]  20%", "bar3 [---]  30%"});
  console.resize({100, 2});
  console.draw_after(100 * ms);
  console.resize({100, 20});
  CHECK(console.draw_after(100 * ms).size() == 6);
}

TEST_CASE("screen: suspend takes the bars away, resume brings them back, records go on") {
  Console console;
  console.tell(running(1, 1, 10, "a"));
  console.say("one");
  console.draw_after(200 * ms);
  console.screen.suspend(true);
  CHECK(console.is_due());
  CHECK(console.draw_after(0) == Rows{head + "one"});
  CHECK(console.screen.due_ns() == Renderer::never);
  console.terminal.write("foreign\n");
  console.tell(running(1, 2, 10, "a"));
  CHECK(console.screen.due_ns() == Renderer::never);
  console.say("two");
  CHECK(console.is_due());
  CHECK(console.draw_after(200 * ms) == Rows{head + "one", "foreign", head + "two"});
  console.screen.suspend(false);
  CHECK(console.screen.due_ns() <= console.now_ns + 100 * ms);
  CHECK(console.draw_after(200 * ms) == Rows{head + "one", "foreign", head + "two", "", row_of("a", 2, 10)});
}

TEST_CASE("screen: bars that had no room appear by themselves when the terminal grows") {
  Console console({80, 2});
  console.tell(running(1, 1, 10, "a"));
  for (int i = 0; i < 5; ++i) CHECK(console.draw_after(200 * ms).empty());
  console.resize({80, 10});
  CHECK(console.screen.due_ns() <= console.now_ns + 1000 * ms);
  CHECK(console.draw_after(200 * ms) == Rows{"", row_of("a", 1, 10)});
}

TEST_CASE("screen: suspensions nest, and what ends meanwhile leaves its line") {
  Console console({80, 10});
  console.tell(running(1, 1, 10, "a"));
  console.tell(running(2, 1, 10, "b"));
  console.draw_after(200 * ms);
  console.screen.suspend(true);
  console.screen.suspend(true);
  console.draw();
  console.screen.suspend(false);
  console.tell(bar(1, BarState::finished, 10, 10, "a"));
  CHECK(console.draw_after(200 * ms) == Rows{end_of("a", 10, 10, "finished in 0.2 s")});
  console.screen.suspend(false);
  CHECK(console.draw_after(200 * ms) == Rows{end_of("a", 10, 10, "finished in 0.2 s"), "", row_of("b", 1, 10)});
}

TEST_CASE("screen: leaving erases the bars until one changes") {
  Console console;
  console.tell(running(1, 1, 10, "a"));
  console.tell(running(2, 2, 10, "b"));
  console.say("one");
  console.draw_after(200 * ms);
  console.screen.leave(false);
  CHECK(console.is_due());
  CHECK(console.draw_after(0) == Rows{head + "one"});
  CHECK(console.screen.due_ns() == Renderer::never);
  console.say("two");
  CHECK(console.draw_after(5000 * ms) == Rows{head + "one", head + "two"});
  console.tell(running(2, 3, 10, "b"));
  CHECK(console.screen.due_ns() <= console.now_ns + 100 * ms);
  CHECK(console.draw_after(1000 * ms) == Rows{head + "one", head + "two", "", row_of("a", 1, 10), row_of("b", 3, 10)});
}

TEST_CASE("screen: leaving for good writes each live bar once, in order with the records") {
  Console console({100, 10});
  console.tell(running(1, 1, 10, "a"));
  console.tell(running(1, 2, 10, "b"), child);
  console.draw_after(200 * ms);
  console.say("one");
  console.screen.leave(true);
  console.draw_after(0);
  CHECK(console.terminal.screen() == Rows{head + "one", end_of("prog[4711] a", 1, 10, "running after 0.2 s"),
                                          end_of("child[40001] b", 2, 10, "running after 0.2 s")});
  CHECK(console.screen.due_ns() == Renderer::never);
  console.screen.leave(true);
  CHECK(console.draw() == "");
}

TEST_CASE("screen: a bar that was written for good is not written again when it ends") {
  Console console({100, 10});
  console.tell(running(1, 2, 10, "b"), child);
  console.screen.leave(true);
  console.draw_after(0);
  console.tell(bar(1, BarState::finished, 10, 10, "b"), child);
  console.tell(bar(2, BarState::finished, 10, 10, "new"), child);
  console.draw_after(200 * ms);
  CHECK(console.terminal.text() == Rows{end_of("child[40001] b", 2, 10, "running after 0.0 s", 32),
                                        end_of("child[40001] new", 10, 10, "finished in 0.0 s")});
}

TEST_CASE("screen: after leaving for good nothing is live, though children's bars go on") {
  Console console({80, 10});
  console.tell(running(1, 2, 10, "b"), child);
  console.draw_after(200 * ms);
  console.screen.leave(true);
  console.draw_after(0);
  REQUIRE(console.terminal.text().size() == 1);
  console.tell(running(1, 3, 10, "b"), child);
  console.tell(running(2, 1, 10, "new"), child);
  console.say("still said");
  console.draw_after(200 * ms);
  CHECK(console.terminal.text().size() == 2);
  CHECK(console.terminal.text().back() == head + "still said");
  CHECK_FALSE(console.is_due());
}

TEST_CASE("screen: wide descriptions keep the layout") {
  Console console({30, 8});
  console.tell(running(1, 5, 10, "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"));
  console.tell(running(2, 5, 10, "second"));
  console.say("one");
  Rows rows = console.draw_after(200 * ms);
  REQUIRE(rows.size() == 5);  // the record takes two
  CHECK(rows[2] == "");
  CHECK(rows[3].starts_with("漢字漢字...  ["));
  CHECK(rows[4].starts_with("second       ["));
  console.say("two");
  CHECK(console.draw_after(200 * ms).size() == 7);
  console.tell(bar(1, BarState::cleared, 0, 0, ""));
  console.tell(bar(2, BarState::cleared, 0, 0, ""));
  console.draw_after(200 * ms);
  std::string all;
  for (const std::string& row : console.terminal.text()) all += row;
  CHECK(all == head + "one" + head + "two");
}

TEST_CASE("screen: a hostile description stays in its row") {
  Console console({80, 10});
  console.tell(running(1, 1, 10, "a\n\x1b[2J\x1b[10Bb"));
  CHECK(console.draw_after(200 * ms) == Rows{"", row_of("a\\n\\x1b[2J\\x1b[10Bb", 1, 10)});
  console.tell(bar(1, BarState::finished, 1, 10, "a\r\nb"));
  CHECK(console.draw_after(200 * ms) == Rows{end_of("a\\r\\nb", 1, 10, "finished in 0.2 s")});
}

TEST_CASE("screen: a terminal that has a taskbar is told how far all are, once for each change") {
  Screen::Look look = Console::few_words();
  look.taskbar = true;
  look.age_ns = 0;
  Screen screen(render::LineWords{false, false, nullptr}, look);
  std::int64_t now_ns = 0;
  const auto told_after = [&](const Bar& bar) {
    screen.accept(event_of(bar), now_ns += 200 * ms);
    std::string out;
    screen.draw(out, now_ns, {80, 10});
    const std::size_t at = out.find("\x1b]");
    return at == std::string::npos ? std::string() : out.substr(at);
  };
  CHECK(told_after(running(1, 1, 0, "of unknown length")) == "\x1b]9;4;3\x1b\\");
  CHECK(told_after(running(2, 1, 10, "Reading")) == "\x1b]9;4;1;10\x1b\\");
  CHECK(told_after(running(1, 2, 0, "of unknown length")).empty());
  CHECK(told_after(running(3, 3, 10, "Writing")) == "\x1b]9;4;1;20\x1b\\");
  CHECK(told_after(bar(3, BarState::cleared, 3, 10, "")) == "\x1b]9;4;1;10\x1b\\");
  CHECK(told_after(bar(2, BarState::finished, 10, 10, "Reading")) == "\x1b]9;4;3\x1b\\");
  CHECK(told_after(bar(1, BarState::cleared, 2, 0, "")) == "\x1b]9;4;0\x1b\\");
}
