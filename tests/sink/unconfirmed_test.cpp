// Tests of unconfirmed.cpp: what is kept of what a parent was sent, and what is only counted.
#include "log/sink/unconfirmed.hpp"

#include <cstdint>
#include <string>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/frames.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using sink::Unconfirmed;

void add(Unconfirmed& to, const std::string& frames) { to.add(std::as_bytes(std::span(frames))); }
std::string kept(const Unconfirmed& of) { return text_of(of.frames()); }
std::string one(const std::string& message) { return record_frame(message, {}); }

}  // namespace

TEST_CASE("unconfirmed: nothing at first") {
  Unconfirmed unconfirmed;
  CHECK(kept(unconfirmed).empty());
  CHECK(unconfirmed.records() == 0);
  CHECK(unconfirmed.forgotten() == 0);
  unconfirmed.confirm(7);
  CHECK(unconfirmed.forgotten() == 0);
}

TEST_CASE("unconfirmed: records are confirmed by their number, with what stands before them") {
  Unconfirmed unconfirmed;
  add(unconfirmed, hello_frame("prog", 1) + one("a") + push_frame(1, 2) + one("b"));
  add(unconfirmed, push_frame(1, 3) + one("c"));
  CHECK(unconfirmed.records() == 3);
  unconfirmed.confirm(1);
  CHECK(kept(unconfirmed) == push_frame(1, 2) + one("b") + push_frame(1, 3) + one("c"));
  unconfirmed.confirm(2);
  CHECK(kept(unconfirmed) == push_frame(1, 3) + one("c"));
  unconfirmed.confirm(1);  // an old answer
  CHECK(unconfirmed.records() == 1);
  CHECK(unconfirmed.forgotten() == 0);
  unconfirmed.confirm(3);
  CHECK(kept(unconfirmed).empty());
  add(unconfirmed, one("d"));
  CHECK(kept(unconfirmed) == one("d"));
  unconfirmed.confirm(1'000'000);  // whoever says so
  CHECK(kept(unconfirmed).empty());
  CHECK(unconfirmed.records() == 0);
}

TEST_CASE("unconfirmed: the oldest are forgotten, and counted until they are confirmed") {
  Unconfirmed unconfirmed;
  const std::string message(1000, 'm');
  const std::size_t frame_bytes = one(message).size();
  std::uint64_t added = 0;
  for (; added * frame_bytes < 10 * Unconfirmed::bytes_max; ++added) {
    add(unconfirmed, one(message));
    REQUIRE(unconfirmed.frames().size() <= 2 * Unconfirmed::bytes_max);
    REQUIRE(unconfirmed.frames().size() == unconfirmed.records() * frame_bytes);
    REQUIRE(unconfirmed.records() + unconfirmed.forgotten() == added + 1);
  }
  CHECK(unconfirmed.frames().size() >= Unconfirmed::bytes_max - frame_bytes);
  const std::uint64_t forgotten = unconfirmed.forgotten();
  REQUIRE(forgotten > 5);
  unconfirmed.confirm(5);
  CHECK(unconfirmed.forgotten() == forgotten - 5);
  unconfirmed.confirm(forgotten + 1);
  CHECK(unconfirmed.forgotten() == 0);
  CHECK(unconfirmed.records() == added - forgotten - 1);
  unconfirmed.clear();
  CHECK(unconfirmed.records() == 0);
  CHECK(unconfirmed.forgotten() == added - forgotten - 1);
}

TEST_CASE("unconfirmed: one frame that is larger than all that is kept") {
  Unconfirmed unconfirmed;
  add(unconfirmed, one("a") + one(std::string(3 * Unconfirmed::bytes_max, 'm')) + one("b"));
  CHECK(kept(unconfirmed) == one("b"));
  CHECK(unconfirmed.forgotten() == 2);
}
