// Tests of screen.cpp where another program has the terminal: records are lines, and nothing is live.
#include <cstdint>
#include <string>

#include "log/render/screen.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/terminal.hpp"

using namespace dlog;
using namespace dlog::test;

TEST_CASE("screen: in the background no bars are drawn, and they come back in the foreground") {
  render::Screen screen(render::LineWords{false, false, nullptr});
  Terminal terminal(80, 24);
  std::int64_t now_ns = 1'000'000'000;
  const auto draw = [&] {
    std::string out;
    now_ns += 1'000'000'000;
    screen.draw(out, now_ns, {80, 24});
    terminal.write(out);
    return terminal.screen().size();
  };
  screen.accept(event_of(running(1, 1, 10, "Reading")), now_ns);
  screen.stay_behind(true);
  CHECK(draw() == 0);
  CHECK_FALSE(screen.live());
  CHECK(screen.due_ns() <= now_ns + render::Screen::idle_frame_ns);  // to look where it is then
  screen.accept(event_of(record("one")), 0);
  CHECK(draw() == 1);
  screen.stay_behind(false);
  CHECK(draw() == 3);
  CHECK(screen.live());
  screen.stay_behind(true);
  CHECK(draw() == 1);
  CHECK_FALSE(screen.live());
  CHECK(terminal.settled());
}
