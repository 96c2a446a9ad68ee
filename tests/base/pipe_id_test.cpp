// Tests of pipe_id.cpp: one way to write an id, and nothing else is one.
#include "base/pipe_id.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace dlog;

const std::string token = "00112233445566778899aabbccddeeff";

}  // namespace

TEST_CASE("pipe id: what is written is read again") {
  const PipeId ids[] = {{4711, 815, 42, token},
                        {1, 1, 0, token},
                        {65'535, std::numeric_limits<std::uint32_t>::max(), std::numeric_limits<std::uint64_t>::max(),
                         std::string(32, 'f')}};
  CHECK(format_pipe_id(ids[0]) == "4711:815:42:00112233445566778899aabbccddeeff");
  CHECK(format_pipe_id(ids[2]) == "65535:4294967295:18446744073709551615:ffffffffffffffffffffffffffffffff");
  for (const PipeId& id : ids) {
    const auto again = parse_pipe_id(format_pipe_id(id));
    REQUIRE(again);
    CHECK((*again == id));
  }
}

TEST_CASE("pipe id: a token is 32 hex digits") {
  CHECK(token_of(0x0011223344556677, 0x8899aabbccddeeff) == token);
  CHECK(token_of(0, 0) == std::string(32, '0'));
  CHECK(token_of(0, 1) == std::string(31, '0') + "1");
  CHECK(token_of(std::numeric_limits<std::uint64_t>::max(), 0) == std::string(16, 'f') + std::string(16, '0'));
}

TEST_CASE("pipe id: what is malformed is none") {
  const std::string good = "4711:815:42:" + token;
  REQUIRE(parse_pipe_id(good));
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    CAPTURE(cut);
    CHECK_FALSE(parse_pipe_id(std::string_view(good).substr(0, cut)));
  }
  for (const std::string& text : {good + "0",
                                  good + ":",
                                  good + "\n",
                                  " " + good,
                                  "0:815:42:" + token,
                                  "4711:0:42:" + token,
                                  "65536:815:42:" + token,
                                  "4711:4294967296:42:" + token,
                                  "4711:815:18446744073709551616:" + token,
                                  "+4711:815:42:" + token,
                                  "-1:815:42:" + token,
                                  "04711:815:42:" + token,
                                  "4711:815::" + token,
                                  "4711:815:x:" + token,
                                  "4711:815:42:" + std::string(32, 'g'),
                                  "4711:815:42:" + std::string(32, 'F'),
                                  "4711:815:42:" + token.substr(1) + '\0',
                                  "127.0.0.1:4711:815:42:" + token,
                                  std::string("nonsense"),
                                  std::string(5000, '1')}) {
    CAPTURE(text);
    CHECK_FALSE(parse_pipe_id(text));
  }
}
