// Tests of event_encoder.cpp: version 2 byte for byte. The seed's frames are in
// socket_sink_test.cpp.
#include "log/sink/event_encoder.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/events.hpp"
#include "support/frames.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using sink::EventEncoder;

constexpr std::uint64_t id_base = 0x18e9'f45b'a012'0000;
const std::string hello = hello_frame("prog", 4711, "00112233445566778899aabbccddeeff");

std::unique_ptr<EventEncoder> extension() {
  return sink::extension_encoder(id_base, {4711, "prog", "00112233445566778899aabbccddeeff"});
}
// One that has said hello.
std::unique_ptr<EventEncoder> greeted() {
  auto encoder = extension();
  const Record any = record("");
  wire::Bytes out;
  encoder->add_record(out, event_of(any));
  return encoder;
}

std::string added(EventEncoder& encoder, const Record& record, std::int64_t time_ns = noted_ns) {
  wire::Bytes out;
  encoder.add_record(out, event_of(record, own, time_ns));
  return text_of(out);
}
std::string added(EventEncoder& encoder, const Bar& bar, const Bar* known, std::int64_t time_ns = noted_ns) {
  wire::Bytes out;
  encoder.add_bar(out, event_of(bar, own, time_ns), known);
  return text_of(out);
}

Record placed(std::string_view file, std::uint32_t line, std::string_view function) {
  Record out = record("m");
  out.file = file;
  out.line = line;
  out.function = function;
  return out;
}

std::string plain_record(std::uint32_t site) { return record_frame("m", {false, 2, site, 0, noted_ns}); }

}  // namespace

TEST_CASE("event encoder: a hello comes before the first event, whichever it is") {
  const Record one = record("m");
  const auto records = extension();
  CHECK(added(*records, one) == hello + plain_record(0));
  CHECK(added(*records, one) == plain_record(0));
  const Bar bar = running(1, 0, 0, "");
  const auto bars = extension();
  BarFields fields;
  fields.time_ns = noted_ns;
  CHECK(added(*bars, bar, nullptr) == hello + bar_frame(id_base + 1, fields));
  CHECK(added(*bars, one) == plain_record(0));
}

TEST_CASE("event encoder: a record's fields") {
  const auto encoder = greeted();
  for (unsigned level = 0; level <= 5; ++level)
    CHECK(added(*encoder, record("m", static_cast<Level>(level))) == record_frame("m", {false, level, 0, 0, noted_ns}));
  Record notice = record("3 records dropped", Level::warn);
  notice.notice = true;
  CHECK(added(*encoder, notice) == record_frame("3 records dropped", {true, 3, 0, 0, noted_ns}));
  Record odd = record("a\xff\n\x1b");  // showing it is the parent's business
  odd.thread = std::numeric_limits<std::uint64_t>::max();
  CHECK(added(*encoder, odd, -1) == record_frame("a\xff\n\x1b", {false, 2, 0, odd.thread, -1}));
}

TEST_CASE("event encoder: a place is told once, before the first record from there") {
  const auto encoder = greeted();
  const std::string a = "a.cpp";
  const std::string b = "b.cpp";
  CHECK(added(*encoder, placed(a, 1, "f")) == site_frame(1, "a.cpp", 1, "f") + plain_record(1));
  CHECK(added(*encoder, placed(a, 1, "f")) == plain_record(1));
  CHECK(added(*encoder, placed(b, 1, "g")) == site_frame(2, "b.cpp", 1, "g") + plain_record(2));
  CHECK(added(*encoder, placed(a, 2, "f")) == site_frame(3, "a.cpp", 2, "f") + plain_record(3));
  CHECK(added(*encoder, placed(a, 1, "f")) == plain_record(1));
  CHECK(added(*encoder, record("m")) == plain_record(0));
  CHECK(added(*encoder, placed(b, 1, "g")) == plain_record(2));
  CHECK(text_of(encoder->said_once()) ==
        site_frame(1, "a.cpp", 1, "f") + site_frame(2, "b.cpp", 1, "g") + site_frame(3, "a.cpp", 2, "f"));
}

TEST_CASE("event encoder: the seed says nothing once for all") {
  const auto encoder = sink::seed_encoder(id_base);
  CHECK(added(*encoder, placed("a.cpp", 1, "f")) == log_frame(2, "m"));
  CHECK(encoder->said_once().empty());
}

TEST_CASE("event encoder: a bar's whole state where more than its value changes") {
  const auto encoder = greeted();
  Bar bar = running(7, 5, 10, "Reading");
  BarFields fields;
  fields.time_ns = noted_ns;
  fields.value = 5;
  fields.total = 10;
  fields.description = "Reading";
  const std::uint64_t id = id_base + 7;
  CHECK(added(*encoder, bar, nullptr) == bar_frame(id, fields));
  CHECK(added(*encoder, bar, &bar).empty());

  Bar before = bar;
  const auto changed = [&] {
    const std::string bytes = added(*encoder, bar, &before);
    before = bar;
    return bytes;
  };
  bar.value = fields.value = 6;
  CHECK(changed() == push_frame(id, 6));
  bar.total = fields.total = 20;
  CHECK(changed() == bar_frame(id, fields));
  bar.message = fields.message = "part 3";
  CHECK(changed() == bar_frame(id, fields));
  bar.unit = Unit::seconds;
  fields.unit = 3;
  CHECK(changed() == bar_frame(id, fields));
  bar.parent = 2;
  fields.parent = id_base + 2;
  CHECK(changed() == bar_frame(id, fields));
  bar.paused = fields.paused = true;
  CHECK(changed() == bar_frame(id, fields));
  bar.estimate = fields.estimate = 4;
  CHECK(changed() == bar_frame(id, fields));
  bar.bar_template = fields.bar_template = "{bar}";
  CHECK(changed() == bar_frame(id, fields));
  bar.description = fields.description = "Renamed";
  CHECK(changed() == bar_frame(id, fields));
  bar.value = fields.value = 7;
  CHECK(changed() == push_frame(id, 7));
  for (unsigned state = 1; state <= 5; ++state) {
    bar.state = static_cast<BarState>(state);
    fields.state = state;
    CHECK(added(*encoder, bar, &before) == bar_frame(id, fields));
  }
}

TEST_CASE("event encoder: the largest numbers of a bar") {
  const auto encoder = greeted();
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  Bar bar = running(1, most, most, "");
  bar.estimate = 0xFFFF'FFFF;
  BarFields fields;
  fields.estimate = bar.estimate;
  fields.time_ns = std::numeric_limits<std::int64_t>::min();
  fields.value = fields.total = most;
  CHECK(added(*encoder, bar, nullptr, fields.time_ns) == bar_frame(id_base + 1, fields));
}
