// Tests of bar_line.cpp: the row of a bar, the line it leaves behind, and its sentences.
#include "log/render/bar_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/utf8.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using render::bar_end_row;
using render::bar_row;
using render::bar_sentence;
using render::percent;

constexpr auto most = std::numeric_limits<std::uint64_t>::max();

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(utf8::first(text).bytes);
  return count;
}

std::string amount(std::uint64_t value, std::uint64_t total, Unit unit) {
  Bar some = running(1, value, total, "");
  some.unit = unit;
  return render::amount(some);
}

// The part between the brackets.
std::string picture(const std::string& row) {
  const std::size_t open = row.find('[');
  return row.substr(open + 1, row.find(']', open) - open - 1);
}

}  // namespace

TEST_CASE("bar: percent is rounded down, exactly") {
  std::string wrong;
  for (std::uint64_t total = 1; total <= 1000; ++total) {
    for (std::uint64_t value = 0; value <= total; ++value) {
      const auto exact = static_cast<int>(value * 100 / total);
      if (percent(value, total) != exact && wrong.size() < 200) {
        wrong += fmt::format("{}/{} is {} and not {}; ", value, total, exact, percent(value, total));
      }
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("bar: percent at the ends") {
  CHECK(percent(0, 0) == 0);
  CHECK(percent(5, 0) == 0);
  CHECK(percent(0, 1) == 0);
  CHECK(percent(1, 1) == 100);
  CHECK(percent(7, 1) == 100);
  CHECK(percent(999'999, 1'000'000) == 99);
  CHECK(percent(most - 1, most) == 99);
  CHECK(percent(most, most) == 100);
  CHECK(percent(most, 1) == 100);
  CHECK(percent(1, most) == 0);
  CHECK(percent(most / 2, most) == 49);
  CHECK(percent(most / 2 + 1, most) == 50);
}

TEST_CASE("bar: amounts and their units") {
  CHECK(amount(42, 100, Unit::items) == "42/100");
  CHECK(amount(42, 0, Unit::items) == "42");
  CHECK(amount(most, most, Unit::items) == "18446744073709551615/18446744073709551615");
  CHECK(amount(0, 999, Unit::bytes) == "0 B/999 B");
  CHECK(amount(1000, 1'500'000, Unit::bytes) == "1.0 kB/1.5 MB");
  CHECK(amount(1024, 1'500'000, Unit::bytes_iec) == "1.0 KiB/1.4 MiB");
  CHECK(amount(1023, 0, Unit::bytes_iec) == "1023 B");
  CHECK(amount(most, 0, Unit::bytes) == "18.4 EB");
  CHECK(amount(most, 0, Unit::bytes_iec) == "16.0 EiB");
  CHECK(amount(1'000'000'000'000, 2'000'000'000'000'000, Unit::bytes) == "1.0 TB/2.0 PB");
  CHECK(amount(90, 3600, Unit::seconds) == "90 s/3600 s");
  CHECK(amount(90, 0, Unit::seconds) == "90 s");
}

TEST_CASE("bar: an amount just below a unit is not a thousand of the one below") {
  CHECK(amount(999'999, 0, Unit::bytes) == "1.0 MB");
  CHECK(amount(1'048'575, 0, Unit::bytes_iec) == "1.0 MiB");
}

TEST_CASE("bar: whole rows") {
  Bar loading = running(1, 42, 100, "Downloading");
  CHECK(bar_row(loading, "", 80, 0) == "Downloading [################------------------------]  42% 42/100");
  CHECK(bar_row(loading, "copy[4711]", 80, 0) ==
        "copy[4711] Downloading [################------------------------]  42% 42/100");
  loading.message = "part 3 of 7";
  CHECK(bar_row(loading, "", 80, 0) ==
        "Downloading [################------------------------]  42% 42/100 part 3 of 7");
  CHECK(bar_row(loading, "", 60, 0) == "Downloading [########-------------]  42% 42/100 part 3 of 7");
  CHECK(bar_row(loading, "", 40, 0) == "Downloading [####------]  42% 42/100 pa");
  CHECK(bar_row(loading, "", 20, 0) == "Downloadi [####----");

  CHECK(bar_row(running(1, 0, 10, "a"), "", 60, 0) == "a [----------------------------------------]   0% 0/10");
  CHECK(bar_row(running(1, 10, 10, "a"), "", 60, 0) == "a [########################################] 100% 10/10");
  CHECK(bar_row(running(1, 30, 10, "a"), "", 60, 0) == "a [########################################] 100% 30/10");
  CHECK(bar_row(running(1, 0, 10, ""), "", 25, 0) == " [-----------]   0% 0/10");
}

TEST_CASE("bar: the picture takes the room there is") {
  // 79 columns, of which the description, the amounts and the brackets leave less than the widest picture.
  const std::string row = bar_row(running(1, 1, 2, std::string(30, 'd')), "", 80, 0);
  CHECK(row == std::string(30, 'd') + " [##################-------------------]  50% 1/2");
  CHECK(row.size() == 79);
  // A description takes half of the row at most, so that the amounts are seen.
  CHECK(bar_row(running(1, 1, 2, std::string(300, 'd')), "", 80, 0) ==
        std::string(39, 'd') + " [##############--------------]  50% 1/2");
}

TEST_CASE("bar: a picture is full only at the total") {
  for (const std::uint64_t total : {std::uint64_t{1000}, std::uint64_t{1} << 53, std::uint64_t{1} << 60, most}) {
    const std::string almost = bar_row(running(1, total - 1, total, "a"), "", 100, 0);
    INFO(almost);
    CHECK(picture(almost).ends_with('-'));
    CHECK(almost.find(" 99% ") != std::string::npos);
    CHECK(picture(bar_row(running(1, total, total, "a"), "", 100, 0)).find('-') == std::string::npos);
  }
}

TEST_CASE("bar: an unknown total is a mark that runs to and fro") {
  const Bar spinner = running(1, 17, 0, "Scanning");
  CHECK(bar_row(spinner, "", 60, 0) == "Scanning [###-------------------------------------] 17");
  CHECK(bar_row(spinner, "", 60, 1) == "Scanning [-###------------------------------------] 17");
  CHECK(bar_row(spinner, "", 60, 37) == "Scanning [-------------------------------------###] 17");
  CHECK(bar_row(spinner, "", 60, 38) == "Scanning [------------------------------------###-] 17");
  CHECK(bar_row(spinner, "", 60, 74) == bar_row(spinner, "", 60, 0));
  for (std::uint64_t tick = 0; tick < 200; ++tick) {
    const std::string marks = picture(bar_row(spinner, "", 60, tick));
    REQUIRE(marks.size() == 40);
    REQUIRE(std::count(marks.begin(), marks.end(), '#') == 3);
    REQUIRE(marks.find("###") != std::string::npos);
  }
  CHECK(bar_row(spinner, "", 60, most).size() == bar_row(spinner, "", 60, 0).size());
}

TEST_CASE("bar: no row is wider than the columns less one") {
  const std::string long_description(300, 'x');
  const std::string long_message = std::string(300, 'm') + "\r\n\x1b";
  std::vector<Bar> bars{running(1, 42, 100, "Downloading"),
                        running(2, most, most, ""),
                        running(3, 5, 0, "Scanning"),
                        running(4, 1, 3, long_description),
                        running(5, 1, 3, "ünïcödé 漢字漢字漢字 \xf0\x9f\x98\x80"),
                        running(6, 1, 3, "\x1b[2J\n\xff\xe2\x80\xae")};
  bars.push_back(running(7, most - 1, most, "long words"));
  bars.back().message = long_message;
  bars.back().unit = Unit::bytes_iec;
  std::string wrong;
  const auto look = [&](const std::string& row, std::size_t columns, const Bar& each) {
    const bool controls =
        std::any_of(row.begin(), row.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (characters(row) <= columns - 1 && utf8::valid(row) && !controls) return;
    if (wrong.size() < 300) wrong += fmt::format("columns {}, bar {}: \"{}\"; ", columns, each.id, row);
  };
  for (std::size_t columns = 1; columns <= 200; ++columns) {
    for (Bar each : bars) {
      for (const char* source : {"", "worker[4294967295]"}) {
        each.state = BarState::running;
        look(bar_row(each, source, columns, columns), columns, each);
        for (const BarState state : {BarState::finished, BarState::failed, BarState::abandoned, BarState::orphaned}) {
          each.state = state;
          look(bar_end_row(each, source, columns, false), columns, each);
        }
      }
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("bar: the row of an ended bar names its state") {
  const auto ended = [](BarState state, std::uint64_t value) { return bar(1, state, value, 10, "a"); };
  CHECK(bar_end_row(ended(BarState::finished, 10), "", 70, false) ==
        "a [########################################] 100% 10/10 finished");
  CHECK(bar_end_row(ended(BarState::abandoned, 5), "", 70, false) ==
        "a [####################--------------------]  50% 5/10 abandoned");
  CHECK(bar_end_row(ended(BarState::orphaned, 5), "w[7]", 70, false) ==
        "w[7] a [####################--------------------]  50% 5/10 orphaned");
  Bar failed = ended(BarState::failed, 5);
  failed.message = "404";
  CHECK(bar_end_row(failed, "", 80, false) == "a [####################--------------------]  50% 5/10 failed 404");
  CHECK(bar_end_row(bar(1, BarState::finished, 17, 0, "a"), "", 70, false) ==
        "a [----------------------------------------] 17 finished");
}

TEST_CASE("bar: the row of an ended bar is coloured as a whole") {
  const auto ended = [](BarState state) { return bar_end_row(bar(1, state, 5, 10, "a"), "", 25, true); };
  CHECK(ended(BarState::finished) == "\x1b[32ma [#####-----]  50% 5/10\x1b[0m");
  CHECK(ended(BarState::failed) == "\x1b[31ma [#####-----]  50% 5/10\x1b[0m");
  CHECK(ended(BarState::abandoned) == "\x1b[33ma [#####-----]  50% 5/10\x1b[0m");
  CHECK(ended(BarState::orphaned) == "\x1b[33ma [#####-----]  50% 5/10\x1b[0m");
}

TEST_CASE("bar: hostile descriptions are shown escaped") {
  CHECK(bar_row(running(1, 1, 2, "a\nb\x1b[2J"), "", 60, 0).starts_with("a\\nb\\x1b[2J ["));
  Bar loud = running(1, 1, 2, "a");
  loud.message = "x\ry\xc2\x9b";
  CHECK(bar_row(loud, "", 80, 0).ends_with(" 1/2 x\\ry\\u009b"));
  CHECK(bar_sentence(loud) == "a: 50% (1/2): x\\ry\\u009b");
}

TEST_CASE("bar: sentences") {
  Bar some = running(1, 0, 100, "Downloading");
  some.created = true;
  CHECK(bar_sentence(some) == "Downloading: started (0/100)");
  some.created = false;
  some.value = 42;
  CHECK(bar_sentence(some) == "Downloading: 42% (42/100)");
  some.message = "part 3";
  CHECK(bar_sentence(some) == "Downloading: 42% (42/100): part 3");
  some.message = "404";
  some.state = BarState::failed;
  CHECK(bar_sentence(some) == "Downloading: failed at 42/100: 404");
  some.message = {};
  some.state = BarState::abandoned;
  CHECK(bar_sentence(some) == "Downloading: abandoned at 42/100");
  some.state = BarState::orphaned;
  CHECK(bar_sentence(some) == "Downloading: orphaned at 42/100");
  some.state = BarState::finished;
  some.value = 100;
  CHECK(bar_sentence(some) == "Downloading: finished (100/100)");

  Bar spinner = running(1, 17, 0, "Scanning");
  CHECK(bar_sentence(spinner) == "Scanning: 17");
  spinner.created = true;
  CHECK(bar_sentence(spinner) == "Scanning: started (17)");
  spinner.unit = Unit::bytes;
  spinner.created = false;
  CHECK(bar_sentence(spinner) == "Scanning: 17 B");
}

TEST_CASE("bar: state names and the level of an end") {
  const BarState states[] = {BarState::running,   BarState::finished, BarState::failed,
                             BarState::abandoned, BarState::orphaned, BarState::cleared};
  const char* names[] = {"running", "finished", "failed", "abandoned", "orphaned", "cleared"};
  const Level levels[] = {Level::info, Level::info, Level::error, Level::warn, Level::warn, Level::info};
  for (std::size_t i = 0; i < std::size(states); ++i) {
    CHECK(render::state_name(states[i]) == names[i]);
    CHECK(render::bar_level(states[i]) == levels[i]);
  }
}
