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

TEST_CASE("replay: records of version 2 keep their time, thread, place and who speaks") {
  Collected told;
  CollectingOutlet outlet(told);
  const std::string frames = site_frame(1, "main.cpp", 42, "int main()") + hello_frame("prog", 4711) +
                             record_frame("one", {false, 2, 1, 99, noted_ns}) + bar_frame(1, {}) +
                             record_frame("2 records dropped", {true, 3, 0, 0, noted_ns + 1});
  hub::replay(std::as_bytes(std::span(frames)), "prog[0]", 4711, outlet);
  CHECK(told.words() == Words{"INF prog[0]: one", "WRN dlog (notice): 2 records dropped"});
  const auto all = told.told();
  REQUIRE(all.size() == 2);
  CHECK(all[0].time_ns == noted_ns);
  CHECK(all[0].thread == 99);
  CHECK(all[0].file == "main.cpp");
  CHECK(all[0].line == 42);
  CHECK(all[0].function == "int main()");
  CHECK(all[1].notice);
  for (const Told& each : all) {
    CHECK(each.source_id == 0);
    CHECK(each.pid == 4711);
    CHECK(each.port == 0);
  }
}
