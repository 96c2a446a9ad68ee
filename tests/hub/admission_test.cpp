// Tests of admission.cpp: who is taken at once, and what proves that somebody may speak.
#include "log/hub/admission.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "os/socket.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::Admission;

const std::string token = "00112233445566778899aabbccddeeff";

// A connection of this process with itself.
struct Met {
  Met() {
    auto made = os::listen_on_loopback();
    REQUIRE(made);
    listening = std::move(*made);
    auto socket = os::connect_to({0x7F000001, listening.port}, std::chrono::seconds{60});
    REQUIRE(socket);
    client = std::move(*socket);
    REQUIRE(until([&] {
      accepted = os::accept_connection(listening.socket);
      return accepted.outcome == os::AcceptOutcome::accepted;
    }));
  }
  Admission::Verdict verdict_of(const Admission& admission) const {
    return admission.at_the_door({0x7F000001, listening.port}, {accepted.peer_ipv4, accepted.peer_port});
  }
  os::Listening listening;
  os::Descriptor client;
  os::Accepted accepted;
};

}  // namespace

TEST_CASE("admission: an open door asks nothing") {
  Met met;
  CHECK_FALSE(met.verdict_of(Admission()).doubt);
  met.client.reset();
  CHECK_FALSE(met.verdict_of(Admission(Trust::open, token)).doubt);
}

TEST_CASE("admission: processes of the same user are taken, as long as they can be seen") {
  Met met;
  const Admission admission(Trust::same_user, token);
  CHECK_FALSE(met.verdict_of(admission).doubt);
  met.client.reset();
  CHECK(met.verdict_of(admission).doubt == Admission::Doubt::unknown_user);
}

TEST_CASE("admission: with the token only, everybody must prove") {
  Met met;
  const Admission admission(Trust::token, token);
  CHECK(met.verdict_of(admission).doubt == Admission::Doubt::no_token);
  CHECK(met.verdict_of(admission).is_own);  // of the same user, though
  met.client.reset();
  CHECK(met.verdict_of(admission).doubt == Admission::Doubt::no_token);
  CHECK_FALSE(met.verdict_of(admission).is_own);
}

TEST_CASE("admission: the token proves, and nothing else") {
  const Admission admission(Trust::token, token);
  CHECK(admission.proves(token));
  CHECK_FALSE(admission.proves(""));
  CHECK_FALSE(admission.proves(token.substr(1)));
  CHECK_FALSE(admission.proves(token + "0"));
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string wrong = token;
    wrong[i] = 'x';
    CHECK_FALSE(admission.proves(wrong));
  }
}

TEST_CASE("admission: without a token nothing is proved") {
  const Admission admission(Trust::same_user, "");
  CHECK_FALSE(admission.proves(""));
  CHECK_FALSE(admission.proves(std::string(32, '0')));
}

TEST_CASE("admission: in words") {
  CHECK(Admission::sentence({Admission::Doubt::foreign_user, 1001}) ==
        "it is another user's (1001), and proved nothing");
  CHECK(Admission::sentence({Admission::Doubt::unknown_user}) ==
        "the system does not say whose it is (it closed at once?), and it proved nothing");
  CHECK(Admission::sentence({Admission::Doubt::no_token}) == "it did not prove that it is a child of this process");
}
