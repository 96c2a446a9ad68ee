// Tests of hub::replay: what a parent that is gone did not take, told anew.
#include <span>
#include <string>
#include <vector>

#include "log/hub/replay.hpp"
#include "support/catch.hpp"
#include "support/collecting.hpp"
#include "support/frames.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("replay: records are told as this process's own, bars are left to the log thread") {
  Collected told;
  CollectingOutlet outlet(told);
  const std::string frames =
      log_frame(2, "one") + create_frame(1, "bar", 5) + push_frame(1, 3) + log_frame(4, "two\nlines") + finish_frame(1);
  hub::replay(std::as_bytes(std::span(frames)), "prog", 4711, outlet);
  CHECK(told.words() == Words{"INF prog: one", "ERR prog: two\nlines"});
  for (const Told& each : told.told()) {
    CHECK(each.source_id == 0);
    CHECK(each.pid == 4711);
    CHECK(each.port == 0);
    CHECK(each.time_ns == noted_ns / 1'000'000 * 1'000'000);
  }
}

TEST_CASE("replay: nothing is made up") {
  Collected told;
  CollectingOutlet outlet(told);
  hub::replay({}, "prog", 4711, outlet);
  CHECK(told.words().empty());
  // A bar that was created in an earlier batch moves and ends in this one.
  const std::string frames = push_frame(1, 3) + log_frame(2, "one") + finish_frame(1);
  hub::replay(std::as_bytes(std::span(frames)), "prog", 4711, outlet);
  CHECK(told.words() == Words{"INF prog: one"});
}
