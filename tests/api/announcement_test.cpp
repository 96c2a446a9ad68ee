// Tests of announcement.cpp: what parents tell children in the environment, and what children make of it.
#include "log/api/announcement.hpp"

#include <stdlib.h>

#include <string>
#include <vector>

#include "base/pipe_id.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/events.hpp"
#include "support/frames.hpp"
#include "support/log.hpp"
#include "support/program.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;

// The frames of one record.
std::string spoken(sink::EventEncoder& encoder) {
  const Record one = record("m");
  wire::Bytes out;
  encoder.add_record(out, event_of(one));
  return text_of(out);
}

}  // namespace

TEST_CASE("announcement: of a listener") {
  const std::string token = api::new_token();
  const api::Announcement first = api::announcement_of(4711, 42, token);
  CHECK(first.address == "127.0.0.1:4711");
  const auto id = parse_pipe_id(first.id);
  REQUIRE(id);
  CHECK(id->port == 4711);
  CHECK(id->pid == os::process_id());
  CHECK(id->cookie == 42);
  CHECK(id->token == token);
  CHECK(api::new_token() != token);
  const auto without = parse_pipe_id(api::announcement_of(4711, 42, "").id);
  REQUIRE(without);
  CHECK(without->token == std::string(32, '0'));
  CHECK(api::variables_of(first) == Words{"DLOG_PIPE=127.0.0.1:4711", "DLOG_PIPE_ID=" + first.id});
  CHECK(api::variables_of({"127.0.0.1:4711", ""}) == Words{"DLOG_PIPE=127.0.0.1:4711"});
  CHECK(api::variables_of({}).empty());
}

TEST_CASE("announcement: what is announced is inherited, beside its own port only") {
  const Ended ended = run_program({}, [] {
    const api::Announcement announcement = api::announcement_of(4711, 42, api::new_token());
    say(api::announce(announcement) ? "announced" : "not announced");
    say(variable("DLOG_PIPE"));
    say(variable("DLOG_PIPE_ID") == "set " + announcement.id ? "the id" : "another id");
    std::vector<hub::Notice> notices;
    say(api::inherited_id(4711, notices) == announcement.id ? "inherited" : "not inherited");
    const std::string other = api::inherited_id(4712, notices);
    say("[" + other + "] " + std::to_string(notices.size()));
  });
  CHECK(lines_of(well(ended).out) == Words{"announced", "set 127.0.0.1:4711", "the id", "inherited", "[] 0"});
}

TEST_CASE("announcement: no id, and one that is malformed") {
  for (const std::string& text : {std::string("nonsense"), std::string("4711:1:1:"), std::string("\x1b[2J")}) {
    const Ended ended = run_program({{"DLOG_PIPE_ID", text}}, [] {
      std::vector<hub::Notice> notices;
      const std::string id = api::inherited_id(4711, notices);
      say("[" + id + "] " + std::to_string(notices.size()));
      for (const hub::Notice& notice : notices) say(std::to_string(static_cast<int>(notice.level)) + notice.text);
    });
    CHECK(lines_of(well(ended).out) == Words{"[] 1", "1DLOG_PIPE_ID is malformed; speaking the seed protocol only"});
  }
  for (const Variables& variables : {Variables{}, Variables{{"DLOG_PIPE_ID", ""}}}) {
    const Ended ended = run_program(variables, [] {
      std::vector<hub::Notice> notices;
      const std::string id = api::inherited_id(4711, notices);
      say("[" + id + "] " + std::to_string(notices.size()));
    });
    CHECK(well(ended).out == "[] 0\n");
  }
}

TEST_CASE("announcement: a parent with an id is spoken to in version 2, another one in the seed's frames") {
  const std::string token = "00112233445566778899aabbccddeeff";
  const hub::Delivery::Self self{"prog", 815};
  CHECK(spoken(*api::encoder_for({"127.0.0.1:4711", "4711:1:2:" + token}, self)) ==
        hello_frame("prog", 815, token) + record_frame("m", {false, 2, 0, 0, noted_ns}));
  CHECK(spoken(*api::encoder_for({"127.0.0.1:4711", ""}, self)) == log_frame(2, "m"));
}

TEST_CASE("announcement: what listens at the address is compared with what was announced") {
  auto listening = os::listen_on_loopback();
  REQUIRE(listening);
  const os::LoopbackAddress address{0x7F000001, listening->port};
  const auto id = [&](std::uint64_t cookie) {
    return format_pipe_id({listening->port, 1, cookie, std::string(32, 'a')});
  };
  CHECK(api::stranger_behind(address, id(listening->cookie)).empty());
  CHECK(api::stranger_behind(address, id(listening->cookie + 1)) == "somebody else listens there now");
  CHECK(api::stranger_behind(address, id(0)).empty());  // its parent's system did not say
  CHECK(api::stranger_behind(address, "").empty());
  listening->socket.reset();
  CHECK(api::stranger_behind(address, id(listening->cookie)) == "its parent listens no more");
  CHECK(api::stranger_behind(address, "") == "nobody listens there");
}
