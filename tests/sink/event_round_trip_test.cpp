// Tests of event_encoder.cpp together with the parent's side: every field of an event survives the way.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "log/hub/connection.hpp"
#include "log/sink/event_encoder.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;

constexpr std::uint64_t id_base = 0x18e9'f45b'a012'0000;

// A child of this process, and what arrives of what it encodes.
struct Way {
  std::vector<Told> arrived(const wire::Bytes& bytes) {
    std::copy(bytes.begin(), bytes.end(), connection.room(bytes.size()).begin());
    connection.received(bytes.size(), noted_ns, noted_ns);
    std::vector<Told> told;
    for (hub::Connection::Arrival arrival; connection.next(arrival);) told.push_back(copy_of(arrival.event));
    return told;
  }
  Told record(const Record& record, std::int64_t time_ns) {
    wire::Bytes out;
    encoder->add_record(out, event_of(record, own, time_ns));
    const auto told = arrived(out);
    REQUIRE(told.size() == 1);
    return told.front();
  }
  Told bar(const Bar& bar, const Bar* known, std::int64_t time_ns) {
    wire::Bytes out;
    encoder->add_bar(out, event_of(bar, own, time_ns), known);
    const auto told = arrived(out);
    REQUIRE(told.size() == 1);
    return told.front();
  }

  std::unique_ptr<sink::EventEncoder> encoder = sink::extension_encoder(id_base, {815, "worker", "token"});
  hub::Connection connection{7, own_notice, 40'001};
};

void check_source(const Told& told, const std::string& name) {
  CHECK(told.source_id == 7);
  CHECK(told.name == name);
  CHECK(told.pid == 815);
  CHECK(told.port == 40'001);
}

}  // namespace

TEST_CASE("round trip: every field of a record") {
  Way way;
  for (unsigned level = 0; level <= 5; ++level) {
    const std::string message = "m\xff\n\x1b" + std::to_string(level);
    Record sent = record(message, static_cast<Level>(level));
    sent.thread = std::numeric_limits<std::uint64_t>::max() - level;
    const std::string file = "source_" + std::to_string(level) + ".cpp";
    const std::string function = "void f(\xc3\xa9)";
    sent.file = file;
    sent.function = function;
    sent.line = 0xFFFF'FFFF - level;
    for (const std::int64_t time_ns : {noted_ns, std::int64_t{0}, std::numeric_limits<std::int64_t>::min(),
                                       std::numeric_limits<std::int64_t>::max()}) {
      const Told told = way.record(sent, time_ns);
      check_source(told, "worker");
      CHECK(told.time_ns == time_ns);
      CHECK(told.level == static_cast<Level>(level));
      CHECK(told.wire_level == level);
      CHECK(told.message == message);
      CHECK(told.time_text.empty());
      CHECK(told.thread == sent.thread);
      CHECK(told.file == file);
      CHECK(told.function == function);
      CHECK(told.line == sent.line);
      CHECK_FALSE(told.notice);
    }
  }
  Record notice = record("3 records dropped", Level::warn);
  notice.notice = true;
  const Told told = way.record(notice, noted_ns);
  check_source(told, "dlog");
  CHECK(told.notice);
  CHECK(told.file.empty());
}

TEST_CASE("round trip: every field of a bar, in every state") {
  Way way;
  Bar sent = running(7, 5, std::numeric_limits<std::uint64_t>::max(), "Reading \xff");
  sent.message = "part 3\n";
  sent.unit = Unit::bytes_iec;
  sent.parent = 2;
  sent.paused = true;
  sent.estimate = 0xFFFF'FFFF;
  sent.bar_template = "{desc} {bar}";
  const auto check = [&](const Told& told, std::int64_t time_ns) {
    check_source(told, "worker");
    CHECK(told.time_ns == time_ns);
    CHECK(told.bar == id_base + sent.id);
    CHECK(told.state == sent.state);
    CHECK(told.description == sent.description);
    CHECK(told.message == sent.message);
    CHECK(told.value == sent.value);
    CHECK(told.total == sent.total);
    CHECK(told.unit == sent.unit);
    CHECK(told.parent == id_base + 2);
    CHECK(told.paused == sent.paused);
    CHECK(told.estimate == sent.estimate);
    CHECK(told.bar_template == sent.bar_template);
  };
  const Told first = way.bar(sent, nullptr, noted_ns - 5);
  CHECK(first.created);
  check(first, noted_ns - 5);
  Bar before = sent;
  sent.value = 6;  // alone, as the seed says it: with the time of its arrival
  check(way.bar(sent, &before, noted_ns - 4), noted_ns);
  for (const BarState state :
       {BarState::finished, BarState::failed, BarState::abandoned, BarState::orphaned, BarState::cleared}) {
    sent.state = BarState::running;
    way.bar(sent, nullptr, noted_ns);
    before = sent;
    sent.state = state;
    const Told told = way.bar(sent, &before, noted_ns + 1);
    CHECK_FALSE(told.created);
    check(told, noted_ns + 1);
  }
}
