// Tests of bar_line.cpp: the line that a bar leaves, what gives way in it, and what never does.
#include "log/render/bar_line.hpp"

#include <cstdint>
#include <string>

#include "support/catch.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using render::bar_end_line;
using render::BarLook;
using render::BarView;

// One that has run for so long.
BarView after(const Bar& bar, std::int64_t seconds) {
  BarView view;
  view.bar = bar;
  view.elapsed_ns = seconds * 1'000'000'000;
  return view;
}

}  // namespace

TEST_CASE("bar end: the state, the time and the reason") {
  const auto ended = [](BarState state, std::uint64_t value) { return after(bar(1, state, value, 10, "a"), 2); };
  CHECK(bar_end_line(ended(BarState::finished, 10), 80, {}) ==
        "a [########################################] 100% 10/10 finished in 2.0 s");
  CHECK(bar_end_line(ended(BarState::abandoned, 5), 80, {}) ==
        "a [####################--------------------]  50% 5/10 abandoned after 2.0 s");
  BarView failed = ended(BarState::failed, 5);
  failed.source = "w[7]";
  failed.bar.message = "404";
  CHECK(bar_end_line(failed, 90, {}) ==
        "w[7] a [####################--------------------]  50% 5/10 failed after 2.0 s: 404");
  CHECK(bar_end_line(after(bar(1, BarState::finished, 17, 0, "a"), 75), 80, {}) == "a 17 finished in 1:15");
  BarLook look;
  look.unicode = true;
  look.theme = BarTheme::line;
  CHECK(bar_end_line(ended(BarState::finished, 10), 60, look).ends_with("━ 100% 10/10 ✓ finished in 2.0 s"));
}

TEST_CASE("bar end: a description that is too long is cut") {
  const std::string long_description(300, 'd');
  const BarView view = after(bar(1, BarState::finished, 10, 10, long_description), 2);
  CHECK(bar_end_line(view, 80, {}) == std::string(62, 'd') + "... 100% finished");
  CHECK(bar_end_line(view, 10, {}) == std::string(17, 'd') + "... 100% finished");
}

TEST_CASE("bar end: the picture gives way, the words do not") {
  BarView failed = after(bar(1, BarState::failed, 5, 10, "a"), 2);
  failed.bar.message = "the mirror at the other end has closed the connection";
  CHECK(bar_end_line(failed, 20, {}) ==
        "a  50% 5/10 failed after 2.0 s: the mirror at the other end has closed the connection");
  for (std::size_t columns = 1; columns < 200; ++columns) {
    const std::string line = bar_end_line(failed, columns, {});
    if (line.find('[') != std::string::npos) CHECK(line.size() < columns);
    CHECK(line.ends_with("has closed the connection"));
  }
}

TEST_CASE("bar end: coloured by its state") {
  BarLook look;
  look.colour = true;
  const auto ended = [&](BarState state) { return bar_end_line(after(bar(1, state, 5, 10, "a"), 2), 40, look); };
  CHECK(ended(BarState::finished) == "a  50% 5/10 \x1b[32mfinished\x1b[0m in 2.0 s");
  CHECK(ended(BarState::failed) == "a  50% 5/10 \x1b[31mfailed\x1b[0m after 2.0 s");
  CHECK(ended(BarState::orphaned) == "a  50% 5/10 \x1b[33morphaned\x1b[0m after 2.0 s");
}

TEST_CASE("bar end: hostile texts are shown escaped") {
  Bar loud = bar(1, BarState::failed, 1, 2, "a\nb\x1b[2J");
  loud.message = "x\ry\xc2\x9b";
  const std::string line = bar_end_line(after(loud, 2), 200, {});
  CHECK(line.starts_with("a\\nb\\x1b[2J ["));
  CHECK(line.ends_with(": x\\ry\\u009b"));
}

TEST_CASE("bar end: in a narrow window the time gives way, and the amount, but not how it ended") {
  const BarView view = after(bar(1, BarState::finished, 3'932'160, 3'932'160, "Download fonts"), 2);
  CHECK(bar_end_line(view, 60, {}) == "Download fonts 100% 3932160/3932160 finished in 2.0 s");
  CHECK(bar_end_line(view, 50, {}) == "Download fonts 100% 3932160/3932160 finished");
  CHECK(bar_end_line(view, 40, {}) == "Download fonts 100% finished");
  CHECK(bar_end_line(view, 10, {}) == "Download fonts 100% finished");
  CHECK(bar_end_line(after(bar(1, BarState::finished, 17, 0, "Searching"), 2), 10, {}) == "Searching 17 finished");
}
