// Tests of channel/open_sockets: how many connections of each server are open, and who is to be told when none is.
#include "channel/open_sockets.hpp"

#include <string>

#include "support/catch.hpp"

namespace {

using dlog::channel::OpenSockets;

TEST_CASE("open sockets: a server that never sent one has none") {
  OpenSockets sockets;
  CHECK(sockets.count("k") == 0);
  CHECK(sockets.ask_for_close("k"));
  CHECK(sockets.remove("k") == 0);
  CHECK(sockets.count("k") == 0);
}

TEST_CASE("open sockets: each server's are counted for themselves") {
  OpenSockets sockets;
  sockets.add("a");
  sockets.add("b");
  sockets.add("a");
  CHECK(sockets.count("a") == 2);
  CHECK(sockets.count("b") == 1);
  CHECK(sockets.remove("a") == 0);
  CHECK(sockets.count("a") == 1);
  CHECK(sockets.count("b") == 1);
  CHECK(sockets.remove("b") == 0);
  CHECK(sockets.count("b") == 0);
  CHECK(sockets.count("a") == 1);
}

TEST_CASE("open sockets: who asks while some are open is told when the last one is closed") {
  OpenSockets sockets;
  sockets.add("a");
  sockets.add("a");
  CHECK_FALSE(sockets.ask_for_close("a"));
  CHECK(sockets.remove("a") == 0);
  CHECK(sockets.remove("a") == 1);
  CHECK(sockets.ask_for_close("a"));
}

TEST_CASE("open sockets: each question has its answer, and each only one") {
  OpenSockets sockets;
  sockets.add("a");
  CHECK_FALSE(sockets.ask_for_close("a"));
  CHECK_FALSE(sockets.ask_for_close("a"));
  CHECK_FALSE(sockets.ask_for_close("a"));
  CHECK(sockets.remove("a") == 3);
  sockets.add("a");
  CHECK(sockets.remove("a") == 0);
}

TEST_CASE("open sockets: a connection that comes after the question puts the answer off") {
  OpenSockets sockets;
  sockets.add("a");
  CHECK_FALSE(sockets.ask_for_close("a"));
  sockets.add("a");
  CHECK(sockets.remove("a") == 0);
  CHECK(sockets.remove("a") == 1);
}

TEST_CASE("open sockets: a question about one server is not answered by another") {
  OpenSockets sockets;
  sockets.add("a");
  sockets.add("b");
  CHECK_FALSE(sockets.ask_for_close("a"));
  CHECK(sockets.remove("b") == 0);
  CHECK(sockets.remove("a") == 1);
}

TEST_CASE("open sockets: one too many removed does no harm") {
  OpenSockets sockets;
  sockets.add("a");
  CHECK(sockets.remove("a") == 0);
  CHECK(sockets.remove("a") == 0);
  sockets.add("a");
  CHECK(sockets.count("a") == 1);
}

}  // namespace
