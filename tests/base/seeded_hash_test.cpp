// Tests of seeded_hash.cpp: the same within a process, and no pattern of numbers fills one bucket.
#include "base/seeded_hash.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"

using dlog::seeded_hash;

TEST_CASE("seeded hash: the same number, the same hash") {
  for (std::uint64_t n = 0; n < 100; ++n) CHECK(seeded_hash(n) == seeded_hash(n));
  CHECK(seeded_hash(1) != seeded_hash(2));
}

TEST_CASE("seeded hash: multiples of the number of buckets spread") {
  for (const std::uint64_t buckets : {5087U, 4096U, 10273U}) {
    std::vector<int> filled(buckets);
    for (std::uint64_t i = 0; i < 4096; ++i) ++filled[seeded_hash(i * buckets) % buckets];
    CHECK(*std::max_element(filled.begin(), filled.end()) < 16);
  }
}
