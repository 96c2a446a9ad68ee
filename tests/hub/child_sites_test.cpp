// Tests of child_sites.cpp: places by number, and what they may cost.
#include "log/hub/child_sites.hpp"

#include <cstdint>
#include <string>

#include "support/catch.hpp"

namespace {

using dlog::hub::ChildSites;
using dlog::hub::site_bytes_per_connection_max;
using dlog::hub::sites_per_connection_max;

void check(const ChildSites& sites, std::uint32_t number, const std::string& file, const std::string& function,
           std::uint32_t line) {
  CAPTURE(number);
  const ChildSites::Site site = sites.find(number);
  CHECK(site.file == file);
  CHECK(site.function == function);
  CHECK(site.line == line);
}

}  // namespace

TEST_CASE("child sites: what was defined is found, all else is empty") {
  ChildSites sites;
  check(sites, 0, "", "", 0);
  check(sites, 1, "", "", 0);
  CHECK(sites.define(2, {"main.cpp", "int main()", 42}));
  CHECK(sites.define(5, {"", "", 7}));
  check(sites, 2, "main.cpp", "int main()", 42);
  check(sites, 5, "", "", 7);
  for (const std::uint32_t number : {0U, 1U, 3U, 4U, 6U, 0xFFFF'FFFFU}) check(sites, number, "", "", 0);
}

TEST_CASE("child sites: a place that is defined again replaces the first") {
  ChildSites sites;
  CHECK(sites.define(1, {"first.cpp", "f", 1}));
  CHECK(sites.define(1, {"second.cpp", "g", 2}));
  check(sites, 1, "second.cpp", "g", 2);
}

TEST_CASE("child sites: numbers have a bound") {
  ChildSites sites;
  CHECK_FALSE(sites.define(0, {"a", "b", 1}));
  CHECK_FALSE(sites.define(sites_per_connection_max + 1, {"a", "b", 1}));
  CHECK_FALSE(sites.define(0xFFFF'FFFF, {"a", "b", 1}));
  CHECK(sites.define(sites_per_connection_max, {"a", "b", 1}));
  check(sites, sites_per_connection_max, "a", "b", 1);
}

TEST_CASE("child sites: a text is cut between two characters") {
  std::string text = "a";
  while (text.size() < 5000) text += "\u20ac";
  ChildSites sites;
  CHECK(sites.define(1, {text, text, 1}));
  check(sites, 1, text.substr(0, 1024), text.substr(0, 1024), 1);
}

TEST_CASE("child sites: their texts have a bound, and room that is made is used") {
  const std::string text(1024, 'f');
  ChildSites sites;
  std::uint32_t number = 0;
  while (sites.define(number + 1, {text, text, 1})) ++number;
  CHECK(number > site_bytes_per_connection_max / 2200);
  CHECK(sites.bytes() <= site_bytes_per_connection_max);
  check(sites, number + 1, "", "", 0);
  CHECK(sites.define(1, {"f", "", 1}));
  CHECK(sites.define(number + 1, {text, "", 9}));
  CHECK_FALSE(sites.define(number + 2, {"", "", 9}, sites.bytes()));  // others have the rest
  // What had the number is gone though the new one does not fit: it would be a wrong place.
  CHECK_FALSE(sites.define(1, {text, text, 1}));
  check(sites, 1, "", "", 0);
}
