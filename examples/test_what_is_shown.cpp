// A program's own test of what it shows: a screen in memory instead of a person.
#include <dlog/dlog.hpp>
#include <dlog/memory_screen.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

int failures = 0;

void expect(const std::vector<std::string>& shown, const std::vector<std::string>& wanted) {
  if (shown == wanted) return;
  ++failures;
  for (const std::string& row : shown) std::fprintf(stderr, "unexpected screen: |%s\n", row.c_str());
}

// What is tested.
void copy_files(dlog::ProgressBar& bar) {
  dlog::info("copying {} files", 4);
  bar.push(2);
}

}  // namespace

int main() {
  dlog::init({.progress = dlog::ProgressMode::none, .process_name = "copy", .listen = false});
  const auto screen = std::make_shared<dlog::MemoryScreen>(
      dlog::MemoryScreenOptions{.columns = 48, .rows = 8, .unicode = false, .bar_template = "{desc} {bar:10} {eta}"});
  dlog::add_sink(screen);

  dlog::ProgressBar bar("Files", 4);
  dlog::flush();
  screen->pass(2s);  // the only clock that the screen knows
  copy_files(bar);
  dlog::flush();
  screen->pass(1s);
  expect(screen->rows(), {"INF copy: copying 4 files", "", "Files [####----] ETA 0:04"});

  bar.fail("disk full");
  dlog::flush();
  expect(screen->rows(), {"INF copy: copying 4 files", "Files  50% 2/4 failed after 3.0 s: disk full"});
  return failures == 0 ? 0 : 1;
}
