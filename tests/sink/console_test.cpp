// Tests of console.cpp: which looks are chosen for which descriptor, and where the files go.
#include "log/sink/console.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using sink::ConsoleChoice;
using sink::open_console;

// Sets the time zone for one test.
class Zone {
 public:
  explicit Zone(const char* name) {
    if (const char* before = ::getenv("TZ")) before_ = before;
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~Zone() {
    if (before_.empty()) ::unsetenv("TZ");
    else ::setenv("TZ", before_.c_str(), 1);
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  std::string before_;
};

// The times of the tests, each in a quarter of an hour of its own, so that no test sees another's zone.
std::int64_t next_time_ns() {
  static std::int64_t hour = 0;
  return noted_ns + ++hour * 3600 * 1'000'000'000;
}

// How a record, a bar's start and a bar's end look, in one word each.
std::string looks(ConsoleChoice choice, const Ends& ends) {
  choice.output_fd = ends.theirs.get();
  const auto console = open_console(choice);
  const std::int64_t time_ns = next_time_ns();

  console->accept(event_of(record("said"), own, time_ns));
  console->flush();
  const std::string said = read_now(ends.ours);
  std::string out = "?";
  if (said.starts_with('{')) out = "json";
  else if (said.find("\x1b[32mINF\x1b[0m") == 13) out = "colour";
  else if (said.find("INF") == 13) out = "time";
  else if (said.find("INF") == 24) out = "date";
  else if (said.find("\x1b[32mINF\x1b[0m") == 24) out = "date with colour";

  Bar start = running(1, 0, 10, "Reading");
  start.created = true;
  console->accept(event_of(start, own, time_ns));
  console->flush();
  std::string shown = read_now(ends.ours);
  console->accept(event_of(bar(1, BarState::finished, 10, 10, "Reading"), own, time_ns));
  console->leave(true);
  const std::string end = read_now(ends.ours);
  if (end.starts_with("Progress completed: Reading (10)")) out += shown.empty() ? "/simple" : "/?";
  else if (end.starts_with('{')) out += shown.starts_with('{') ? "/json" : "/?";
  else if (end.find(": Reading: finished (10/10)") != std::string::npos) out += shown.empty() ? "/?" : "/plain";
  else if (end.find("Reading ") == 0 && end.find("100% 10/10") != std::string::npos)
    out += shown.find("started") == std::string::npos ? "/bar" : "/?";
  else if (end.empty() && shown.empty()) out += "/none";
  else out += "/?";
  return out;
}

std::string on_terminal(const ConsoleChoice& choice) { return looks(choice, make_terminal(100, 24)); }
std::string on_pipe(const ConsoleChoice& choice) { return looks(choice, make_pipe()); }

ConsoleChoice chosen(Format format, ProgressMode progress) {
  ConsoleChoice choice;
  choice.format = format;
  choice.progress = progress;
  return choice;
}

}  // namespace

TEST_CASE("console: what is automatic depends on the descriptor") {
  const ConsoleChoice automatic = chosen(Format::automatic, ProgressMode::automatic);
  CHECK(on_terminal(automatic) == "colour/bar");
  CHECK(on_pipe(automatic) == "date/plain");

  ConsoleChoice dumb = automatic;
  dumb.surroundings.dumb_terminal = true;
  CHECK(on_terminal(dumb) == "date/plain");
  CHECK(on_pipe(dumb) == "date/plain");

  ConsoleChoice no_colour = automatic;
  no_colour.surroundings.colour = sink::Colour::never;
  CHECK(on_terminal(no_colour) == "time/bar");
  CHECK(on_pipe(no_colour) == "date/plain");

  ConsoleChoice colour = automatic;
  colour.surroundings.colour = sink::Colour::always;
  CHECK(on_terminal(colour) == "colour/bar");
  CHECK(on_pipe(colour) == "date with colour/plain");

  ConsoleChoice ci = automatic;
  ci.surroundings.in_ci = true;
  CHECK(on_terminal(ci) == "date/plain");

  const TemporaryFile file;
  const os::Descriptor fd(::open(file.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  ConsoleChoice to_file = automatic;
  to_file.output_fd = fd.get();
  const auto console = open_console(to_file);
  console->accept(event_of(record("m"), own, next_time_ns()));
  console->flush();
  CHECK(file.content().find('\x1b') == std::string::npos);
}

TEST_CASE("console: every choice, on a terminal and on a pipe") {
  using enum ProgressMode;
  struct Row {
    Format format;
    ProgressMode progress;
    const char* terminal;
    const char* pipe;
  };
  const Row rows[] = {
      {Format::automatic, bar, "colour/bar", "date/bar"},
      {Format::automatic, plain, "colour/plain", "date/plain"},
      {Format::automatic, json, "colour/json", "date/json"},
      {Format::automatic, none, "colour/none", "date/none"},
      {Format::terminal, automatic, "colour/bar", "colour/bar"},
      {Format::terminal, plain, "colour/plain", "colour/plain"},
      {Format::terminal, none, "colour/none", "colour/none"},
      {Format::plain, automatic, "date/plain", "date/plain"},
      {Format::plain, bar, "date/bar", "date/bar"},
      {Format::plain, json, "date/json", "date/json"},
      {Format::plain, none, "date/none", "date/none"},
      {Format::simple, automatic, "date/simple", "date/simple"},
      {Format::simple, plain, "date/simple", "date/simple"},
      {Format::simple, json, "date/json", "date/json"},
      {Format::simple, none, "date/none", "date/none"},
      {Format::json, automatic, "json/json", "json/json"},
      {Format::json, plain, "json/json", "json/json"},
      {Format::json, none, "json/none", "json/none"},
  };
  for (const Row& row : rows) {
    INFO("format " << static_cast<int>(row.format) << ", progress " << static_cast<int>(row.progress));
    CHECK(on_terminal(chosen(row.format, row.progress)) == row.terminal);
    CHECK(on_pipe(chosen(row.format, row.progress)) == row.pipe);
  }
}

TEST_CASE("console: json lines stay json whatever is asked for the bars") {
  const std::string looked = on_terminal(chosen(Format::json, ProgressMode::bar));
  CHECK(looked.starts_with("json/"));
  CHECK(looked != "json/bar");
}

TEST_CASE("console: where the descriptor is not open everything is lost, counted and never written") {
  const Ends pipe = make_pipe();
  const int closed = ::dup(pipe.theirs.get());
  ::close(closed);
  ConsoleChoice choice;
  choice.output_fd = closed;
  const auto console = open_console(choice);
  // The number becomes a file of the program's.
  const os::Descriptor taken(::dup2(pipe.theirs.get(), closed));
  REQUIRE(taken.get() == closed);

  Record notice = record("notice", Level::warn);
  notice.notice = true;
  console->accept(event_of(record("one")));
  console->accept(event_of(record("two")));
  console->accept(event_of(record("of a child"), child));
  console->accept(event_of(notice, own_notice));
  console->accept(event_of(running(1, 1, 2, "bar")));
  console->settle();
  console->flush();
  console->leave(true);
  CHECK(read_now(pipe.ours) == "");
  CHECK(console->undelivered() == 2);
  CHECK(console->undelivered_of(0) == 2);
  CHECK(console->undelivered_of(child.id) == 1);
  CHECK(console->take_complaint() == "");
  CHECK(console->due_ns() == event::Outlet::never);
}

TEST_CASE("console: a failure names the descriptor") {
  const os::Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ConsoleChoice choice;
  choice.output_fd = full.get();
  const auto console = open_console(choice);
  console->accept(event_of(record("one"), own, next_time_ns()));
  console->settle();
  CHECK(console->take_complaint() == "console (descriptor " + std::to_string(full.get()) +
                                         "): No space left on device; 1 records not written, more may follow");
  CHECK(console->undelivered() == 1);
}

TEST_CASE("console: times are local, JSON is UTC") {
  const auto said = [](Format format, std::int64_t time_ns) {
    const Ends pipe = make_pipe();
    ConsoleChoice choice = chosen(format, ProgressMode::automatic);
    choice.output_fd = pipe.theirs.get();
    const auto console = open_console(choice);
    console->accept(event_of(record("m"), own, time_ns));
    console->flush();
    return read_now(pipe.ours);
  };
  const Zone zone("XYZ-05:45");
  // 2027-01-01T00:00:00.500Z
  constexpr std::int64_t new_year_ns = 1'798'761'600'500'000'000;
  CHECK(said(Format::plain, new_year_ns) == "2027-01-01 05:45:00.500 INF prog[4711]: m\n");
  CHECK(said(Format::json, new_year_ns).find("\"ts\":\"2027-01-01T00:00:00.500000000Z\"") != std::string::npos);
}

TEST_CASE("console: the change to summer time is seen at its second") {
  const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  const Ends pipe = make_pipe();
  ConsoleChoice choice = chosen(Format::plain, ProgressMode::automatic);
  choice.output_fd = pipe.theirs.get();
  const auto console = open_console(choice);
  constexpr std::int64_t change_s = 1'806'195'600;  // 2027-03-28T01:00:00Z
  for (const std::int64_t s : {change_s - 1, change_s, change_s - 1, change_s + 3600}) {
    console->accept(event_of(record("m"), own, s * 1'000'000'000));
  }
  console->flush();
  CHECK(lines_of(read_now(pipe.ours)) == std::vector<std::string>{"2027-03-28 01:59:59.000 INF prog[4711]: m",
                                                                  "2027-03-28 03:00:00.000 INF prog[4711]: m",
                                                                  "2027-03-28 01:59:59.000 INF prog[4711]: m",
                                                                  "2027-03-28 04:00:00.000 INF prog[4711]: m"});
}

TEST_CASE("file: plain lines, appended, made if need be") {
  const TemporaryFile file;
  {
    const os::Descriptor fd(::open(file.path().c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(::write(fd.get(), "there before\n", 13) == 13);
  }
  const Zone zone("UTC0");
  const std::int64_t time_ns = next_time_ns();
  for (int i = 0; i < 2; ++i) {
    auto opened = sink::open_file(file.path());
    REQUIRE(opened);
    (*opened)->accept(event_of(record("line"), own, time_ns));
    (*opened)->accept(event_of(bar(1, BarState::finished, 10, 10, "Reading"), own, time_ns));
    (*opened)->flush();
  }
  const auto lines = lines_of(file.content());
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "there before");
  CHECK(lines[1].ends_with(" INF prog[4711]: line"));
  CHECK(lines[2].ends_with(" INF prog[4711]: Reading: finished (10/10)"));
  CHECK(lines[3] == lines[1]);

  ::unlink(file.path().c_str());
  auto made = sink::open_file(file.path());
  REQUIRE(made);
  CHECK(::access(file.path().c_str(), F_OK) == 0);
}

TEST_CASE("file: one that cannot be opened says why; one that fails says its path") {
  const auto none = sink::open_file("/nowhere/at/all.log");
  REQUIRE_FALSE(none);
  CHECK(none.reason() == "No such file or directory");
  REQUIRE_FALSE(sink::open_file("/"));

  auto full = sink::open_file("/dev/full");
  REQUIRE(full);
  (*full)->accept(event_of(record("one"), own, next_time_ns()));
  (*full)->settle();
  CHECK((*full)->take_complaint() == "file /dev/full: No space left on device; 1 records not written, more may follow");
}
