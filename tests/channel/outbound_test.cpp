// Tests of channel/outbound: lines leave whole and in order, nothing overtakes a handle, and each is answered for once.
#include "channel/outbound.hpp"

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "channel/sockets.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using dlog::os::is_open;

// What is written, as the kernel would see it, and what was called back.
struct Wire {
  SendCallback note(std::string name) {
    return [this, name = std::move(name)](const std::optional<Error>& error) {
      called.push_back(name + (error ? " failed" : "") + "@" + std::to_string(written.size()));
    };
  }
  void add(const std::string& line) { outbound.add(line + "\n", note(line)); }
  void add_silent(const std::string& line) { outbound.add(line + "\n", {}); }
  int add_handle(const std::string& line) {
    Handle handle(HandleKind::socket, dlog::test::no_socket().release());
    const int fd = handle.fd();
    outbound.add(line + "\n", std::move(handle), note(line));
    return fd;
  }
  // At most so many bytes at once; false: there is nothing to write.
  bool write(std::size_t bytes_max) {
    const Outbound::Next next = outbound.next();
    if (next.bytes.empty()) return false;
    if (next.descriptor >= 0)
      descriptors.push_back(std::to_string(next.descriptor) + "@" + std::to_string(written.size()));
    const std::size_t taken = std::min(bytes_max, next.bytes.size());
    written.append(next.bytes.substr(0, taken));
    std::vector<Outbound::Told> told;
    outbound.written(taken, told);
    call(told);
    return true;
  }
  void write_all(std::size_t bytes_max = 1 << 20) {
    while (write(bytes_max)) {
    }
  }
  bool answer(bool acknowledged) {
    std::vector<Outbound::Told> told;
    const bool expected = outbound.answered(acknowledged, told);
    call(told);
    return expected;
  }
  void give_up() {
    std::vector<Outbound::Told> told;
    outbound.give_up({ErrorCode::not_connected, "the end"}, told);
    call(told);
  }
  void call(std::vector<Outbound::Told>& told) {
    for (Outbound::Told& one : told) {
      if (one.error) errors.push_back(*one.error);
      if (one.done) one.done(one.error);
    }
  }
  Outbound outbound{};
  std::string written{};
  std::vector<std::string> called{};
  std::vector<std::string> descriptors{};
  std::vector<Error> errors{};
};

using Words = std::vector<std::string>;

TEST_CASE("outbound: nothing is to be written at first") {
  Wire wire;
  CHECK(wire.outbound.next().bytes.empty());
  CHECK(wire.outbound.next().descriptor == -1);
  CHECK(wire.outbound.bytes() == 0);
  CHECK(wire.outbound.is_idle());
}

TEST_CASE("outbound: lines leave in order, joined, and each is told when its last byte has left") {
  Wire wire;
  wire.add("one");
  wire.add_silent("two");
  wire.add("three");
  CHECK(wire.outbound.bytes() == 14);
  CHECK(wire.outbound.next().bytes == "one\ntwo\nthree\n");
  wire.write_all();
  CHECK(wire.written == "one\ntwo\nthree\n");
  CHECK(wire.called == Words{"one@14", "three@14"});
  CHECK(wire.outbound.bytes() == 0);
  CHECK(wire.outbound.is_idle());
}

TEST_CASE("outbound: written byte by byte each callback comes at its own line's end") {
  Wire wire;
  wire.add("one");
  wire.add_silent("two");
  wire.add("three");
  for (std::size_t i = 0; i < 14; ++i) {
    CHECK(wire.outbound.bytes() == 14 - i);
    CHECK_FALSE(wire.outbound.is_idle());
    REQUIRE(wire.write(1));
  }
  CHECK(wire.written == "one\ntwo\nthree\n");
  CHECK(wire.called == Words{"one@4", "three@14"});
  CHECK(wire.outbound.is_idle());
}

TEST_CASE("outbound: written in any two parts nothing is doubled or left out") {
  for (std::size_t part = 1; part < 14; ++part) {
    CAPTURE(part);
    Wire wire;
    wire.add("one");
    wire.add("two");
    wire.add("three");
    wire.write(part);
    wire.add("four");
    wire.write_all();
    CHECK(wire.written == "one\ntwo\nthree\nfour\n");
    REQUIRE(wire.called.size() == 4);
    CHECK(wire.outbound.bytes() == 0);
  }
}

TEST_CASE("outbound: many lines are not joined without end, and a huge one stands alone") {
  Wire wire;
  const std::string line(999, 'x');
  for (int i = 0; i < 200; ++i) wire.add(line);
  CHECK(wire.outbound.next().bytes.size() <= 64 << 10);
  CHECK(wire.outbound.next().bytes.size() > 32 << 10);
  const std::string huge(300'000, 'y');
  wire.add(huge);
  wire.add("end");
  wire.write_all(1000);
  std::string expected;
  for (int i = 0; i < 200; ++i) expected.append(line).append("\n");
  expected.append(huge).append("\nend\n");
  CHECK((wire.written == expected));
  CHECK(wire.called.size() == 202);
  CHECK(wire.outbound.bytes() == 0);
}

TEST_CASE("outbound: a handle goes with the first byte of its line, and with no other") {
  Wire wire;
  wire.add("one");
  const int fd = wire.add_handle("handle");
  CHECK(wire.outbound.next().bytes == "one\n");  // never joined with another
  CHECK(wire.outbound.next().descriptor == -1);
  wire.write_all(1);
  CHECK(wire.written == "one\nhandle\n");
  CHECK(wire.descriptors == Words{std::to_string(fd) + "@4"});
}

TEST_CASE("outbound: behind a handle all waits until the other side has it") {
  Wire wire;
  const int fd = wire.add_handle("handle");
  wire.add("behind");
  wire.write_all();
  CHECK(wire.written == "handle\n");
  CHECK(wire.called.empty());
  CHECK(wire.outbound.bytes() == 7);
  CHECK_FALSE(wire.outbound.is_idle());
  CHECK(is_open(fd));
  CHECK(wire.answer(true));
  CHECK(wire.called == Words{"handle@7"});
  CHECK_FALSE(is_open(fd));
  wire.write_all();
  CHECK(wire.written == "handle\nbehind\n");
  CHECK(wire.called == Words{"handle@7", "behind@14"});
  CHECK(wire.outbound.is_idle());
}

TEST_CASE("outbound: one handle at a time is on its way") {
  Wire wire;
  wire.add_handle("first");
  wire.add_handle("second");
  wire.write_all();
  CHECK(wire.written == "first\n");
  CHECK(wire.answer(true));
  wire.write_all();
  CHECK(wire.written == "first\nsecond\n");
  CHECK(wire.answer(true));
  CHECK_FALSE(wire.answer(true));
  CHECK(wire.called == Words{"first@6", "second@13"});
  CHECK(wire.descriptors.size() == 2);
}

TEST_CASE("outbound: an answer that nothing was sent for is not expected") {
  Wire wire;
  CHECK_FALSE(wire.answer(true));
  CHECK_FALSE(wire.answer(false));
  wire.add("line");
  CHECK_FALSE(wire.answer(true));
  wire.write_all();
  CHECK_FALSE(wire.answer(true));
  wire.add_handle("handle");
  CHECK_FALSE(wire.answer(true));
  wire.write(3);
  CHECK_FALSE(wire.answer(true));  // half of it is still here
  CHECK_FALSE(wire.answer(false));
  wire.write_all();
  CHECK(wire.answer(true));
  CHECK(wire.called == Words{"line@5", "handle@12"});
}

TEST_CASE("outbound: a handle that did not arrive is sent three times more, then given up, and the rest goes on") {
  Wire wire;
  const int fd = wire.add_handle("handle");
  wire.add("behind");
  for (int i = 0; i < 4; ++i) {
    CAPTURE(i);
    CHECK(wire.outbound.bytes() == 14);
    wire.write_all(2);
    CHECK(wire.outbound.bytes() == 7);
    CHECK(wire.called.empty());
    CHECK(is_open(fd));
    CHECK(wire.answer(false));
  }
  CHECK(wire.called == Words{"handle failed@28"});
  REQUIRE(wire.errors.size() == 1);
  CHECK(wire.errors[0].code == ErrorCode::handle_lost);
  CHECK_FALSE(is_open(fd));
  CHECK(wire.descriptors.size() == 4);
  wire.write_all();
  CHECK(wire.written == "handle\nhandle\nhandle\nhandle\nbehind\n");
  CHECK(wire.outbound.bytes() == 0);
  CHECK(wire.outbound.is_idle());
}

TEST_CASE("outbound: a handle that arrives at the last time has arrived") {
  Wire wire;
  wire.add_handle("handle");
  for (int i = 0; i < 3; ++i) {
    wire.write_all();
    CHECK(wire.answer(false));
  }
  wire.write_all();
  CHECK(wire.answer(true));
  CHECK(wire.called == Words{"handle@28"});
  CHECK(wire.errors.empty());
}

TEST_CASE("outbound: each handle has tries of its own") {
  Wire wire;
  wire.add_handle("a");
  wire.add_handle("b");
  for (int i = 0; i < 4; ++i) {
    wire.write_all();
    CHECK(wire.answer(false));
  }
  wire.write_all();
  CHECK(wire.answer(false));
  wire.write_all();
  CHECK(wire.answer(true));
  CHECK(wire.called == Words{"a failed@8", "b@12"});
}

TEST_CASE("outbound: an urgent line goes before all that was not begun") {
  Wire wire;
  wire.add("one");
  wire.outbound.add_urgent("!\n");
  CHECK(wire.outbound.bytes() == 6);
  wire.write_all();
  CHECK(wire.written == "!\none\n");
  CHECK(wire.outbound.bytes() == 0);
  CHECK(wire.outbound.is_idle());
}

TEST_CASE("outbound: an urgent line never stands within another, wherever that was interrupted") {
  for (std::size_t part = 1; part <= 8; ++part) {
    CAPTURE(part);
    Wire wire;
    wire.add("one");
    wire.add("two");
    wire.write(part);
    wire.outbound.add_urgent("!\n");
    wire.add("three");
    wire.write_all(1);
    CHECK((wire.written == "one\ntwo\n!\nthree\n" || wire.written == "one\ntwo\nthree\n!\n" ||
           wire.written == "one\n!\ntwo\nthree\n"));
    CHECK(wire.outbound.bytes() == 0);
    CHECK(wire.outbound.is_idle());
  }
}

TEST_CASE("outbound: nothing stands within an urgent line, and another urgent one follows it") {
  Wire wire;
  wire.outbound.add_urgent("!!!!\n");
  wire.write(2);
  wire.add("one");
  wire.outbound.add_urgent("??\n");
  wire.write_all(1);
  CHECK(wire.written == "!!!!\n??\none\n");
}

TEST_CASE("outbound: urgent lines go while a handle waits for its answer, else two sides would wait for each other") {
  Wire wire;
  wire.add_handle("handle");
  wire.add("behind");
  wire.write_all();
  wire.outbound.add_urgent("!\n");
  wire.write_all();
  CHECK(wire.written == "handle\n!\n");
  CHECK(wire.answer(true));
  wire.write_all();
  CHECK(wire.written == "handle\n!\nbehind\n");
}

TEST_CASE("outbound: an urgent line does not go between the parts of a handle's line") {
  Wire wire;
  wire.add_handle("handle");
  wire.write(3);
  wire.outbound.add_urgent("!\n");
  wire.write_all(1);
  CHECK(wire.written == "handle\n!\n");
  CHECK(wire.descriptors.size() == 1);
}

TEST_CASE("outbound: half an urgent line goes on before a handle is sent again") {
  Wire wire;
  wire.add_handle("handle");
  wire.write_all();
  wire.outbound.add_urgent("!!\n");
  wire.write(1);
  CHECK(wire.answer(false));
  wire.write_all(1);
  CHECK(wire.written == "handle\n!!\nhandle\n");
  CHECK(wire.descriptors.size() == 2);
}

TEST_CASE("outbound: whoever gives up tells all that have not left, in order, and closes the handles") {
  Wire wire;
  wire.add("one");
  wire.add("two");
  const int fd = wire.add_handle("handle");
  wire.add("three");
  wire.add_silent("four");
  wire.write(5);
  wire.outbound.add_urgent("!\n");
  wire.give_up();
  CHECK(wire.called == Words{"one@5", "two failed@5", "handle failed@5", "three failed@5"});
  REQUIRE(wire.errors.size() == 3);
  CHECK(wire.errors[0].code == ErrorCode::not_connected);
  CHECK_FALSE(is_open(fd));
  CHECK(wire.outbound.bytes() == 0);
  CHECK(wire.outbound.is_idle());
  CHECK(wire.outbound.next().bytes.empty());
  wire.give_up();
  CHECK(wire.called.size() == 4);
}

TEST_CASE("outbound: a handle on its way is told when all is given up") {
  Wire wire;
  const int fd = wire.add_handle("handle");
  wire.write_all();
  wire.give_up();
  CHECK(wire.called == Words{"handle failed@7"});
  CHECK_FALSE(is_open(fd));
  CHECK_FALSE(wire.answer(true));
}

TEST_CASE("outbound: whatever comes in whatever order, whole lines leave, those of a kind in theirs") {
  std::mt19937 random(4711);
  for (int round = 0; round < 200; ++round) {
    Wire wire;
    int lines = 0;
    int urgent = 0;
    int handles = 0;
    for (int step = 0; step < 200; ++step) {
      switch (random() % 8) {
        case 0:
        case 1: wire.add("n" + std::to_string(lines++)); break;
        case 2:
          wire.add_handle("n" + std::to_string(lines++));
          ++handles;
          break;
        case 3: wire.outbound.add_urgent("u" + std::to_string(urgent++) + "\n"); break;
        case 4: wire.answer(true); break;
        default: wire.write(1 + random() % 7); break;
      }
    }
    do {
      wire.write_all(1 + random() % 5);
    } while (wire.answer(true));
    CHECK(wire.outbound.is_idle());
    CHECK(wire.outbound.bytes() == 0);
    int next_line = 0;
    int next_urgent = 0;
    std::string line;
    for (const char byte : wire.written) {
      if (byte != '\n') {
        line.push_back(byte);
        continue;
      }
      const std::string expected =
          line.starts_with('u') ? "u" + std::to_string(next_urgent++) : "n" + std::to_string(next_line++);
      REQUIRE(line == expected);
      line.clear();
    }
    CHECK(next_line == lines);
    CHECK(next_urgent == urgent);
    CHECK(wire.called.size() == static_cast<std::size_t>(lines));
    CHECK(wire.descriptors.size() == static_cast<std::size_t>(handles));
  }
}

TEST_CASE("outbound: a handle that cannot be sent is told and closed, and what stands behind it goes on") {
  Wire wire;
  const int fd = wire.add_handle("handle");
  wire.add("next");
  {
    std::vector<Outbound::Told> told;
    wire.outbound.drop_handle({ErrorCode::handle_lost, "no"}, told);
    wire.call(told);
  }
  CHECK_FALSE(is_open(fd));
  wire.write_all();
  CHECK(wire.written == "next\n");
  CHECK(wire.called == Words{"handle failed@0", "next@5"});
  CHECK(wire.outbound.bytes() == 0);
}

TEST_CASE("outbound: at the end it says how many messages nobody else is told of") {
  Wire wire;
  std::vector<Outbound::Told> told;
  for (const char* line : {"1", "2", "3"}) wire.add_silent(line);
  wire.add("with a callback");
  wire.write(3);  // the first, and half of the second
  CHECK(wire.outbound.give_up({ErrorCode::not_connected, "the end"}, told) == 2);
  CHECK(told.size() == 1);
  CHECK(wire.outbound.give_up({ErrorCode::not_connected, "the end"}, told) == 0);
}

}  // namespace
