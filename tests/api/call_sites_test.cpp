// Tests of dlog/emit.hpp: every call in the sources of a program is its own, whichever place it stands in and however often it is made.
#include <string>
#include <string_view>
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

namespace {

using namespace dlog::test;

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
    dlog::flush();
    for (const Told& told : sink->collected.told()) {
      std::string line = words_of(told).substr(0, 4) + told.message;
      if (const std::size_t nul = line.find('\0'); nul != std::string::npos) line.replace(nul, 1, "<NUL>");
      say(line);
    }
  });
  CHECK(ended.out == "INF with 7\nINF text\nERR with 7\nERR text\nTRC with 7\nTRC text\nINF in<NUL>side 8\n");
}
