// Tests of log.cpp through the logging functions, each in a process of its own: levels, words, cuts, errors.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <ctime>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "dlog/dlog.hpp"
#include "dlog/macros.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/collecting.hpp"
#include "support/descriptors.hpp"
#include "support/program.hpp"

namespace {

using namespace dlog::test;

// Formatted by the caller: fmt knows it by its formatter only.
struct Noisy {
  int value = 0;
};
struct Failing {};
enum class Number { seven = 7 };
int format_as(Number number) { return static_cast<int>(number); }

std::uint64_t formatted_by = 0;

}  // namespace

template <>
struct fmt::formatter<Noisy> : fmt::formatter<int> {
  auto format(const Noisy& noisy, fmt::format_context& context) const {
    formatted_by = dlog::os::thread_id();
    dlog::debug("inside the formatter of {}", noisy.value);
    return fmt::formatter<int>::format(noisy.value, context);
  }
};
template <>
struct fmt::formatter<Failing> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(const Failing&, fmt::format_context& context) const -> decltype(context.out()) {
    throw std::runtime_error("it does not know");
  }
};

TEST_CASE("log: every level, in order") {
  const Ended ended = run_program({}, [] {
    dlog::trace("a {}", 1);
    dlog::debug("b {}", 2);
    dlog::info("c {}", 3);
    dlog::warn("d {}", 4);
    dlog::error("e {}", 5);
    dlog::fatal("f {}", 6);
    dlog::log(dlog::Level::warn, "g {}% full", 7);
    dlog::log(static_cast<dlog::Level>(200), "above all");
    dlog::log(dlog::Level::off, "never");
  });
  CHECK(console_of(well(ended)) == Words{"TRC prog: a 1", "DBG prog: b 2", "INF prog: c 3", "WRN prog: d 4",
                                         "ERR prog: e 5", "FTL prog: f 6", "WRN prog: g 7% full",
                                         "FTL prog: above all"});
  CHECK(ended.out == "");
}

TEST_CASE("log: the level is the environment's, then the program's") {
  const auto log_all = [] {
    dlog::debug("debug");
    dlog::warn("warn");
    dlog::fatal("fatal");
    dlog::log(dlog::Level::off, "off");
  };
  CHECK(console_of(well(run_program({{"DLOG_LEVEL", "WARN"}}, log_all))) == Words{"WRN prog: warn", "FTL prog: fatal"});
  CHECK(console_of(well(run_program({{"DLOG_LEVEL", "off"}}, log_all))).empty());
  const Ended changed = run_program({{"DLOG_LEVEL", "fatal"}}, [&] {
    log_all();
    dlog::set_level(dlog::Level::debug);
    log_all();
    dlog::set_level(dlog::Level::off);
    log_all();
    say(fmt::format("{}", static_cast<int>(dlog::level())));
  });
  CHECK(console_of(well(changed)) == Words{"FTL prog: fatal", "DBG prog: debug", "WRN prog: warn", "FTL prog: fatal"});
  CHECK(changed.out == "6\n");
}

TEST_CASE("log: text alone is text, a literal is a format") {
  const Ended ended = run_program({}, [] {
    const std::string braces = "{} {x} {{";
    dlog::info(braces);
    dlog::info(std::string_view(braces));
    dlog::log(dlog::Level::error, braces);
    dlog::info(std::string("with ") + "a temporary {}");
    dlog::info("{{}} are braces");
    dlog::info("{}", braces);
    dlog::info("");
    dlog::info(std::string());
  });
  CHECK(console_of(well(ended)) == Words{"INF prog: {} {x} {{", "INF prog: {} {x} {{", "ERR prog: {} {x} {{",
                                         "INF prog: with a temporary {}", "INF prog: {} are braces",
                                         "INF prog: {} {x} {{", "INF prog: ", "INF prog: "});
}

TEST_CASE("log: arguments of every kind") {
  const Ended ended = run_program({}, [] {
    const char unterminated[3] = {'a', 'b', 'c'};
    const char* nothing = nullptr;
    dlog::info("{} {} {} {}", true, 'x', std::int8_t{-8}, std::uint16_t{65'535});
    dlog::info("{} {} {}", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::uint64_t>::max(), 1.5F);
    dlog::info("{:.2f} {:>5}|{:<5}|{:#x}", 3.14159, 7, "ab", 255);
    dlog::info("{} {} {}", unterminated, nothing, std::string_view("a\0b", 3));
    dlog::info("{:02}", Number::seven);
    dlog::info("{} {}", fmt::ptr(static_cast<const void*>(nullptr)), nullptr);
    dlog::info("{1} {0} {name}", 1, 2, fmt::arg("name", 3));
  });
  CHECK(console_of(well(ended)) == Words{"INF prog: true x -8 65535",
                                         "INF prog: -9223372036854775808 18446744073709551615 1.5",
                                         "INF prog: 3.14     7|ab   |0xff", "INF prog: abc (null) a\\x00b",
                                         "INF prog: 07", "INF prog: 0x0 0x0", "INF prog: 2 1 3"});
}

TEST_CASE("log: characters are shown as text or as their address, as the format says for each") {
  const Ended ended = run_program({}, [] {
    // In memory of its own, with nothing behind it.
    const auto tight = std::make_unique<char[][3]>(1);
    std::memcpy(tight[0], "abc", 3);
    char* nothing = nullptr;
    const char* text = "text";
    const void* address = text;
    dlog::info("{{map}} {}", tight[0]);
    dlog::info("{} {:p} {}", tight[0], address, nothing);
    dlog::info("{} {:p} {:>9p} {}", tight[0], nothing, nothing, text);
    dlog::info("{0:p} {0} {1}", text, fmt::format("{}", address));
    dlog::info("{} {} {}", Noisy{7}, tight[0], nothing);
    dlog::info("{} {:p}", Noisy{7}, nothing);
    dlog::info("{} {:p} {} {} {:p}", Noisy{7}, address, tight[0], nothing, nothing);
    const std::tm time{};
    dlog::info("{:%I:%M %p} {}", time, tight[0]);
  });
  const Words words = console_of(well(ended));
  REQUIRE(words.size() == 11);
  CHECK(words[0] == "INF prog: {map} abc");
  CHECK(words[1].starts_with("INF prog: abc 0x"));
  CHECK(words[1].ends_with(" (null)"));
  CHECK(words[2] == "INF prog: abc 0x0       0x0 text");
  CHECK(words[3].starts_with("INF prog: 0x"));
  CHECK(words[5] == "INF prog: 7 abc (null)");
  CHECK(words[7] == "INF prog: 7 0x0");
  CHECK(words[9].starts_with("INF prog: 7 0x"));
  CHECK(words[9].ends_with(" abc (null) 0x0"));
  CHECK(words[10] == "INF prog: 12:00 AM abc");
}

TEST_CASE("log: arguments that change as they are formatted") {
  const Ended ended = run_program({}, [] {
    struct Counting {
      int count = 0;
      int* begin() { return &count; }
      int* end() { return &count + 1; }
    };
    Counting counting;
    dlog::info("{}", fmt::join(counting, ", "));
    const int fixed = 1;
    dlog::info("{} {}", fixed, fmt::join(std::vector<int>{1, 2}, ";"));
  });
  CHECK(console_of(well(ended)) == Words{"INF prog: 0", "INF prog: 1 1;2"});
}

TEST_CASE("log: no argument is read after the call") {
  const Ended ended = run_program({}, [] {
    std::string text = "first";
    char bytes[] = "bytes";
    for (int i = 0; i < 500; ++i) {
      dlog::info("{} {}", text, static_cast<const char*>(bytes));
      dlog::info(text);
      text.assign("spoilt");
      std::memset(bytes, '#', 5);
      text.assign("first");
      std::memcpy(bytes, "bytes", 5);
    }
    text.assign("spoilt");
    std::memset(bytes, '#', 5);
  });
  const Words words = console_of(well(ended));
  REQUIRE(words.size() == 1000);
  for (std::size_t i = 0; i < words.size(); i += 2) {
    REQUIRE(words[i] == "INF prog: first bytes");
    REQUIRE(words[i + 1] == "INF prog: first");
  }
}

TEST_CASE("log: a type of the program's is formatted by the caller, at once, and may log itself") {
  const Ended ended = run_program({}, [] {
    dlog::info("value {:03}", Noisy{7});
    say(formatted_by == dlog::os::thread_id() ? "by the caller" : "by another");
    const std::vector<int> sizes{1, 2};
    dlog::info("{} and {}", fmt::join(sizes, "+"), "text");
  });
  CHECK(console_of(well(ended)) ==
        Words{"DBG prog: inside the formatter of 7", "INF prog: value 007", "INF prog: 1+2 and text"});
  CHECK(ended.out == "by the caller\n");
}

TEST_CASE("log: a format error at run time shows the raw format and the reason") {
  const Ended ended = run_program({}, [] {
    dlog::info("width {:{}}!", 1, -5);
    dlog::warn("failing {}!", Failing{});
    dlog::info("after");
  });
  const Words words = console_of(well(ended));
  REQUIRE(words.size() == 3);
  CHECK(words[0].starts_with("INF prog: width {:{}}! [format error: "));
  CHECK(words[1] == "WRN prog: failing {}! [format error: it does not know]");
  CHECK(words[2] == "INF prog: after");
}

TEST_CASE("log: a message longer than a mebibyte is cut, visibly") {
  const Ended ended = run_program({}, [] {
    constexpr std::size_t mebibyte = std::size_t{1} << 20;
    const std::string fits(mebibyte, 'f');
    const std::string longer(2 * mebibyte, 'x');
    dlog::info(fits);
    dlog::info("{}", fits);
    dlog::info(longer);
    dlog::info("{}", longer);
    dlog::info("{}{}", longer, longer);
    dlog::info("{:>1200000}", 1);
    dlog::info("{} {}", Noisy{1}, longer);
  });
  const Words words = console_of(well(ended));
  REQUIRE(words.size() == 8);
  const std::string mark = " [cut: longer than 1 MiB]";
  const std::size_t head = std::string("INF prog: ").size();
  for (std::size_t i = 0; i < words.size(); ++i) {
    INFO("record " << i << " has " << words[i].size() << " bytes");
    if (i < 2) CHECK(words[i].size() == head + (std::size_t{1} << 20));
    if (i >= 2 && i != 6) CHECK(words[i].size() == head + (std::size_t{1} << 20) + mark.size());
    if (i >= 2 && i != 6) CHECK(words[i].ends_with(mark));
  }
}

TEST_CASE("log: where a call stands is known without a macro") {
  const Ended ended = run_program({}, [] {
    const auto sink = std::make_shared<CollectingSink>();
    dlog::add_sink(sink);
    const std::uint32_t line = __LINE__;
    dlog::info("format");
    dlog::warn(std::string("text"));
    DLOG_ERROR("macro {}", 1);
    std::uint64_t other_thread = 0;
    std::thread([&] {
      other_thread = dlog::os::thread_id();
      dlog::info("from another thread");
    }).join();
    dlog::flush();
    const auto told = sink->collected.told();
    for (std::size_t i = 0; i < told.size(); ++i) {
      const std::string file = told[i].file.substr(told[i].file.rfind('/') + 1);
      const bool here = told[i].thread == (i == 3 ? other_thread : dlog::os::thread_id());
      say(fmt::format("{} +{} {} {}", file, told[i].line - line, told[i].function.empty() ? "nowhere" : "in a function",
                      here ? "by its thread" : "by another"));
    }
  });
  CHECK(well(ended).out ==
        "log_test.cpp +1 in a function by its thread\nlog_test.cpp +2 in a function by its thread\n"
        "log_test.cpp +3 in a function by its thread\nlog_test.cpp +7 in a function by its thread\n");
}

TEST_CASE("log: macros do not evaluate their arguments when the level is off") {
  const Ended ended = run_program({{"DLOG_LEVEL", "warn"}}, [] {
    int evaluated = 0;
    DLOG_DEBUG("{}", ++evaluated);
    DLOG_INFO("{}", ++evaluated);
    DLOG_WARN("{}", ++evaluated);
    if (evaluated == 1) DLOG_ERROR("as a statement");
    else DLOG_FATAL("never");
    dlog::debug("{}", ++evaluated);
    say(fmt::format("{}", evaluated));
  });
  CHECK(console_of(well(ended)) == Words{"WRN prog: 1", "ERR prog: as a statement"});
  CHECK(ended.out == "2\n");
}

TEST_CASE("log: hostile text is escaped on the console") {
  const Ended ended = run_program({}, [] {
    dlog::info("{}", "\x1b[2J\x07\r\n2026-11-21 04:16:40.727 FTL bank[1]: forged\xff");
    dlog::info("tail");
  });
  CHECK(ended.err.find_first_of("\x1b\x07\r\xff") == std::string::npos);
  const Words words = console_of(well(ended));
  REQUIRE(words.size() == 3);
  CHECK(words[0] == "INF prog: \\x1b[2J\\x07");
  CHECK(words[1].starts_with("    2026-11-21"));
}
