// Tests of channel/names: each code and each kind has a name of its own.
#include <set>
#include <string>

#include "dlog/channel.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;

TEST_CASE("names: of errors") {
  CHECK(to_string(ErrorCode::no_channel) == std::string("no_channel"));
  CHECK(to_string(ErrorCode::refused) == std::string("refused"));
  std::set<std::string> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::refused); ++code) names.insert(to_string(ErrorCode(code)));
  CHECK(names.size() == static_cast<std::size_t>(ErrorCode::refused) + 1);
  CHECK(names.count("unknown") == 0);
  CHECK(to_string(ErrorCode(4711)) == std::string("unknown"));
}

TEST_CASE("names: of handles") {
  CHECK(to_string(HandleKind::none) == std::string("none"));
  CHECK(to_string(HandleKind::server) == std::string("server"));
  CHECK(to_string(HandleKind::socket) == std::string("socket"));
  CHECK(to_string(HandleKind::datagram) == std::string("datagram"));
  CHECK(to_string(HandleKind::native) == std::string("native"));
  CHECK(to_string(HandleKind(4711)) == std::string("unknown"));
}

}  // namespace
