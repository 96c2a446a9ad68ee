// Tests of base/result: a value or a reason, also where the value cannot be copied.
#include "base/result.hpp"

#include <memory>
#include <string>
#include <utility>

#include "support/catch.hpp"

namespace {

using namespace dlog;

Result<std::unique_ptr<int>> made(bool well) {
  if (!well) return Error{"no luck"};
  return std::make_unique<int>(7);
}

TEST_CASE("result: a value can be taken out") {
  auto result = made(true);
  REQUIRE(result);
  CHECK(**result == 7);
  CHECK(*result->get() == 7);
  const std::unique_ptr<int> taken = std::move(*result);
  CHECK(*taken == 7);
}

TEST_CASE("result: a failure has its reason") {
  const auto result = made(false);
  REQUIRE_FALSE(result);
  CHECK(result.reason() == "no luck");
}

TEST_CASE("result: a text is a value, not a reason") {
  const Result<std::string> result = std::string("text");
  REQUIRE(result);
  CHECK(*result == "text");
}

}  // namespace
