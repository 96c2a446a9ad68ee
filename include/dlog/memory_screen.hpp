// A screen in memory, for a program's own tests: what a person would see on a terminal, rows of text to compare with.
// dlog/dlog.hpp does not include it.
//
//   auto screen = std::make_shared<dlog::MemoryScreen>(dlog::MemoryScreenOptions{.columns = 60, .rows = 12});
//   dlog::add_sink(screen);
//   ...                                         // the program logs and moves bars
//   dlog::flush();
//   assert(screen->rows() == std::vector<std::string>({"INF app: one", "", "Reading [####----]  50%"}));
//
// It draws with the words and frames of the console, and shows the same each time: its clock stands still but for pass(), no bar
// waits before it is drawn, there is no colour. A picture is drawn where somebody looks, writes, resizes or passes time; so what
// came and went in between was never on it. dlog::suspend() and dlog::finish() concern the console, not this screen.
//
// Threads: any, but for those members that are a sink's. Errors: none but for want of memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dlog/config.hpp"
#include "dlog/event.hpp"
#include "dlog/sink.hpp"

#pragma GCC visibility push(default)  // the attribute of a namespace does not reach definitions elsewhere in clang
namespace dlog {

struct MemoryScreenOptions {
  int columns = 80;  // a side is at least 1 and at most 4096
  int rows = 24;
  bool unicode = true;                   // false: bars and signs are drawn in ASCII
  BarTheme theme = BarTheme::automatic;  // automatic: blocks, in ASCII ascii
  std::string bar_template{};            // see Config::bar_template; one that cannot be read is told in the first row
  bool time = false;                     // records begin with their time, in UTC
  bool numbers = false;                  // names of processes are followed by process id or port, as on the console
};

class MemoryScreen : public Sink {
 public:
  explicit MemoryScreen(const MemoryScreenOptions& options = {});
  ~MemoryScreen() override;
  MemoryScreen(const MemoryScreen&) = delete;
  MemoryScreen& operator=(const MemoryScreen&) = delete;

  // The screen from the top, without blanks at the ends of its rows and without blank rows at the bottom.
  std::vector<std::string> rows() const;
  // The same below the lines that have left at the top. All of them are kept.
  std::vector<std::string> lines() const;
  // lines() as one text, each with a newline.
  std::string text() const;

  // Both from 0. Between two pictures the cursor stands on the blank row above the bars.
  struct Cursor {
    int column = 0;
    int row = 0;
    bool visible = true;
    bool operator==(const Cursor&) const = default;
  };
  Cursor cursor() const;

  // How many pictures were drawn.
  std::size_t frames() const;

  // The terminal gets another size; like an xterm it moves no text to other lines.
  void resize(int columns, int rows);
  // What another program writes to the same terminal: anything. Sequences that are not known leave no trace.
  void write(std::string_view foreign);
  // The clock goes on.
  void pass(std::chrono::nanoseconds duration);

  void accept(const Event& event) override;
  void flush() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dlog
#pragma GCC visibility pop
