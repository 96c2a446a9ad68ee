// Tests of event_encoder.cpp together with the parent's side: what an event costs once all is known. This program's operator new
// counts.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "log/hub/connection.hpp"
#include "log/sink/event_encoder.hpp"
#include "support/catch.hpp"
#include "support/counted_new.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;

// A child of this process: its events are encoded, and read again.
struct Way {
  std::size_t tell(const Event& event, const Bar* known) {
    batch.clear();
    if (event.record != nullptr) encoder->add_record(batch, event);
    else encoder->add_bar(batch, event, known);
    std::copy(batch.begin(), batch.end(), connection.room(batch.size()).begin());
    connection.received(batch.size(), noted_ns, noted_ns);
    std::size_t arrived = 0;
    for (hub::Connection::Arrival arrival; connection.next(arrival);) ++arrived;
    return arrived;
  }
  std::unique_ptr<sink::EventEncoder> encoder;
  wire::Bytes batch{};
  hub::Connection connection{7, own_notice, 40'001};
};

}  // namespace

TEST_CASE("event encoder: a record from a place that is known takes no memory on either side") {
  for (const bool extension : {false, true}) {
    Way way{extension ? sink::extension_encoder(0, {815, "worker", "token"}) : sink::seed_encoder(0)};
    const std::string message(300, 'm');
    const std::string files[] = {"a.cpp", "b.cpp", "c.cpp"};
    Record one = record(message);
    one.function = "int main()";
    one.thread = 99;
    const auto tell_round = [&] {
      for (const std::string& file : files) {
        one.file = file;
        one.line = 42;
        if (way.tell(event_of(one), nullptr) != 1) return false;
      }
      return true;
    };
    CHECK(tell_round());
    const Memory memory;
    bool all = true;
    for (int i = 0; i < 1000; ++i) all = tell_round() && all;
    const std::size_t blocks = memory.blocks();
    CHECK(all);
    CHECK(blocks == 0);
  }
}

TEST_CASE("event encoder: a bar that is known takes no memory on either side") {
  Way way{sink::extension_encoder(0, {815, "worker", "token"})};
  const std::string description(100, 'd');
  const std::string message(200, 'm');
  Bar bar = running(1, 0, 1000, description);
  bar.message = message;
  CHECK(way.tell(event_of(bar), nullptr) == 1);
  const Memory memory;
  std::size_t arrived = 0;
  for (int i = 0; i < 1000; ++i) {
    const Bar known = bar;
    ++bar.value;
    if (i % 2 == 0) ++bar.total;  // else the value alone
    arrived += way.tell(event_of(bar), &known);
  }
  const std::size_t blocks = memory.blocks();
  CHECK(arrived == 1000);
  CHECK(blocks == 0);
}
