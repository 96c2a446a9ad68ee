// Tests of site_table.cpp: each call site has its number, and a plain format is taken apart rightly.
#include "log/event/site_table.hpp"

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace dlog;
using event::Plan;
using event::plan_of;
using event::SiteTable;
using Texts = std::vector<std::string>;

constexpr capture::Code codes[] = {capture::Code::int32, capture::Code::text};

// The texts of a plan; "no plan" where fmt has to do it.
Texts texts(std::string_view format, std::size_t arguments) {
  const Plan plan = plan_of(format, arguments);
  if (!plan.plain) return {"no plan"};
  Texts out;
  std::size_t at = 0;
  for (const std::uint32_t bytes : plan.literal_bytes) {
    out.push_back(plan.literals.substr(at, bytes));
    at += bytes;
  }
  CHECK(at == plan.literals.size());
  return out;
}

const Texts no_plan{"no plan"};

}  // namespace

TEST_CASE("plan: text and plain fields") {
  CHECK(texts("", 0) == Texts{""});
  CHECK(texts("words", 0) == Texts{"words"});
  CHECK(texts("{}", 1) == Texts{"", ""});
  CHECK(texts("a {} b {} c", 2) == Texts{"a ", " b ", " c"});
  CHECK(texts("{0} {1}", 2) == Texts{"", " ", ""});
  CHECK(texts("{{}} {} }}{{{}}}", 2) == Texts{"{} ", " }{", "}"});
}

TEST_CASE("plan: all else is left to fmt") {
  for (const char* format : {"{:}", "{:5}", "{0:x}", "{name}", "{1}", "{:{}}", "{ }", "{0}{0}"})
    CHECK(texts(format, 1) == no_plan);
  CHECK(texts("{1} {0}", 2) == no_plan);
  CHECK(texts("{}", 2) == no_plan);     // the second is not shown
  CHECK(texts("{} {}", 1) == no_plan);  // refused when it is compiled
  CHECK(texts("{0000000000000000000001}", 2) == no_plan);
  for (const char* broken : {"{", "{0", "a {", "{0x}", "} {}"}) CHECK(texts(broken, 1) == no_plan);
}

TEST_CASE("site table: a site has one number, and its entry keeps what it was told") {
  SiteTable table;
  std::set<std::uint32_t> numbers;
  std::vector<const event::SiteEntry*> entries;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    std::string format = "site " + std::to_string(i) + " {} {}";
    const std::uint32_t number = table.number_of({format.data(), format.size(), {"a.cpp", "run", i}, 2}, codes, 2);
    CHECK(number != 0);
    CHECK(table.number_of({format.data(), format.size(), {"a.cpp", "run", i}, 2}, codes, 2) == number);
    format.assign(format.size(), '#');  // it is not read again
    numbers.insert(number);
    entries.push_back(&table.find(number));
  }
  CHECK(numbers.size() == 1000);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const event::SiteEntry& entry = *entries[i];
    CHECK(entry.format == "site " + std::to_string(i) + " {} {}");
    CHECK(entry.file == "a.cpp");
    CHECK(entry.function == "run");
    CHECK(entry.line == i);
    CHECK(entry.codes == std::vector<capture::Code>{capture::Code::int32, capture::Code::text});
    CHECK_FALSE(entry.is_text);
    CHECK(entry.shows_address(1));
    CHECK_FALSE(entry.plan.plain);  // one of them is shown as an address
  }
}

TEST_CASE("site table: whatever differs makes another site") {
  SiteTable table;
  const auto number = [&](const char* format, const char* file, const char* function, std::uint32_t line,
                          std::uint64_t addresses, std::size_t from, std::size_t count) {
    return table.number_of(
        {format, format == nullptr ? 0 : std::string_view(format).size(), {file, function, line}, addresses},
        codes + from, count);
  };
  const std::set<std::uint32_t> numbers{
      number("{}", "a.cpp", "run", 1, 0, 0, 1), number("[]", "a.cpp", "run", 1, 0, 0, 1),
      number("{}", "b.cpp", "run", 1, 0, 0, 1), number("{}", "a.cpp", "go", 1, 0, 0, 1),
      number("{}", "a.cpp", "run", 2, 0, 0, 1), number("{}", "a.cpp", "run", 1, 1, 0, 1),
      number("{}", "a.cpp", "run", 1, 0, 1, 1), number("{}", "a.cpp", "run", 1, 0, 0, 2),
      number("", "a.cpp", "run", 1, 0, 1, 1),   number(nullptr, "a.cpp", "run", 1, 0, 1, 1)};
  CHECK(numbers.size() == 10);
  CHECK(table.find(number(nullptr, "a.cpp", "run", 1, 0, 1, 1)).is_text);
  CHECK_FALSE(table.find(number("", "a.cpp", "run", 1, 0, 1, 1)).is_text);
}

TEST_CASE("site table: threads that meet at a site get one number, and all sites are there") {
  SiteTable table;
  constexpr std::uint32_t sites = 3000;
  std::vector<std::atomic<std::uint32_t>> numbers(sites);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint32_t i = 0; i < sites; ++i) {
        const std::uint32_t number = table.number_of({"{}", 2, {"a.cpp", "run", i}}, codes, 1);
        if (table.find(number).line != i) ++wrong;
        const std::uint32_t before = numbers[i].exchange(number);
        if (before != 0 && before != number) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  const std::set<std::uint32_t> all(numbers.begin(), numbers.end());
  CHECK(all.size() == sites);
}
