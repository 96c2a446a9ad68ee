// Tests of bar_registry.cpp: which changes of a bar are told, and when.
#include "log/hub/bar_registry.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/log.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::BarCell;
using hub::BarChange;
using hub::BarRegistry;

void set_message(BarCell& cell, std::string_view message) {
  const std::lock_guard lock(cell.mutex);
  cell.texts.message = message;
  cell.texts_version.fetch_add(1);
}

// What callers do when a bar starts or ends.
BarChange change_of(const std::shared_ptr<BarCell>& cell, BarState state) {
  BarChange change;
  change.cell = cell;
  change.state = state;
  change.figures = cell->figures();
  if (state != BarState::running) cell->ended = true;
  return change;
}

struct Registry {
  void apply(const BarChange& change) { bars.apply(change, tell()); }
  // What is told now, and nothing before.
  std::vector<std::string> sampled() {
    told.clear();
    bars.sample(tell());
    return words_of(told);
  }
  std::vector<std::string> ended() {
    told.clear();
    bars.end_all(tell());
    return words_of(told);
  }
  std::vector<std::string> applied(const BarChange& change) {
    told.clear();
    apply(change);
    return words_of(told);
  }
  BarRegistry::Tell tell() {
    return [this](const Bar& bar) { told.push_back(copy_of(event_of(bar))); };
  }

  BarRegistry bars{};
  std::vector<Told> told{};
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("bars: a start and an end are told as they were when they were queued") {
  Registry registry;
  CHECK(registry.bars.empty());
  const auto cell = make_cell(5, 10, "Reading");
  const BarChange start = change_of(cell, BarState::running);
  cell->value = 4;
  CHECK(registry.applied(start) == Words{"bar 5 of prog: created running 0/10 Reading"});
  CHECK_FALSE(registry.bars.empty());
  BarChange end = change_of(cell, BarState::failed);
  end.texts.message = "404";
  cell->value = 9;
  CHECK(registry.applied(end) == Words{"bar 5 of prog: failed 4/10 Reading (404)"});
  CHECK(registry.bars.empty());
}

TEST_CASE("bars: samples tell changes only") {
  Registry registry;
  const auto cell = make_cell(1, 10, "a");
  registry.apply(change_of(cell, BarState::running));
  CHECK(registry.sampled().empty());
  cell->value = 3;
  CHECK(registry.sampled() == Words{"bar 1 of prog: running 3/10 a"});
  CHECK(registry.sampled().empty());
  cell->value = 2;
  CHECK(registry.sampled() == Words{"bar 1 of prog: running 2/10 a"});
  cell->total = 20;
  CHECK(registry.sampled() == Words{"bar 1 of prog: running 2/20 a"});
  cell->unit = Unit::bytes;
  CHECK(registry.sampled() == Words{"bar 1 of prog: running 2/20 a"});
  CHECK(registry.told.front().unit == Unit::bytes);
  set_message(*cell, "part 2");
  CHECK(registry.sampled() == Words{"bar 1 of prog: running 2/20 a (part 2)"});
  CHECK(registry.sampled().empty());
  cell->value = 5;
  CHECK(registry.sampled() == Words{"bar 1 of prog: running 5/20 a (part 2)"});
  set_message(*cell, "");
  CHECK(registry.sampled() == Words{"bar 1 of prog: running 5/20 a"});
}

TEST_CASE("bars: a message that was there before the start is told") {
  Registry registry;
  const auto cell = make_cell(1, 10, "a");
  set_message(*cell, "early");
  registry.apply(change_of(cell, BarState::running));
  CHECK(registry.sampled() == Words{"bar 1 of prog: running 0/10 a (early)"});
}

TEST_CASE("bars: between its end and the end's arrival a bar is not sampled") {
  Registry registry;
  const auto cell = make_cell(1, 10, "a");
  registry.apply(change_of(cell, BarState::running));
  cell->value = 10;
  const BarChange end = change_of(cell, BarState::finished);
  CHECK(registry.sampled().empty());
  CHECK(registry.applied(end) == Words{"bar 1 of prog: finished 10/10 a"});
  CHECK(registry.sampled().empty());
}

TEST_CASE("bars: several are told in the order of their creation") {
  Registry registry;
  std::vector<std::shared_ptr<BarCell>> cells;
  for (const std::uint64_t id : {3U, 1U, 2U}) cells.push_back(make_cell(id, 10, "b"));
  for (const auto& cell : cells) registry.apply(change_of(cell, BarState::running));
  for (const auto& cell : cells) cell->value = cell->id;
  CHECK(registry.sampled() ==
        Words{"bar 1 of prog: running 1/10 b", "bar 2 of prog: running 2/10 b", "bar 3 of prog: running 3/10 b"});
}

TEST_CASE("bars: at the end of the process the live ones are abandoned") {
  Registry registry;
  const auto first = make_cell(1, 10, "a");
  const auto second = make_cell(2, 0, "b");
  const auto gone = make_cell(3, 5, "c");
  for (const auto& cell : {first, second, gone}) registry.apply(change_of(cell, BarState::running));
  registry.apply(change_of(gone, BarState::finished));
  first->value = 4;
  set_message(*second, "late words");
  const Words words = registry.ended();
  REQUIRE(words.size() == 2);
  CHECK(words[0] == "bar 1 of prog: abandoned 4/10 a");
  CHECK(words[1].starts_with("bar 2 of prog: abandoned 0/0 b"));
  CHECK(first->ended);
  CHECK(second->ended);
  CHECK(registry.bars.empty());
  CHECK(registry.ended().empty());
}

TEST_CASE("bars: the last message is told with the abandoned bar") {
  Registry registry;
  const auto cell = make_cell(1, 10, "a");
  registry.apply(change_of(cell, BarState::running));
  set_message(*cell, "last words");
  CHECK(registry.ended() == Words{"bar 1 of prog: abandoned 0/10 a (last words)"});
}

TEST_CASE("bars: an end that was on its way when the process ended is told once, and as no new bar") {
  Registry registry;
  const auto cell = make_cell(1, 10, "a");
  registry.apply(change_of(cell, BarState::running));
  const BarChange end = change_of(cell, BarState::finished);
  CHECK(registry.ended().empty());
  CHECK(registry.applied(end) == Words{"bar 1 of prog: finished 0/10 a"});
  CHECK(registry.bars.empty());
}

TEST_CASE("bars: the registry keeps a bar only while it lives") {
  Registry registry;
  const auto cell = make_cell(1, 10, "a");
  registry.apply(change_of(cell, BarState::running));
  CHECK(cell.use_count() == 2);
  registry.apply(change_of(cell, BarState::cleared));
  CHECK(cell.use_count() == 1);
}
