// Tests of losses.hpp: what is known of whom, and who is forgotten.
#include "log/sink/losses.hpp"

#include "support/catch.hpp"

using dlog::sink::Losses;

TEST_CASE("losses: each source's own") {
  Losses losses;
  CHECK(losses.of(0) == 0);
  losses.add(0, 2);
  losses.add(7, 3);
  losses.add(7, 1);
  CHECK(losses.of(0) == 2);
  CHECK(losses.of(7) == 4);
  CHECK(losses.of(8) == 0);
}

TEST_CASE("losses: the oldest children are forgotten, this process never") {
  Losses losses;
  losses.add(0, 1);
  for (std::uint64_t id = 1; id <= Losses::sources_max; ++id) losses.add(id, 1);
  CHECK(losses.of(0) == 1);
  CHECK(losses.of(1) == 0);
  CHECK(losses.of(2) == 1);
  CHECK(losses.of(Losses::sources_max) == 1);
}
