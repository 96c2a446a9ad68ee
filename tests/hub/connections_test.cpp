// Tests of connections.cpp: children on real sockets, their events merged, and what happens when there are too many.
#include "log/hub/connections.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "log/event/outlet.hpp"
#include "os/poller.hpp"
#include "os/socket.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/events.hpp"
#include "support/fork.hpp"
#include "support/frames.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::Connections;
using Words = std::vector<std::string>;

int accepts_asked = 0;  // of the system, by this program

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t noted_ms = noted_ns / ms * ms;

// The connections, and the turns that the log thread would give them.
struct Hub {
  explicit Hub(hub::Admission admission = {}) {
    auto made = os::Poller::create();
    auto listening = os::listen_on_loopback();
    if (!made || !listening) throw std::runtime_error("no poller or listener");
    poller = std::make_unique<os::Poller>(std::move(*made));
    connections =
        std::make_unique<Connections>(*poller, own_notice, std::move(*listening), std::move(admission), wall_ns);
  }

  os::Descriptor connect() const {
    auto socket = os::connect_to({0x7F000001, connections->port()}, std::chrono::milliseconds(60'000));
    if (!socket) throw std::runtime_error(socket.reason());
    return std::move(*socket);
  }
  // A connection that has been taken already.
  os::Descriptor connected() {
    os::Descriptor socket = connect();
    const std::size_t before = connections->open();
    serve_until([&] { return connections->open() > before; });
    return socket;
  }
  // One turn; waits for something to do.
  void turn(std::int64_t timeout_ns = os::Poller::for_ever) {
    poller->sleep(timeout_ns);
    connections->serve(now_ns, wall_ns);
    take();
  }
  std::size_t ready() const {
    std::array<std::uint64_t, 64> keys;
    return poller->ready(keys);
  }
  void take() {
    while (connections->waiting()) {
      order_ns.push_back(connections->earliest_ns());
      connections->take_until(0, [&](const Event& event) { told.push_back(copy_of(event)); });
    }
  }
  template <class Condition>
  void serve_until(Condition condition) {
    while (!condition()) turn();
  }
  Words serve_until_told(std::size_t count) {
    serve_until([&] { return told.size() >= count; });
    return words_of(told);
  }

  std::unique_ptr<os::Poller> poller;
  std::unique_ptr<Connections> connections;
  std::int64_t now_ns = 0;
  std::int64_t wall_ns = noted_ms + 2 * ms;
  std::vector<Told> told{};
  std::vector<std::int64_t> order_ns{};
};

// As much of it as the kernel takes at once.
void send_some(const os::Descriptor& to, std::string_view bytes) {
  while (!bytes.empty()) {
    const os::Received some = os::send(to, std::as_bytes(std::span(bytes)));
    if (some.outcome != os::Transfer::done) return;
    bytes.remove_prefix(some.bytes);
  }
}

void wait_readable(const os::Descriptor& descriptor) {
  pollfd entry{descriptor.get(), POLLIN, 0};
  ::poll(&entry, 1, -1);
}

// What it may have sent is read and dropped.
bool has_closed(const os::Descriptor& socket) {
  std::byte dropped[512];
  for (;;) {
    const os::Received got = os::receive(socket, dropped);
    if (got.outcome != os::Transfer::done) return got.outcome != os::Transfer::would_block;
  }
}

bool is_closed_by_peer(const os::Descriptor& socket) {
  wait_readable(socket);
  return has_closed(socket);
}

// Takes every descriptor there is but `left`.
std::vector<os::Descriptor> take_descriptors(std::size_t left) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur, 200);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<os::Descriptor> taken;
  for (;;) {
    os::Descriptor one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!one) break;
    taken.push_back(std::move(one));
  }
  taken.resize(taken.size() - left);
  return taken;
}

// Takes what waits at the listener for as long as there is something, at most `turns` times.
void turns(Hub& hub, int turns) {
  for (int i = 0; i < turns; ++i) hub.turn(50 * ms);
}

}  // namespace

// Before the C library's own.
extern "C" int accept4(int listener, sockaddr* address, socklen_t* size, int flags) {
  ++accepts_asked;
  return static_cast<int>(::syscall(SYS_accept4, listener, address, size, flags));
}

TEST_CASE("connections: a child is heard, under its port and a number never used twice") {
  Hub hub;
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 5; ++i) {
    os::Descriptor child_end = hub.connected();
    send_all(child_end, log_frame(2, "hello"));
    hub.told.clear();
    CHECK(hub.serve_until_told(1) == Words{"INF child: hello"});
    CHECK(hub.told[0].port == local_port(child_end));
    CHECK(hub.told[0].source_id != 0);
    ids.insert(hub.told[0].source_id);
    CHECK(hub.connections->open() == 1);
    child_end.reset();
    hub.serve_until([&] { return hub.connections->open() == 0; });
  }
  CHECK(ids.size() == 5);
  CHECK(hub.connections->take_complaint() == "");
}

TEST_CASE("connections: what was said before a connection was taken, and before it was closed, is heard") {
  Hub hub;
  {
    const os::Descriptor child_end = hub.connect();
    send_all(child_end, log_frame(2, "one") + create_frame(1, "bar", 5) + log_frame(2, "two"));
  }
  CHECK(hub.serve_until_told(4) == Words{"INF child: one", "bar 1 of child: created running 0/5 bar", "INF child: two",
                                         "bar 1 of child: orphaned 0/5 bar"});
  hub.serve_until([&] { return hub.connections->open() == 0; });
}

TEST_CASE("connections: events that are there together are merged by their times") {
  Hub hub;
  os::Descriptor ends[3] = {hub.connected(), hub.connected(), hub.connected()};
  hub.wall_ns = noted_ms + 3 * ms;  // 04:16:40.730
  const auto at = [](const char* fraction) { return fmt::format("2026-11-21T04:16:40.{}Z", fraction); };
  send_all(ends[0], log_frame(2, "a1", at("726")) + log_frame(2, "a2", at("728")) + log_frame(2, "a3", at("729")));
  send_all(ends[1], log_frame(2, "b1", at("727")) + log_frame(2, "b2", at("727500")));
  send_all(ends[2], log_frame(2, "c1", "1970-01-01T00:00:00.000Z") + log_frame(2, "c2", "2099-01-01T00:00:00.000Z"));
  // All of it is there in one turn.
  REQUIRE(until([&] { return hub.ready() == 3; }));
  CHECK(hub.connections->serve(0, hub.wall_ns) == 3);
  hub.take();
  CHECK(words_of(hub.told) == Words{"INF child: c1", "INF child: a1", "INF child: b1", "INF child: b2", "INF child: a2",
                                    "INF child: a3", "INF child: c2"});
  CHECK(std::is_sorted(hub.order_ns.begin(), hub.order_ns.end()));
}

TEST_CASE("connections: of two events at the same time the one that was read first comes first") {
  Hub hub;
  const os::Descriptor first = hub.connected();
  send_all(first, log_frame(2, "a") + log_frame(2, "b") + log_frame(2, "c"));
  CHECK(hub.serve_until_told(3) == Words{"INF child: a", "INF child: b", "INF child: c"});
}

TEST_CASE("connections: one byte at a time") {
  Hub hub;
  const os::Descriptor child_end = hub.connected();
  const std::string stream = log_frame(2, "slow") + create_frame(1, "bar", 2) + push_frame(1, 1) + finish_frame(1);
  for (const char c : stream) {
    send_all(child_end, std::string(1, c));
    hub.turn();
  }
  CHECK(words_of(hub.told) == Words{"INF child: slow", "bar 1 of child: created running 0/2 bar",
                                    "bar 1 of child: running 1/2 bar", "bar 1 of child: finished 1/2 bar"});
}

TEST_CASE("connections: a half frame waits and harms nobody") {
  Hub hub;
  const os::Descriptor half = hub.connected();
  const os::Descriptor other = hub.connected();
  const std::string stream = log_frame(2, "at last");
  send_all(half, stream.substr(0, 9));
  for (int i = 0; i < 20; ++i) send_all(other, log_frame(2, "m"));
  hub.serve_until_told(20);
  send_all(half, stream.substr(9));
  CHECK(hub.serve_until_told(21).back() == "INF child: at last");
}

TEST_CASE("connections: the same bar number of two children is two bars, and one child's end is its own") {
  Hub hub;
  os::Descriptor first = hub.connected();
  const os::Descriptor second = hub.connected();
  send_all(first, create_frame(1, "a", 5));
  hub.serve_until_told(1);
  send_all(second, create_frame(1, "b", 5));
  hub.serve_until_told(2);
  first.reset();
  hub.serve_until_told(3);
  send_all(second, push_frame(1, 2));
  hub.serve_until_told(4);
  CHECK(words_of(hub.told) == Words{"bar 1 of child: created running 0/5 a", "bar 1 of child: created running 0/5 b",
                                    "bar 1 of child: orphaned 0/5 a", "bar 1 of child: running 2/5 b"});
  CHECK(hub.told[0].source_id != hub.told[1].source_id);
  CHECK(hub.told[2].source_id == hub.told[0].source_id);
}

TEST_CASE("connections: a broken stream is closed, the others go on") {
  Hub hub;
  const os::Descriptor bad = hub.connected();
  const os::Descriptor good = hub.connected();
  send_all(bad, u32(0xFFFF'FFFF) + "garbage");
  hub.serve_until([&] { return hub.connections->open() == 1; });
  REQUIRE(hub.told.size() == 1);
  CHECK(words_of(hub.told[0]) ==
        fmt::format("WRN dlog (notice): child[{}]: frame of 4294967295 bytes is over the limit of 10000000; "
                    "connection closed",
                    local_port(bad)));
  CHECK(is_closed_by_peer(bad));
  send_all(good, log_frame(2, "fine"));
  CHECK(hub.serve_until_told(2).back() == "INF child: fine");
}

TEST_CASE("connections: a flood does not keep the others waiting") {
  Hub hub;
  const os::Descriptor flood = hub.connected();
  const os::Descriptor quiet = hub.connected();
  // As much as the kernel takes.
  const std::string record = log_frame(2, std::string(60'000, 'f'));
  std::string bytes;
  for (int i = 0; i < 200; ++i) bytes += record;
  std::size_t sent = 0;
  for (;;) {
    const os::Received some = os::send(flood, std::as_bytes(std::span(bytes)).subspan(sent % record.size()));
    if (some.outcome != os::Transfer::done) break;
    sent += some.bytes;
  }
  REQUIRE(sent > 2 * hub::share_bytes_max);
  send_all(quiet, log_frame(2, "quiet"));
  REQUIRE(until([&] { return hub.ready() == 2; }));
  hub.connections->serve(0, hub.wall_ns);
  hub.take();
  const Words words = words_of(hub.told);
  CHECK(std::count(words.begin(), words.end(), "INF child: quiet") == 1);
  CHECK(hub.connections->bytes_read() <= hub::turn_bytes_max + 2 * hub::piece_bytes);
  CHECK(hub.connections->bytes_read() < sent);
  // Nothing of the flood is lost for it.
  hub.serve_until([&] { return hub.connections->bytes_read() >= sent; });
  const auto whole = static_cast<std::ptrdiff_t>(sent / record.size());
  CHECK(std::count_if(hub.told.begin(), hub.told.end(),
                      [](const Told& told) { return told.message.size() == 60'000; }) == whole);
}

TEST_CASE("connections: of many that flood none is forgotten, and no turn takes more than its limit") {
  for (const std::size_t count : {std::size_t{64}, std::size_t{65}, std::size_t{128}, std::size_t{256}}) {
    INFO(count << " connections");
    Hub hub;
    std::vector<os::Descriptor> floods;
    for (std::size_t i = 0; i < count; ++i) floods.push_back(hub.connected());
    const std::string record = log_frame(2, std::string(600, 'f'));
    std::string bytes;
    while (bytes.size() < hub::turn_bytes_max / 16) bytes += record;
    for (const os::Descriptor& flood : floods) send_some(flood, bytes);
    std::map<std::uint64_t, int> turns_of;
    for (std::size_t turn = 0; turn < count / hub::ready_max + 1; ++turn) {  // before the first of them have said all
      const std::uint64_t before = hub.connections->bytes_read();
      hub.told.clear();
      hub.turn(0);
      CHECK(hub.connections->bytes_read() - before <= 2 * hub::turn_bytes_max);
      std::set<std::uint64_t> heard;
      for (const Told& told : hub.told) heard.insert(told.source_id);
      for (const std::uint64_t id : heard) ++turns_of[id];
    }
    CHECK(turns_of.size() == count);
  }
}

TEST_CASE("connections: many that come at once with much to say are taken in several turns") {
  Hub hub;
  const std::string bytes = log_frame(2, std::string(60'000, 'x'));
  std::vector<os::Descriptor> ends;
  for (int i = 0; i < 300; ++i) {
    ends.push_back(hub.connect());
    send_all(ends.back(), bytes);
  }
  while (hub.told.size() < ends.size()) {
    const std::uint64_t before = hub.connections->bytes_read();
    hub.turn();
    CHECK(hub.connections->bytes_read() - before <= 2 * hub::turn_bytes_max);
  }
  CHECK(hub.connections->open() == ends.size());
}

TEST_CASE("connections: all that many have said is there after one turn") {
  Hub hub;
  std::vector<os::Descriptor> ends;
  for (int i = 0; i < 200; ++i) ends.push_back(hub.connected());
  for (const os::Descriptor& each : ends) send_all(each, log_frame(2, "m"));
  ends.push_back(hub.connect());
  send_all(ends.back(), log_frame(2, "m"));
  hub.turn();
  CHECK(hub.told.size() == ends.size());
}

TEST_CASE("connections: so it is where many have left without a word") {
  Hub hub;
  std::vector<os::Descriptor> ends;
  for (int i = 0; i < 150; ++i) ends.push_back(hub.connected());
  ends.clear();
  const os::Descriptor child_end = hub.connect();
  send_all(child_end, log_frame(2, "m"));
  hub.turn();
  CHECK(hub.told.size() == 1);
  CHECK(hub.connections->open() == 1);
}

TEST_CASE("connections: one whose delivery did not return goes on") {
  Hub hub;
  const os::Descriptor child_end = hub.connected();
  send_all(child_end, log_frame(2, "ends all") + log_frame(2, "a") + log_frame(2, "b"));
  REQUIRE(until([&] { return hub.ready() == 1; }));
  hub.connections->serve(0, hub.wall_ns);
  hub.connections->take_until(0, [&](const Event&) {
    hub.connections->finish_take();
    hub.take();
  });
  CHECK(words_of(hub.told) == Words{"INF child: a", "INF child: b"});
}

TEST_CASE("connections: what came before the first turn is placed by its time") {
  Hub hub;
  const os::Descriptor child_end = hub.connect();
  send_all(child_end, log_frame(2, "m", "2026-11-21T04:16:40.740Z"));
  hub.wall_ns += 40 * ms;
  hub.serve_until_told(1);
  CHECK(hub.order_ns == std::vector{noted_ms + 13 * ms});
}

TEST_CASE("connections: what came late is placed as what came a moment ago") {
  Hub hub;
  const os::Descriptor child_end = hub.connected();
  hub.wall_ns += 3'600'000 * ms;  // an hour without a turn
  send_all(child_end, log_frame(2, "m", "1970-01-01T00:00:00.000Z"));
  hub.serve_until_told(1);
  CHECK(hub.order_ns == std::vector{hub.wall_ns - hub::late_ns_max - hub::Connection::order_window_ns});
}

TEST_CASE("connections: where nobody looked for long, what came meanwhile is placed by its time") {
  Hub hub;
  hub.now_ns = 1 * ms;
  const os::Descriptor child_end = hub.connected();
  hub.now_ns += 60'000 * ms;
  hub.wall_ns += 60'000 * ms;
  send_all(child_end, log_frame(2, "m", "2026-11-21T04:17:00.000Z"));
  hub.serve_until_told(1);
  CHECK(hub.wall_ns - hub.order_ns[0] > hub::late_ns_max + 1000 * ms);
}

TEST_CASE("connections: handing out stops where there is enough, and goes on there") {
  Hub hub;
  const os::Descriptor first = hub.connected();
  const os::Descriptor second = hub.connected();
  for (const auto* child_end : {&first, &second})
    for (const char* text : {"a", "b", "c"}) send_all(*child_end, log_frame(2, text));
  hub.serve_until(
      [&] { return hub.connections->bytes_read() == 6 * log_frame(2, "a").size() && hub.told.size() == 6; });
  CHECK(hub.told.size() == 6);
  for (const auto* child_end : {&first, &second})
    for (const char* text : {"d", "e"}) send_all(*child_end, log_frame(2, text));
  const std::uint64_t all = hub.connections->bytes_read() + 4 * log_frame(2, "a").size();
  Words words;
  while (hub.connections->bytes_read() < all || hub.connections->waiting()) {
    hub.connections->serve(hub.now_ns, hub.wall_ns);
    if (!hub.connections->waiting()) continue;
    const std::size_t before = words.size();
    hub.connections->take_until(
        event::Outlet::never, [&](const Event& event) { words.push_back(words_of(copy_of(event))); },
        [] { return true; });
    CHECK(words.size() == before + 1);
  }
  CHECK(words.size() == 4);
  CHECK(std::count(words.begin(), words.end(), "INF child: d") == 2);
}

TEST_CASE("connections: an idle child that has sent much is heard again") {
  Hub hub;
  const os::Descriptor child_end = hub.connected();
  const std::string large = log_frame(2, std::string(900'000, 'x'));
  for (int i = 0; i < 3; ++i) {
    std::size_t at = 0;
    const std::size_t before = hub.told.size();
    while (hub.told.size() == before) {
      if (at < large.size()) {
        const std::size_t piece = std::min<std::size_t>(100'000, large.size() - at);
        send_all(child_end, std::string_view(large).substr(at, piece));
        at += piece;
      }
      hub.turn();
    }
    turns(hub, 1);
  }
  CHECK(hub.told.size() == 3);
}

TEST_CASE("connections: keys of others are passed over") {
  Hub hub;
  const Ends pipe = make_pipe();
  REQUIRE(hub.poller->watch(pipe.ours, 999));
  REQUIRE(::write(pipe.theirs.get(), "x", 1) == 1);
  CHECK(hub.connections->serve(0, 1) == 1);
  CHECK(hub.connections->open() == 0);
  CHECK(hub.connections->due_ns() == event::Outlet::never);
}

TEST_CASE("connections: when no descriptor is left, each one refused is closed and counted, and told once") {
  const Ended ended = in_child([] {
    Hub hub;
    const os::Descriptor before = hub.connected();
    std::vector<os::Descriptor> late;
    for (int i = 0; i < 3; ++i) late.push_back(hub.connect());
    std::vector<os::Descriptor> taken = take_descriptors(0);
    turns(hub, 4);
    say(fmt::format("refused {} open {}", hub.connections->refused(), hub.connections->open()));
    say(hub.connections->take_complaint());
    say("[" + hub.connections->take_complaint() + "]");
    for (const os::Descriptor& each : late) say(is_closed_by_peer(each) ? "closed" : "open");
    // Who was there before is still heard.
    send_all(before, log_frame(2, "still here"));
    say(hub.serve_until_told(1).front());
    // Room again: the next one is taken.
    late.clear();
    taken.resize(taken.size() - 5);
    const os::Descriptor next = hub.connected();
    send_all(next, log_frame(2, "welcome"));
    say(hub.serve_until_told(2).back());
    say(fmt::format("refused {} open {}", hub.connections->refused(), hub.connections->open()));
  });
  CHECK(ended.err == "");
  CHECK(ended.code == 0);
  CHECK(lines_of(ended.out) ==
        Words{"refused 3 open 1", "connection refused: no descriptor is left; further ones are only counted", "[]",
              "closed", "closed", "closed", "INF child: still here", "INF child: welcome", "refused 3 open 2"});
}

TEST_CASE("connections: when no descriptor is left, nobody is asked for more often than somebody comes") {
  const Ended ended = in_child([] {
    Hub hub;
    const os::Descriptor late = hub.connect();
    const std::vector<os::Descriptor> taken = take_descriptors(0);
    accepts_asked = 0;
    hub.turn(50 * ms);
    say(fmt::format("refused {}, {}", hub.connections->refused(),
                    accepts_asked <= 6 ? "and that was it" : fmt::format("asked {} times", accepts_asked)));
  });
  CHECK(ended.code == 0);
  CHECK(ended.out == "refused 1, and that was it\n");
}

TEST_CASE(
    "connections: where not even the spare descriptor is left, they wait instead of spinning, and are taken later") {
  const Ended ended = in_child([] {
    auto poller = os::Poller::create();
    auto listening = os::listen_on_loopback();
    auto client = os::connect_to({0x7F000001, listening->port}, std::chrono::milliseconds(60'000));
    std::vector<os::Descriptor> taken = take_descriptors(0);
    Connections connections(*poller, own_notice, std::move(*listening), {}, noted_ns);
    const auto turn = [&](std::int64_t now_ns, std::int64_t timeout_ns) {
      poller->sleep(timeout_ns);
      return connections.serve(now_ns, noted_ns);
    };
    turn(1000 * ms, os::Poller::for_ever);
    say(fmt::format("due in {} ms", (connections.due_ns() - 1000 * ms) / ms));
    say(fmt::format("ready {}", turn(1000 * ms, 0)));
    say(fmt::format("refused {} open {}", connections.refused(), connections.open()));
    taken.clear();
    turn(connections.due_ns(), 0);
    turn(5000 * ms, 0);
    say(fmt::format("refused {} open {}", connections.refused(), connections.open()));
    say(connections.due_ns() == event::Outlet::never ? "not due" : "due");
  });
  CHECK(ended.err == "");
  CHECK(ended.code == 0);
  CHECK(lines_of(ended.out) == Words{"due in 100 ms", "ready 0", "refused 0 open 0", "refused 0 open 1", "not due"});
}

TEST_CASE("connections: more than there may be are refused and counted, and told once") {
  const Ended ended = in_child([] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 3 * hub::connections_max) throw std::runtime_error("this test needs 12288 descriptors");
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    Hub hub;
    std::vector<os::Descriptor> children;
    while (children.size() < hub::connections_max) children.push_back(hub.connected());
    say(fmt::format("refused {} open {}", hub.connections->refused(), hub.connections->open()));
    std::vector<os::Descriptor> late;
    for (int i = 0; i < 3; ++i) late.push_back(hub.connect());
    hub.serve_until([&] { return hub.connections->refused() == 3; });
    say(hub.connections->take_complaint());
    say("[" + hub.connections->take_complaint() + "]");
    for (const os::Descriptor& each : late) say(is_closed_by_peer(each) ? "closed" : "open");
    children.pop_back();
    hub.serve_until([&] { return hub.connections->open() < hub::connections_max; });
    const os::Descriptor next = hub.connected();
    say(fmt::format("refused {} open {}", hub.connections->refused(), hub.connections->open()));
  });
  CHECK(ended.err == "");
  CHECK(ended.code == 0);
  CHECK(lines_of(ended.out) == Words{"refused 0 open 4096",
                                     "connection refused: more than 4096 connections; further ones are only counted",
                                     "[]", "closed", "closed", "closed", "refused 3 open 4096"});
}

TEST_CASE("connections: frames that are not whole share a budget, whoever exceeds it is closed") {
  Hub hub;
  constexpr std::size_t half_bytes = 9'900'000;
  constexpr std::size_t fit = hub::held_bytes_max / half_bytes;
  const std::string half = log_frame(2, std::string(9'990'000, 'h')).substr(0, half_bytes);
  std::vector<os::Descriptor> greedy;
  const auto send_half = [&] {
    greedy.push_back(hub.connected());
    std::string_view rest = half;
    while (!rest.empty()) {
      const std::string_view piece = rest.substr(0, 500'000);
      std::thread sender([&] { send_all(greedy.back(), piece); });
      const std::uint64_t before = hub.connections->bytes_read();
      hub.serve_until([&] { return hub.connections->bytes_read() >= before + piece.size(); });
      sender.join();
      rest.remove_prefix(piece.size());
    }
  };
  for (std::size_t i = 0; i < fit; ++i) send_half();
  CHECK(hub.connections->open() == fit);
  CHECK(hub.told.empty());
  const os::Descriptor modest = hub.connected();
  send_all(modest, log_frame(2, "whole frames cost nothing"));
  hub.serve_until_told(1);

  // One more, until it is too much.
  greedy.push_back(hub.connected());
  std::thread sender([&] { os::send(greedy.back(), std::as_bytes(std::span(half))); });
  sender.join();
  for (std::size_t sent = 0; hub.connections->open() == fit + 2;) {
    const os::Received some = os::send(greedy.back(), std::as_bytes(std::span(half)).subspan(sent));
    if (some.outcome == os::Transfer::done) sent += some.bytes;
    hub.turn(1 * ms);
  }
  REQUIRE(hub.told.size() >= 2);
  CHECK(hub.told[1].notice);
  CHECK(hub.told[1].message.starts_with(
      fmt::format("child[{}]: too many frames that are not whole; ", local_port(greedy.back()))));
  CHECK(hub.connections->open() == fit + 1);

  // Room that is given back is used again.
  greedy.front().reset();
  hub.serve_until([&] { return hub.connections->open() == fit; });
  send_all(modest, log_frame(2, "still here"));
  const std::size_t before = hub.told.size();
  hub.serve_until_told(before + 1);
  CHECK(words_of(hub.told.back()) == "INF child: still here");
  greedy.erase(greedy.begin());
  greedy.pop_back();
  send_half();
  CHECK(hub.connections->open() == fit + 1);
}

TEST_CASE("connections: who must prove that he may speak has a time for it, and is told of by what is wrong") {
  const std::string token(32, 'a');
  Hub hub(hub::Admission(Trust::token, token));
  const os::Descriptor silent = hub.connected();
  const os::Descriptor wrong = hub.connected();
  const os::Descriptor right = hub.connected();
  send_all(wrong, hello_frame("wrong", 8, "token") + log_frame(2, "unheard"));
  send_all(right, hello_frame("right", 9, token) + log_frame(2, "heard"));
  const Words words = hub.serve_until_told(1);
  CHECK(words == Words{"INF right: heard"});
  hub.serve_until([&] { return hub.connections->open() == 2; });
  CHECK(is_closed_by_peer(wrong));
  CHECK(hub.connections->refused() == 1);
  CHECK(hub.connections->take_complaint() ==
        "connection refused: it did not prove that it is a child of this process; further ones are only counted");
  CHECK(hub.connections->take_complaint() == "");

  CHECK(hub.connections->due_ns() == hub.now_ns + hub::knock_ns_max);
  hub.now_ns += hub::knock_ns_max;
  hub.turn(0);
  CHECK(hub.connections->open() == 1);
  CHECK(is_closed_by_peer(silent));
  CHECK(hub.connections->refused() == 2);
  CHECK(hub.connections->take_complaint() ==
        "connection refused: it proved nothing within 2 s; further ones are only counted");
  send_all(right, log_frame(2, "still heard"));
  CHECK(hub.serve_until_told(2).size() == 2);
}

TEST_CASE("connections: with the token only, this user's own that are silent keep nobody out") {
  const std::string token(32, 'a');
  Hub hub(hub::Admission(Trust::token, token));
  std::vector<os::Descriptor> silent;
  for (std::size_t i = 0; i < hub::knocking_max + 20; ++i) silent.push_back(hub.connected());
  const os::Descriptor child_process = hub.connected();
  send_all(child_process, hello_frame("right", 9, token) + log_frame(2, "heard"));
  CHECK(hub.serve_until_told(1) == Words{"INF right: heard"});
  CHECK(hub.connections->refused() == 0);
  CHECK(hub.connections->open() == silent.size() + 1);
  hub.now_ns += hub::knock_ns_max;
  hub.turn(0);
  CHECK(hub.connections->refused() == silent.size());
  CHECK(hub.connections->open() == 1);
}

TEST_CASE("connections: of others so many may try to prove it at a time; the oldest makes room for a new one") {
  if (::geteuid() != 0) return;  // only root can be another user
  const std::string token(32, 'a');
  for (const Trust trust : {Trust::token, Trust::same_user}) {
    Hub hub(hub::Admission(trust, token));
    const os::Descriptor ours = hub.connected();
    std::vector<os::Descriptor> strangers;
    const auto come = [&] {
      // Whose a socket is, is decided where it is made.
      ::setfsuid(65'534);
      os::Descriptor socket = hub.connect();
      ::setfsuid(0);
      return socket;
    };
    for (std::size_t i = 0; i < hub::knocking_max; ++i) strangers.push_back(come());
    hub.serve_until([&] { return hub.connections->open() == hub::knocking_max + 1; });
    CHECK(hub.connections->refused() == 0);
    const os::Descriptor friendly = come();
    hub.serve_until([&] { return hub.connections->refused() == 1; });
    CHECK(hub.connections->open() == hub::knocking_max + 1);
    CHECK(is_closed_by_peer(strangers.front()));
    CHECK(hub.connections->take_complaint() ==
          "connection refused: more than 256 that must prove that they may speak; further ones are only counted");
    send_all(friendly, hello_frame("right", 9, token) + log_frame(2, "heard"));
    CHECK(hub.serve_until_told(1) == Words{"INF right: heard"});
    // There is room again.
    const os::Descriptor another = come();
    hub.serve_until([&] { return hub.connections->open() == hub::knocking_max + 2; });
    CHECK(hub.connections->refused() == 1);
  }
}

TEST_CASE("connections: what comes too fast is counted, and told a second later at the latest") {
  Hub hub;
  hub.connections->limit_records(2);
  const os::Descriptor child_process = hub.connected();
  const std::int64_t begun_ns = hub.now_ns;
  std::string said = hello_frame("worker", 9);
  for (int i = 0; i < 5; ++i) said += log_frame(2, fmt::format("m{}", i));
  send_all(child_process, said);
  hub.serve_until([&] { return hub.connections->due_ns() != event::Outlet::never; });
  CHECK(words_of(hub.told) == Words{"INF worker: m0", "INF worker: m1"});
  CHECK(hub.connections->due_ns() == begun_ns + 1000 * ms);
  hub.now_ns = begun_ns + 1000 * ms;
  hub.wall_ns += 1000 * ms;
  hub.turn(0);
  CHECK(words_of(hub.told).back() == "WRN dlog (notice): worker[9]: 3 records dropped: more than 2 a second");
  CHECK(hub.connections->due_ns() == event::Outlet::never);
  // Who asks is told so.
  send_all(child_process, flush_frame(1, 5));
  hub.serve_until([&] { return hub.connections->asked_to_flush(); });
  hub.connections->take_flushes();
  hub.connections->answer_flushes([](std::uint64_t) { return std::uint64_t{4}; });
  const std::string flushed = flushed_frame(1, 5, 4 + 3);
  CHECK(receive_exactly(child_process, flushed.size()) == flushed);
  // A word that was given a moment ago is not the time for another.
  said.clear();
  for (int i = 0; i < 4; ++i) said += log_frame(2, "m");
  send_all(child_process, said);
  hub.serve_until([&] { return hub.connections->due_ns() != event::Outlet::never; });
  hub.told.clear();
  hub.now_ns += 1000 * ms;
  hub.wall_ns += 999 * ms;  // the other clock was corrected
  hub.turn(0);
  CHECK(hub.told.empty());
  hub.now_ns = hub.connections->due_ns();
  hub.wall_ns += 1000 * ms;
  hub.turn(0);
  CHECK(words_of(hub.told) == Words{"WRN dlog (notice): worker[9]: 2 records dropped: more than 2 a second"});
}

TEST_CASE("connections: flushes are answered when they are, news when there are some") {
  Hub hub;
  const os::Descriptor child_process = hub.connected();
  send_all(child_process, hello_frame("worker", 9) + watch_frame() + log_frame(2, "m") + flush_frame(1, 1));
  hub.serve_until([&] { return hub.connections->asked_to_flush(); });
  CHECK(hub.told.size() == 1);
  CHECK(read_now(child_process) == "");
  const auto lost_of = [&](std::uint64_t id) { return id == hub.told[0].source_id ? std::uint64_t{4} : 0; };
  hub.connections->take_flushes();
  hub.connections->answer_flushes(lost_of);
  CHECK_FALSE(hub.connections->asked_to_flush());
  const std::string flushed = flushed_frame(1, 1, 4);
  CHECK(receive_exactly(child_process, flushed.size()) == flushed);

  hub.connections->tell_news(Level::trace, false, lost_of);  // as it was
  CHECK(read_now(child_process) == "");
  hub.connections->tell_news(Level::warn, false, lost_of);
  const std::string news = news_frame(3, 1, false, 4);
  CHECK(receive_exactly(child_process, news.size()) == news);
  hub.connections->tell_news(Level::info, false, lost_of);  // nobody asked again
  CHECK(read_now(child_process) == "");
  send_all(child_process, watch_frame());
  hub.turn();
  hub.connections->tell_news(Level::info, false, lost_of);  // now somebody has
  const std::string later_news = news_frame(2, 1, false, 4);
  CHECK(receive_exactly(child_process, later_news.size()) == later_news);
  send_all(child_process, watch_frame());
  hub.turn();
  hub.connections->tell_news(Level::info, false, lost_of);
  CHECK(read_now(child_process) == "");
  hub.connections->tell_news(Level::info, true, lost_of);
  const std::string last = news_frame(2, 1, true, 4);
  CHECK(receive_exactly(child_process, last.size()) == last);
}

TEST_CASE("connections: a record that is at hand, and was not delivered, is in no answer") {
  Hub hub;
  const os::Descriptor child_process = hub.connected();
  send_all(child_process,
           hello_frame("worker", 9) + watch_frame() + log_frame(2, "one") + flush_frame(1, 1) + log_frame(2, "two"));
  const auto nothing_lost = [](std::uint64_t) { return std::uint64_t{0}; };
  while (!hub.connections->waiting()) {
    hub.poller->sleep(os::Poller::for_ever);
    hub.connections->serve(hub.now_ns, hub.wall_ns);
  }
  std::size_t delivered = 0;
  hub.connections->take_until(
      hub.wall_ns, [&](const Event&) { ++delivered; }, [] { return true; });
  REQUIRE(delivered == 1);
  REQUIRE(hub.connections->waiting());
  REQUIRE(hub.connections->asked_to_flush());
  hub.connections->take_flushes();
  hub.connections->answer_flushes(nothing_lost);
  const std::string flushed = flushed_frame(1, 1, 0);
  CHECK(receive_exactly(child_process, flushed.size()) == flushed);
  hub.connections->tell_news(Level::info, true, nothing_lost);
  const std::string last = news_frame(2, 1, true, 0);
  CHECK(receive_exactly(child_process, last.size()) == last);
}

TEST_CASE("connections: who was told the last news is heard no more, others are") {
  Hub hub;
  const os::Descriptor told = hub.connected();
  const os::Descriptor other = hub.connected();
  send_all(told, hello_frame("worker", 9) + watch_frame() + log_frame(2, "one"));
  CHECK(hub.serve_until_told(1).size() == 1);
  send_all(told, log_frame(2, "at hand") + log_frame(2, "behind it"));
  while (!hub.connections->waiting()) {
    hub.poller->sleep(os::Poller::for_ever);
    hub.connections->serve(hub.now_ns, hub.wall_ns);
  }
  hub.connections->tell_news(Level::info, true, [](std::uint64_t) { return std::uint64_t{0}; });
  send_some(told, log_frame(2, "later"));
  send_all(other, log_frame(2, "of the other"));
  const Words words = hub.serve_until_told(2);
  CHECK(words.back().find("of the other") != std::string::npos);
  CHECK(hub.connections->open() == 1);
  const std::string last = news_frame(2, 1, true, 0);
  CHECK(receive_exactly(told, last.size()) == last);
  CHECK(is_closed_by_peer(told));
}

TEST_CASE("connections: where only the dead are heard, who comes later is heard too, and in the end all are") {
  Hub hub;
  const os::Descriptor alive = hub.connected();
  hub.connections->hear_only_the_dead();
  send_all(alive, log_frame(2, "of the living"));
  const os::Descriptor later = hub.connect();
  send_all(later, log_frame(2, "of one who came later"));
  CHECK(hub.serve_until_told(1) == Words{"INF child: of one who came later"});
  hub.connections->hear_all_again();
  CHECK(hub.serve_until_told(2) == Words{"INF child: of one who came later", "INF child: of the living"});
}

TEST_CASE("connections: a child that comes to the level as it is hears no news of it") {
  Hub hub;
  hub.connections->begin_at(Level::warn);
  const os::Descriptor child_process = hub.connected();
  send_all(child_process, hello_frame("worker", 9) + watch_frame() + log_frame(4, "one"));
  CHECK(hub.serve_until_told(1).size() == 1);
  hub.connections->tell_news(Level::warn, false, [](std::uint64_t) { return std::uint64_t{0}; });
  CHECK(read_now(child_process) == "");
  hub.connections->tell_news(Level::error, false, [](std::uint64_t) { return std::uint64_t{0}; });
  const std::string news = news_frame(4, 1, false, 0);
  CHECK(receive_exactly(child_process, news.size()) == news);
}

TEST_CASE("connections: a child that asks and is gone is not answered") {
  Hub hub;
  os::Descriptor child_process = hub.connected();
  send_all(child_process, hello_frame("worker", 9) + watch_frame() + flush_frame(1, 0));
  hub.serve_until([&] { return hub.connections->asked_to_flush(); });
  child_process.reset();
  hub.serve_until([&] { return hub.connections->open() == 0; });
  hub.connections->take_flushes();
  hub.connections->answer_flushes([](std::uint64_t) { return std::uint64_t{0}; });
  hub.connections->tell_news(Level::info, true, [](std::uint64_t) { return std::uint64_t{0}; });
  CHECK_FALSE(hub.connections->asked_to_flush());
}

TEST_CASE("connections: all together have so many bars open, and what one gives back another may take") {
  Hub hub;
  const std::size_t full = hub::bars_open_max / hub::bars_per_connection_max;
  std::vector<os::Descriptor> many;
  const auto fill = [&] {
    many.push_back(hub.connected());
    std::string creates;
    for (std::size_t bar = 0; bar < hub::bars_per_connection_max; ++bar) creates += create_frame(bar, "b", 5);
    std::thread sender([&] { send_all(many.back(), creates); });
    hub.serve_until_told(hub.told.size() + hub::bars_per_connection_max);
    sender.join();
  };
  for (std::size_t i = 0; i < full; ++i) fill();
  hub.told.clear();

  os::Descriptor one_more = hub.connected();
  send_all(one_more, create_frame(1, "refused", 5) + create_frame(2, "refused", 5) + log_frame(2, "heard"));
  const Words words = hub.serve_until_told(2);
  REQUIRE(words.size() == 2);  // told once
  CHECK(words[0].find("open bars") != std::string::npos);
  CHECK(words[1].starts_with("INF child: heard"));

  many.pop_back();
  hub.serve_until_told(2 + hub::bars_per_connection_max);  // orphaned
  hub.told.clear();
  send_all(one_more, create_frame(3, "taken", 5));
  CHECK(hub.serve_until_told(1).front() == "bar 3 of child: created running 0/5 taken");
}

TEST_CASE("connections: at the end it is known who was heard out") {
  Hub hub;
  CHECK(hub.connections->all_heard_out());  // nobody is there
  const os::Descriptor first = hub.connected();
  const os::Descriptor second = hub.connected();
  hub.connections->begin_hearing_out();
  CHECK_FALSE(hub.connections->all_heard_out());
  send_all(first, log_frame(2, "a"));
  hub.serve_until_told(1);
  CHECK_FALSE(hub.connections->all_heard_out());
  send_all(second, log_frame(2, "b"));
  hub.serve_until_told(2);
  CHECK(hub.connections->all_heard_out());
  hub.connections->begin_hearing_out();
  CHECK_FALSE(hub.connections->all_heard_out());
}

TEST_CASE("connections: after a fork the child lets go of everything, the parent keeps it") {
  Hub hub;
  const os::Descriptor before = hub.connected();
  const Ended ended = in_child([&] {
    const int next = ::dup(0);
    hub.connections->abandon();
    hub.poller->abandon();
    // What it let go is free again: the listener, the spare, the connection, and the poller's three.
    ::close(next);
    int free = 0;
    for (int fd = 3; fd < next; ++fd) free += ::fcntl(fd, F_GETFD) == -1 ? 1 : 0;
    say(fmt::format("{} {}", free >= 6 ? "free" : "still open", has_closed(before) ? "closed" : "open"));
  });
  CHECK(ended.code == 0);
  CHECK(ended.out == "free open\n");
  send_all(before, log_frame(2, "before"));
  CHECK(hub.serve_until_told(1) == Words{"INF child: before"});
  const os::Descriptor after = hub.connected();
  send_all(after, log_frame(2, "after"));
  CHECK(hub.serve_until_told(2).back() == "INF child: after");
}

TEST_CASE("connections: a child of a fork keeps no connection open") {
  Hub hub;
  os::Descriptor ours = hub.connected();
  Ends release = make_pipe();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ours.reset();
    release.theirs.reset();
    hub.connections->abandon();
    hub.poller->abandon();
    wait_readable(release.ours);  // lives on until the test is over
    std::_Exit(0);
  }
  send_all(ours, u32(0xFFFF'FFFF));  // the parent closes it
  hub.serve_until([&] { return hub.connections->open() == 0; });
  CHECK(is_closed_by_peer(ours));
  release.theirs.reset();
  ::waitpid(pid, nullptr, 0);
}

TEST_CASE("connections: with another poller those who are there are heard, and others come") {
  Hub hub;
  const os::Descriptor before = hub.connected();
  auto made = os::Poller::create();
  REQUIRE(made);
  auto another = std::make_unique<os::Poller>(std::move(*made));
  hub.connections->go_on_with(*another);
  hub.poller = std::move(another);
  CHECK(hub.connections->take_complaint().empty());
  send_all(before, log_frame(2, "before"));
  CHECK(hub.serve_until_told(1) == Words{"INF child: before"});
  const os::Descriptor after = hub.connected();
  send_all(after, log_frame(2, "after"));
  CHECK(hub.serve_until_told(2).back() == "INF child: after");
}
