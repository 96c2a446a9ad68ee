// Tests of memory_screen.cpp: what a program's own test sees.
#include "dlog/memory_screen.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using namespace std::chrono_literals;
using Rows = std::vector<std::string>;

void say(MemoryScreen& screen, std::string_view message, const Source& source = own) {
  screen.accept(event_of(record(message), source));
}
void tell(MemoryScreen& screen, const Bar& bar, const Source& source = own) { screen.accept(event_of(bar, source)); }

}  // namespace

TEST_CASE("memory screen: records are rows, without their time and the numbers of processes") {
  MemoryScreen screen;
  CHECK(screen.rows().empty());
  say(screen, "one");
  screen.accept(event_of(record("two", Level::warn), child));
  screen.flush();
  CHECK(screen.rows() == Rows{"INF prog: one", "WRN child: two"});
  CHECK(screen.text() == "INF prog: one\nWRN child: two\n");
}

TEST_CASE("memory screen: time and numbers where they are wanted") {
  MemoryScreen screen({.time = true, .numbers = true});
  say(screen, "one");
  say(screen, "two", child);
  CHECK(screen.rows() == Rows{"04:16:40.727 INF prog[4711]: one", "04:16:40.727 INF child[40001]: two"});
}

TEST_CASE("memory screen: a bar stands below a blank row at once, and leaves its line") {
  MemoryScreen screen({.columns = 40, .rows = 6, .unicode = false, .bar_template = "{desc} {bar:12} {percent}"});
  say(screen, "one");
  tell(screen, running(1, 5, 10, "Reading"));
  CHECK(screen.rows() == Rows{"INF prog: one", "", "Reading [#####-----]  50%"});
  CHECK(screen.cursor() == MemoryScreen::Cursor{0, 1, true});
  screen.pass(2s);
  tell(screen, bar(1, BarState::finished, 10, 10, "Reading"));
  CHECK(screen.lines() == Rows{"INF prog: one", "Reading 100% 10/10 finished in 2.0 s"});
}

TEST_CASE("memory screen: looks") {
  const auto row = [](const MemoryScreenOptions& options) {
    MemoryScreen screen(options);
    tell(screen, running(1, 5, 10, "a"));
    return screen.rows().back();
  };
  CHECK(row({.bar_template = "{bar:12}"}) == "▕█████     ▏");
  CHECK(row({.unicode = false, .bar_template = "{bar:12}"}) == "[#####-----]");
  CHECK(row({.theme = BarTheme::line, .bar_template = "{bar:12}"}) == "━━━━━━──────");
  CHECK(row({.theme = BarTheme::ascii, .bar_template = "{bar:12}"}) == "[#####-----]");
  CHECK(row({.columns = 60}).starts_with("a ▕"));
}

TEST_CASE("memory screen: a template that cannot be read is told, and the usual look stays") {
  MemoryScreen screen({.bar_template = "{nothing}"});
  tell(screen, running(1, 5, 10, "a"));
  const Rows rows = screen.lines();
  CHECK(rows.front().starts_with("WRN dlog: bar_template: there is no field {nothing}"));
  CHECK(rows.back().starts_with("a ▕"));
}

TEST_CASE("memory screen: what scrolls off stays in the lines") {
  MemoryScreen screen({.columns = 40, .rows = 4, .bar_template = "{desc}"});
  tell(screen, running(1, 5, 10, "bar"));
  Rows expected;
  for (int i = 0; i < 10; ++i) {
    say(screen, fmt::format("{}", i));
    expected.push_back(fmt::format("INF prog: {}", i));
  }
  CHECK(screen.rows() == Rows{"INF prog: 8", "INF prog: 9", "", "bar"});
  expected.insert(expected.end(), {"", "bar"});
  CHECK(screen.lines() == expected);
}

TEST_CASE("memory screen: the clock goes on only when it is told to") {
  MemoryScreen screen({.bar_template = "{desc} {elapsed}"});
  tell(screen, running(1, 5, 10, "a"));
  CHECK(screen.rows().back() == "a 0:00");
  std::this_thread::sleep_for(20ms);
  CHECK(screen.rows().back() == "a 0:00");
  screen.pass(61s);
  CHECK(screen.rows().back() == "a 1:01");
  screen.pass(-5s);
  CHECK(screen.rows().back() == "a 1:01");
  screen.pass(std::chrono::nanoseconds::max());
  screen.pass(std::chrono::nanoseconds::max());
  CHECK(screen.rows().back().starts_with("a 53"));  // days, by the thousands
}

TEST_CASE("memory screen: pictures are drawn where somebody looks, not as events are batched") {
  MemoryScreen screen({.rows = 5, .bar_template = "{desc}"});
  for (int i = 0; i < 3; ++i) {
    say(screen, "one");
    tell(screen, running(1, 5, 10, "a"));
    screen.flush();
  }
  tell(screen, bar(1, BarState::cleared, 5, 10, "a"));
  screen.flush();
  CHECK(screen.frames() == 1);
  CHECK(screen.rows() == Rows(3, "INF prog: one"));
  CHECK(screen.frames() == 1);
  screen.pass(1s);
  CHECK(screen.frames() == 1);  // nothing was new
}

TEST_CASE("memory screen: what another program writes") {
  MemoryScreen screen({.columns = 40, .rows = 8, .bar_template = "{desc}"});
  say(screen, "one");
  tell(screen, running(1, 5, 10, "bar"));
  screen.write("stray\n");
  CHECK(screen.rows() == Rows{"INF prog: one", "stray", "bar"});  // as it is until the next picture
  say(screen, "two");
  CHECK(screen.rows() == Rows{"INF prog: one", "stray", "INF prog: two", "", "bar"});
  screen.write("\x1b]0;title\x07\x1b[?25l\x1b[31mred\x1b[0m\n");
  CHECK_FALSE(screen.cursor().visible);
  screen.pass(1s);
  CHECK(screen.rows() == Rows{"INF prog: one", "stray", "INF prog: two", "red", "", "bar"});
}

TEST_CASE("memory screen: another size") {
  MemoryScreen screen({.columns = 40, .rows = 8, .unicode = false, .bar_template = "{desc} {bar}"});
  say(screen, "one");
  tell(screen, running(1, 5, 10, "bar"));
  CHECK(screen.rows().back() == "bar [################-----------------]");
  screen.resize(20, 8);
  CHECK(screen.rows() == Rows{"INF prog: one", "", "bar [######-------]"});
  screen.resize(0, -1);
  screen.resize(1 << 30, 3);
  say(screen, "two");
  CHECK(screen.lines().back().starts_with("bar [#"));
}

TEST_CASE("memory screen: read by one thread, fed by another") {
  MemoryScreen screen({.rows = 5});
  std::atomic<bool> done{false};
  std::thread fed([&] {
    for (int i = 0; i < 500; ++i) {
      say(screen, "one");
      tell(screen, running(1, static_cast<std::uint64_t>(i), 500, "bar"));
      screen.flush();
    }
    done = true;
  });
  while (!done) {
    CHECK(screen.rows().size() <= 5);
    screen.pass(1ms);
  }
  fed.join();
  CHECK(screen.lines().size() == 502);
}
