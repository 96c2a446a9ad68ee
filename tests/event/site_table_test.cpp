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

TEST_CASE("site table: numbers are given once, and entries keep what they were told") {
  SiteTable table;
  std::set<std::uint32_t> numbers;
  std::vector<const event::SiteEntry*> entries;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    std::atomic<std::uint32_t> id{0};
    std::string format = "site " + std::to_string(i) + " {} {}";
    const std::uint32_t number = table.add(id, {format.data(), format.size(), {"a.cpp", "run", i}, 2}, codes, 2);
    CHECK(number != 0);
    CHECK(id == number);
    CHECK(table.add(id, {"other", 5, {"b.cpp", "go", 1}}, codes, 0) == number);
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

TEST_CASE("site table: a message that is text has no format") {
  SiteTable table;
  std::atomic<std::uint32_t> id{0};
  const std::uint32_t number = table.add(id, {nullptr, 0, {"a.cpp", "run", 1}}, codes + 1, 1);
  CHECK(table.find(number).is_text);
}

TEST_CASE("site table: threads that meet at a site get one number, and all sites are there") {
  SiteTable table;
  constexpr std::size_t sites = 3000;
  std::vector<std::atomic<std::uint32_t>> ids(sites);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < sites; ++i) {
        std::uint32_t number = ids[i].load(std::memory_order_acquire);
        if (number == 0)
          number = table.add(ids[i], {"{}", 2, {"a.cpp", "run", static_cast<std::uint32_t>(i)}}, codes, 1);
        if (number != ids[i] || table.find(number).line != i) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  const std::set<std::uint32_t> numbers(ids.begin(), ids.end());
  CHECK(numbers.size() == sites);
}
