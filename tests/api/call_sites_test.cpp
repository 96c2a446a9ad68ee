// Tests of dlog/emit.hpp: every call in the sources of a program is its own, whichever place it stands in and however often it is made.
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "dlog/dlog.hpp"
#include "support/call_sites.hpp"
#include "support/catch.hpp"
#include "support/collecting.hpp"
#include "support/program.hpp"

namespace dlog::test {

void log_in_the_first_source() {
  dlog::info("a first {}", 1);
  dlog::info("a second {}", 2);
  dlog::warn("a third {}", 3);
  [] { dlog::info("a lambda"); }();
  log_everywhere();
}

}  // namespace dlog::test

struct Shown {
  int value;
};
template <>
struct fmt::formatter<Shown> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(const Shown& shown, fmt::format_context& context) const {
    return fmt::format_to(context.out(), "<{}>", shown.value);
  }
};

namespace {

using namespace dlog::test;

// What programs write around a logger.
struct Wrapped {
  template <class... Args>
  void note(dlog::format_string<Args...> format, Args&&... args) const {
    dlog::info(format, std::forward<Args>(args)...);
  }
};

std::vector<std::string> expected() {
  std::vector<std::string> out;
  const auto add = [&](std::string_view name) {
    for (const char* words : {"INF * first 1", "INF * second 2", "WRN * third 3", "INF * lambda"}) {
      std::string line = words;
      out.push_back(line.replace(line.find('*'), 1, name));
    }
    out.insert(out.end(), std::begin(said_everywhere), std::end(said_everywhere));
  };
  add("a");
  add("b");
  return out;
}

}  // namespace

TEST_CASE("call sites: none is taken for another, in two sources, each called again") {
  const Ended ended = run_program({}, [] {
    const auto sink = std::make_shared<CollectingSink>();
    dlog::add_sink(sink);
    for (int round = 0; round < 3; ++round) {
      log_in_the_first_source();
      log_in_another_source();
    }
    dlog::flush();
    std::vector<std::string> all;
    for (int round = 0; round < 3; ++round) {
      const std::vector<std::string> one = expected();
      all.insert(all.end(), one.begin(), one.end());
    }
    std::size_t at = 0;
    for (const Told& told : sink->collected.told()) {
      const std::string line = words_of(told).substr(0, 4) + told.message;
      if (at == all.size() || line != all[at]) say(line + " instead of " + (at < all.size() ? all[at] : "nothing"));
      ++at;
    }
    say(at == all.size() ? "all" : "not all");
  });
  CHECK(ended.out == "all\n");
}

TEST_CASE("call sites: a function that is handed formats shows each as it is, with its own place") {
  const Ended ended = run_program({}, [] {
    const auto sink = std::make_shared<CollectingSink>();
    dlog::add_sink(sink);
    const Wrapped log;
    std::vector<std::uint32_t> lines;
    for (int round = 0; round < 3; ++round) {
      log.note("one {}", 1), lines.push_back(__LINE__);
      log.note("two {} apples", 2), lines.push_back(__LINE__);
      log.note("three"), lines.push_back(__LINE__);
      log.note("three"), lines.push_back(__LINE__);
      log.note("for {} and {}", "you", Shown{4}), lines.push_back(__LINE__);
      log.note("not {:p}", nullptr), lines.push_back(__LINE__);
      dlog::info(round % 2 == 0 ? dlog::format_string<int>("even {}") : dlog::format_string<int>("odd {}"), 5);
      lines.push_back(__LINE__ - 1);
    }
    std::vector<std::thread> threads;  // and from several threads at once
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 1000; ++i) {
          if ((i + t) % 2 == 0) log.note("left {}", 0);
          else log.note("right {}", 1);
        }
      });
    for (std::thread& thread : threads) thread.join();
    dlog::flush();
    const std::vector<Told> all = sink->collected.told();
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool in_place = all[i].line == lines[i] && std::string_view(all[i].file).ends_with("call_sites_test.cpp");
      say(all[i].message + (in_place ? "" : " in another place"));
    }
    int wrong = 0;
    for (std::size_t i = lines.size(); i < all.size(); ++i)
      wrong += all[i].message == "left 0" || all[i].message == "right 1" ? 0 : 1;
    say(std::to_string(all.size() - lines.size()) + " " + std::to_string(wrong));
  });
  std::string expected;
  for (const char* odd : {"even 5", "odd 5", "even 5"})
    expected += std::string("one 1\ntwo 2 apples\nthree\nthree\nfor you and <4>\nnot 0x0\n") + odd + "\n";
  CHECK(ended.out == expected + "3000 0\n");
}

TEST_CASE("call sites: a call made with two levels, and one with a format that has a NUL inside") {
  const Ended ended = run_program({}, [] {
    const auto sink = std::make_shared<CollectingSink>();
    dlog::add_sink(sink);
    for (const dlog::Level level : {dlog::Level::info, dlog::Level::error, dlog::Level::off, dlog::Level::trace}) {
      dlog::log(level, "with {}", 7);
      dlog::log(level, std::string("text"));
    }
    using namespace std::string_view_literals;
    dlog::info("in\0side {}"sv, 8);
    dlog::info("a literal ends there\0 {}", 9);
    dlog::flush();
    for (const Told& told : sink->collected.told()) {
      std::string line = words_of(told).substr(0, 4) + told.message;
      if (const std::size_t nul = line.find('\0'); nul != std::string::npos) line.replace(nul, 1, "<NUL>");
      say(line);
    }
  });
  CHECK(ended.out ==
        "INF with 7\nINF text\nERR with 7\nERR text\nTRC with 7\nTRC text\nINF in<NUL>side 8\n"
        "INF a literal ends there\n");
}

TEST_CASE("call sites: a format may be any constant text") {
  const Ended ended = run_program({}, [] {
    const auto sink = std::make_shared<CollectingSink>();
    dlog::add_sink(sink);
    static constexpr char array[] = "an array {}";
    static constexpr char roomy[40] = "a roomy array {}";
    constexpr const char* pointer = "a pointer {}";
    constexpr std::string_view view = "a view {}";
    constexpr std::string_view part = std::string_view("a part {}{}{").substr(0, 9);
    const std::uint32_t line = __LINE__;
    for (int i = 0; i < 2; ++i) {
      dlog::info(array, i);
      dlog::info(roomy, i);
      dlog::info(pointer, i);
      dlog::info(view, i);
      dlog::info(part, i);
      dlog::log(dlog::Level::warn, array, i);
      dlog::log(dlog::Level::warn, part, i);
      dlog::info(pointer, "text");
      dlog::info({"in braces {}"}, i);
    }
    dlog::flush();
    for (const Told& told : sink->collected.told()) {
      say(words_of(told).substr(0, 4) + told.message + " " + std::to_string(told.line - line));
    }
  });
  std::string expected;
  for (const char* i : {"0", "1"}) {
    const auto add = [&](const std::string& text, const char* line, const char* value) {
      expected += text + " " + value + " " + line + "\n";
    };
    add("INF an array", "2", i);
    add("INF a roomy array", "3", i);
    add("INF a pointer", "4", i);
    add("INF a view", "5", i);
    add("INF a part", "6", i);
    add("WRN an array", "7", i);
    add("WRN a part", "8", i);
    add("INF a pointer", "9", "text");
    add("INF in braces", "10", i);
  }
  CHECK(ended.out == expected);
}

namespace {

inline constexpr std::string_view of_any_type = "given {}";

template <class... Args>
void log_each(const Args&... args) {
  (dlog::info(of_any_type, args), ...);
  (dlog::info("literal {}", args), ...);
}

template <class... Args>
void log_handed(dlog::format_string<Args...> format, Args&&... args) {
  dlog::info(format, std::forward<Args>(args)...);
}

#define DLOG_TEST_TWICE(first, second) \
  log_handed("macro {}", first);       \
  log_handed("macro {}", second)

}  // namespace

TEST_CASE("call sites: one place may log values of several types") {
  const Ended ended = run_program({}, [] {
    const auto sink = std::make_shared<CollectingSink>();
    dlog::add_sink(sink);
    for (int i = 0; i < 2; ++i) {
      log_each(1, 2.5, 7LL, "characters");
      log_each(std::string("text"), 0x7fffffff, 3.25, nullptr);
      DLOG_TEST_TWICE(1, 2.5);
      DLOG_TEST_TWICE(std::string("text"), 7);
    }
    dlog::flush();
    for (const Told& told : sink->collected.told()) say(told.message);
  });
  std::string expected;
  for (int i = 0; i < 2; ++i) {
    for (const char* word : {"given ", "literal "})
      for (const char* value : {"1", "2.5", "7", "characters"}) expected += std::string(word) + value + "\n";
    for (const char* word : {"given ", "literal "})
      for (const char* value : {"text", "2147483647", "3.25", "0x0"}) expected += std::string(word) + value + "\n";
    expected += "macro 1\nmacro 2.5\nmacro text\nmacro 7\n";
  }
  CHECK(ended.code == 0);
  CHECK(ended.out == expected);
}
