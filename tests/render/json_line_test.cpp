// Tests of json_line.cpp: the keys and values of each line, and that every line is JSON.
#include "log/render/json_line.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/json.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using Keys = std::map<std::string, std::string>;

std::string line(const Record& record, const Source& source = own, std::int64_t time_ns = noted_ns) {
  std::string out;
  render::append_json_record(out, event_of(record, source, time_ns));
  return out;
}
std::string line(const Bar& bar, const Source& source = own) {
  std::string out;
  render::append_json_bar(out, event_of(bar, source));
  return out;
}

}  // namespace

TEST_CASE("json line: a record, byte for byte") {
  Record full = record("took \"3\" ms", Level::warn);
  full.thread = 4712;
  full.file = "src/a.cpp";
  full.line = 17;
  CHECK(line(full) == R"({"ts":"2026-11-21T04:16:40.727123456Z","level":"warn","name":"prog","pid":4711,"tid":4712,)"
                      R"("msg":"took \"3\" ms","file":"src/a.cpp","line":17})"
                      "\n");
}

TEST_CASE("json line: a bar, byte for byte") {
  Bar failed = bar(5, BarState::failed, 3, 10, "Reading");
  failed.message = "404";
  CHECK(line(failed) ==
        R"({"ts":"2026-11-21T04:16:40.727123456Z","event":"progress","name":"prog","pid":4711,"bar":5,)"
        R"("description":"Reading","value":3,"total":10,"state":"failed","unit":"items","message":"404"})"
        "\n");
  Bar part = running(6, 3, 10, "Part");
  part.unit = Unit::bytes_iec;
  part.parent = 5;
  part.paused = true;
  CHECK(line(part).ends_with(R"("state":"running","unit":"bytes_iec","parent":5,"paused":true})"
                             "\n"));
}

TEST_CASE("json line: levels are words") {
  const Level levels[] = {Level::trace, Level::debug, Level::info, Level::warn, Level::error, Level::fatal};
  const char* words[] = {"trace", "debug", "info", "warn", "error", "fatal"};
  for (std::size_t i = 0; i < std::size(levels); ++i) {
    const Keys keys = parse_json_line(line(record("m", levels[i])));
    CHECK(keys.at("level") == words[i]);
    CHECK(keys.count("wire_level") == 0);
  }
  Record unknown = record("m", Level::fatal);
  unknown.wire_level = 9;
  const Keys keys = parse_json_line(line(unknown));
  CHECK(keys.at("level") == "fatal");
  CHECK(keys.at("wire_level") == "9");
}

TEST_CASE("json line: a child is told by its port, an unread time is kept") {
  Record late = record("m");
  late.time_text = "yester\"day\n";
  const Keys keys = parse_json_line(line(late, child));
  CHECK(keys.at("name") == "child");
  CHECK(keys.at("pid") == "0");
  CHECK(keys.at("port") == "40001");
  CHECK(keys.at("time") == "yester\"day\n");
  CHECK(parse_json_line(line(record("m"))).count("port") == 0);
  CHECK(parse_json_line(line(record("m"))).count("time") == 0);
  CHECK(parse_json_line(line(running(1, 2, 3, "d"), child)).at("port") == "40001");
}

TEST_CASE("json line: states and extremes of a bar") {
  const BarState states[] = {BarState::running,   BarState::finished, BarState::failed,
                             BarState::abandoned, BarState::orphaned, BarState::cleared};
  const char* words[] = {"running", "finished", "failed", "abandoned", "orphaned", "cleared"};
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < std::size(states); ++i) {
    const Keys keys = parse_json_line(line(bar(most, states[i], most, 0, "")));
    CHECK(keys.at("state") == words[i]);
    CHECK(keys.at("bar") == "18446744073709551615");
    CHECK(keys.at("value") == "18446744073709551615");
    CHECK(keys.at("total") == "0");
    CHECK(keys.at("description") == "");
    CHECK(keys.count("message") == 0);
  }
}

TEST_CASE("json line: hostile texts stay inside their strings") {
  const std::string hostile = "\"},{\"level\":\"fatal\"\n\x1b[2J\xff\xe2\x80\xae\\";
  const std::string shown = "\"},{\"level\":\"fatal\"\n\x1b[2J\\xff\xe2\x80\xae\\";
  Record told = record(hostile);
  told.file = hostile;
  told.time_text = hostile;
  const Source source{9, hostile, 1, 2};
  const std::string text = line(told, source);
  CHECK(text.find('\n') == text.size() - 1);
  CHECK(text.find('\x1b') == std::string::npos);
  const Keys keys = parse_json_line(text);
  for (const char* key : {"msg", "file", "time", "name"}) CHECK(keys.at(key) == shown);
  CHECK(keys.at("level") == "info");

  Bar loud = running(1, 1, 2, hostile);
  loud.message = hostile;
  const Keys bar_keys = parse_json_line(line(loud, source));
  CHECK(bar_keys.at("description") == shown);
  CHECK(bar_keys.at("message") == shown);
}

TEST_CASE("json line: times are RFC 3339 with nine decimals, in UTC") {
  CHECK(parse_json_line(line(record("m"), own, 0)).at("ts") == "1970-01-01T00:00:00.000000000Z");
  CHECK(parse_json_line(line(record("m"), own, 7)).at("ts") == "1970-01-01T00:00:00.000000007Z");
  CHECK(parse_json_line(line(record("m"), own, -1)).at("ts") == "1969-12-31T23:59:59.999999999Z");
}

TEST_CASE("json line: one after the other are two lines") {
  std::string out;
  render::append_json_record(out, event_of(record("a")));
  render::append_json_bar(out, event_of(running(1, 2, 3, "b")));
  const std::size_t end = out.find('\n') + 1;
  CHECK(parse_json_line(out.substr(0, end)).at("msg") == "a");
  CHECK(parse_json_line(out.substr(end)).at("description") == "b");
}
