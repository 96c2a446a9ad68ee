// Tests of own_records.cpp: what a reader sees of a lane at each moment of a writer's. See lanes_test.cpp for whole lanes.
#include "log/hub/own_records.hpp"

#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/log.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::Block;
using hub::Lanes;
using hub::OwnRecord;
using hub::OwnRecords;

void take_announced(Lanes& lanes, OwnRecords& records) {
  std::vector<hub::Parcel*> parcels;
  lanes.drain(parcels);
  for (hub::Parcel* parcel : parcels) records.add(static_cast<Block*>(parcel));
}

void write_three(Lanes& lanes) {
  for (std::uint32_t site = 1; site <= 3; ++site)
    REQUIRE(write_record(lanes.place(record_bytes(""), false, false, [] {}), site, ""));
}

std::vector<OwnRecord> read(OwnRecords& records, std::uint64_t limit) {
  std::vector<OwnRecord> out;
  records.deliver_until(limit, [&](const OwnRecord& record) { out.push_back(record); });
  return out;
}

constexpr std::uint64_t all = OwnRecords::none - 1;

}  // namespace

TEST_CASE("own records: one that is not committed is not there, and holds back what comes after it in its lane") {
  Lanes lanes(std::size_t{1} << 20, false, long_time);
  OwnRecords records(lanes);
  char* const place = lanes.place(record_bytes("text"), false, false, [] {});
  REQUIRE(place != nullptr);
  take_announced(lanes, records);
  CHECK_FALSE(records.waiting());
  records.begin(all, 0);
  CHECK(records.earliest() == OwnRecords::none);
  REQUIRE(write_record(place, 7, "text", Level::error));
  CHECK(records.waiting());
  CHECK(records.earliest() == OwnRecords::none);  // it came after this turn's look
  records.begin(all, 0);
  CHECK(records.earliest() != OwnRecords::none);
  const auto found = read(records, all);
  REQUIRE(found.size() == 1);
  CHECK(found[0].level == Level::error);
  CHECK(found[0].site == 7);
  CHECK(found[0].thread != 0);
  CHECK(records.earliest() == OwnRecords::none);
}

TEST_CASE("own records: handed out up to a limit, the rest stays") {
  Lanes lanes(std::size_t{1} << 20, false, long_time);
  OwnRecords records(lanes);
  write_three(lanes);
  take_announced(lanes, records);
  records.begin(all, 0);
  const std::uint64_t first = records.earliest();
  CHECK(read(records, first - 1).empty());
  const auto one = read(records, first);
  REQUIRE(!one.empty());
  CHECK(one[0].site == 1);
  const auto rest = read(records, all);
  CHECK(one.size() + rest.size() == 3);
  CHECK(read(records, all).empty());
}

TEST_CASE("own records: a reader that stops in the middle goes on behind what it was handed") {
  Lanes lanes(std::size_t{1} << 20, false, long_time);
  OwnRecords records(lanes);
  write_three(lanes);
  take_announced(lanes, records);
  records.begin(all, 0);
  CHECK_THROWS(records.deliver_until(all, [](const OwnRecord&) { throw 1; }));
  records.begin(all, 0);
  const auto rest = read(records, all);
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].site == 2);
}

TEST_CASE("own records: handing out stops where there is enough, and goes on there, in this turn or another") {
  Lanes lanes(std::size_t{1} << 20, false, long_time);
  OwnRecords records(lanes);
  write_three(lanes);
  take_announced(lanes, records);
  std::vector<std::uint32_t> sites;
  const auto deliver = [&](const OwnRecord& record) { sites.push_back(record.site); };
  const auto at_once = [] { return true; };
  records.begin(all, 0);
  CHECK_FALSE(records.deliver_until(all, deliver, at_once));
  CHECK_FALSE(records.deliver_until(all, deliver, at_once));
  CHECK(sites == std::vector<std::uint32_t>{1, 2});
  records.begin(all, 0);
  CHECK_FALSE(records.deliver_until(all, deliver, at_once));
  CHECK(sites == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(records.deliver_until(all, deliver, at_once));
}

TEST_CASE("own records: a lane that has ended is read to its end, and used again by the next thread") {
  Lanes lanes(std::size_t{1} << 20, false, long_time);
  OwnRecords records(lanes);
  const auto write_in_thread = [&](std::uint32_t site) {
    std::thread([&] { write_record(lanes.place(record_bytes(""), false, false, [] {}), site, ""); }).join();
  };
  for (std::uint32_t i = 1; i <= 100; ++i) {
    write_in_thread(i);
    if (i % 3 != 0) continue;  // several at a time
    take_announced(lanes, records);
    records.begin(all, 0);
    const auto found = read(records, all);
    REQUIRE(found.size() == 3);
    for (std::uint32_t k = 0; k < 3; ++k) REQUIRE(found[k].site == i - 2 + k);
  }
}

TEST_CASE("own records: a time stamp that is far in the future is taken for now, so that its lane goes on") {
  Lanes lanes(std::size_t{1} << 20, false, long_time);
  OwnRecords records(lanes);
  const auto write_at = [&](std::uint64_t ticks, std::uint32_t site) {
    char* const place = lanes.place(record_bytes(""), false, false, [] {});
    REQUIRE(write_record(place, site, ""));
    std::memcpy(place + offsetof(capture::RecordHead, ticks), &ticks, sizeof ticks);
  };
  write_at(1000, 1);
  write_at(900'000, 2);  // then the counter was set back
  write_at(1010, 3);
  write_at(1200, 4);
  take_announced(lanes, records);
  records.begin(1100, 1000);
  const auto found = read(records, 1100);
  REQUIRE(found.size() == 3);
  CHECK(found[1].site == 2);
  CHECK(found[1].ticks == 1100);
  CHECK(found[2].site == 3);
  records.begin(1300, 1000);
  CHECK(read(records, 1300).size() == 1);
}
