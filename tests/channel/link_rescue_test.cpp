// Tests of channel/link and link_turn where a program, or the other side, does what nobody should: nothing hangs, spins, or grows.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "channel/two_channels.hpp"
#include "channel/words.hpp"
#include "dlog/channel.hpp"
#include "os/child.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using namespace dlog::test;
using namespace std::chrono_literals;
using dlog::os::Descriptor;

constexpr auto long_enough = 30s;
constexpr const char* ack = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";

Json nested(int levels) {
  Json value = Json::array();
  for (int i = 1; i < levels; ++i) value = Json::array({std::move(value)});
  return value;
}

Handle stream_handle() { return {HandleKind::socket, stream_pair().first.release()}; }

std::string request_line(int id, const std::string& method) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + method + "\"}\n";
}

TEST_CASE("link rescue: a callback takes the error handler away while errors are told") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  heard.hear_all_of(pair.channel);
  pair.channel.send("a", stream_handle(), [&](const std::optional<Error>&) {
    pair.channel.on_error({});
    heard.add("away");
  });
  pair.channel.send("b", stream_handle());
  pair.peer.line();
  pair.peer.close();
  CHECK(pair.channel.wait(long_enough));
  CHECK(heard.words() == Words{"away", "disconnect"});
}

TEST_CASE("link rescue: a channel that had ended and goes before its child leaves nobody at work") {
  SpawnOptions options;
  options.limits.linger = 1ms;
  Expected<Spawned> child = spawn("/bin/sh", {"-c", "exec 3>&-; exec sleep 60"}, options);
  REQUIRE(child);
  REQUIRE(child->channel.wait(long_enough));
  child->channel = Channel();
  std::this_thread::sleep_for(20ms);
  const auto used_ms = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  };
  const auto before = used_ms();
  std::this_thread::sleep_for(400ms);
  CHECK(used_ms() - before < 100);
  CHECK(child->process.kill(SIGKILL));
  CHECK(child->process.wait(long_enough));
}

TEST_CASE("link rescue: of several threads that wait with a loop each comes back") {
  for (int round = 0; round < 40; ++round) {
    ChannelAndPeer pair = channel_and_peer(Dialect::node, options_of(Delivery::loop));
    std::atomic<int> back{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&] {
        if (pair.channel.wait(long_enough)) ++back;
      });
    CHECK_FALSE(pair.channel.wait(round % 2 == 0 ? 0ms : 1ms));
    pair.channel.process_ready();  // does not wait for those that do
    pair.peer.close();
    for (std::thread& thread : threads) thread.join();
    CHECK(back == 3);
  }
}

TEST_CASE("link rescue: a loop's channel goes while another thread waits for its child") {
  for (int round = 0; round < 10; ++round) {
    SpawnOptions options;
    options.delivery = Delivery::loop;
    Expected<Spawned> child = spawn("/bin/sh", {"-c", "read line <&3; exit 3"}, options);
    REQUIRE(child);
    std::optional<ExitStatus> status;
    std::thread waiter([&] { status = child->process.wait(long_enough); });
    child->channel = Channel();
    waiter.join();
    REQUIRE(status);
    CHECK(status->code != 0);  // it read its end
  }
}

TEST_CASE("link rescue: a program that closes all descriptors gets rid of its channel") {
  CHECK(said_in_child([] {
          StreamPair pair = stream_pair();
          {
            Channel channel = opened(std::move(pair.first), Dialect::node);
            channel.send(1);
            std::this_thread::sleep_for(10ms);
            ::close_range(3, ~0U, 0);
            if (channel.wait(1ms)) return std::string("it has ended");
          }
          return std::string("gone");
        }) == "gone");
}

TEST_CASE("link rescue: what would be too deep in its envelope is not sent") {
  Heard heard;
  TwoChannels both = two_channels(Dialect::node);
  heard.hear_all_of(both.theirs);
  CHECK(both.ours.send(nested(64)));
  both.ours.send(nested(64), stream_handle(), heard.sent("handle 64"));
  CHECK(until([&] { return heard.has("handle 64 bad_value"); }));
  both.ours.send(nested(63), stream_handle(), heard.sent("handle 63"));
  CHECK(until([&] { return heard.has("handle 63 sent"); }));
  Reply reply = both.ours.request("x", nested(64), long_enough).get();
  CHECK(words_of(reply) == "bad_value");
  CHECK(until([&] { return heard.has(nested(63).dump()) && heard.has(nested(64).dump()); }));

  TwoChannels deka = two_channels(Dialect::deka);
  heard.hear_all_of(deka.theirs);
  deka.ours.send(nested(64), heard.sent("deka 64"));
  deka.ours.send(Json{{"deka", nested(62)}}, heard.sent("deka 63"));
  CHECK(until([&] { return heard.has("deka 64 bad_value") && heard.has("deka 63 sent"); }));
  CHECK(until([&] { return heard.has(Json{{"deka", nested(62)}}.dump()); }));
}

TEST_CASE("link rescue: a wait in the middle of a piece changes no order") {
  Heard heard;
  std::atomic<bool> told{false};
  std::atomic<bool> waits{false};
  ChannelAndPeer pair = channel_and_peer();
  pair.peer.write(request_line(1, "r") + "\"m1\"\ngarbage\n\"m2\"\n");
  pair.channel.on_error([&](const Error&) {
    told = true;
    until([&] { return waits.load(); });
    std::this_thread::sleep_for(50ms);
  });
  pair.channel.on_message(heard.messages());
  until([&] { return told.load(); });
  waits = true;
  pair.channel.wait(300ms);
  CHECK(until([&] { return heard.count() == 3; }));
  CHECK(heard.words() == Words{R"({"id":1,"jsonrpc":"2.0","method":"r"})", "\"m1\"", "\"m2\""});
}

TEST_CASE("link rescue: a handler that is replaced may hold what belongs to the channel") {
  Expected<Spawned> child =
      spawn("/bin/sh", {"-c", R"(echo '{"jsonrpc":"2.0","id":1,"method":"x"}' >&3; read line <&3; read end <&3)"});
  REQUIRE(child);
  std::atomic<bool> came{false};
  std::shared_ptr<Responder> responder;
  child->channel.on_request("x", [&](Json&&, Responder&& one) {
    responder = std::make_shared<Responder>(std::move(one));
    came = true;
  });
  REQUIRE(until([&] { return came.load(); }));
  child->process.on_exit([held = std::move(responder)](ExitStatus) {});
  child->process.on_exit([](ExitStatus) {});  // the responder answers here
  child->channel.disconnect();
  CHECK(child->process.wait(long_enough));
}

TEST_CASE("link rescue: who takes no messages reads the answer to a handle") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  std::thread flood([&] {
    std::string lines;
    for (int i = 0; i < 3000; ++i) lines += "\"" + std::string(200, 'x') + "\"\n";
    pair.peer.write(lines);
    pair.peer.write(ack);
  });
  std::this_thread::sleep_for(20ms);  // so that it has stopped reading, mostly
  pair.channel.send("h", stream_handle(), heard.sent("handle"));
  pair.channel.send("next", heard.sent("next"));
  CHECK(until([&] { return heard.count() == 2; }));
  CHECK(heard.words() == Words{"handle sent", "next sent"});
  flood.join();
}

TEST_CASE("link rescue: answers that nobody reads stay few") {
  ChannelAndPeer pair = channel_and_peer();
  const std::string line = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1}\n";
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += line;
  std::size_t given = 0;
  for (int still = 0; still < 50;) {
    const std::size_t now = pair.peer.write_now(lines);
    given += now;
    still = now == 0 ? still + 1 : 0;
    if (now == 0) std::this_thread::sleep_for(2ms);
    if (given > (16U << 20)) break;
  }
  CHECK(given < (16U << 20));
  CHECK(pair.channel.queued_bytes() < (256U << 10));
}

TEST_CASE("link rescue: a grandchild that goes on writing does not hide the child's end") {
  Expected<Spawned> child = spawn("/bin/sh", {"-c", "(trap '' PIPE; yes >&3 2>/dev/null) & exit 5"});
  REQUIRE(child);
  std::atomic<int> messages{0};
  child->channel.on_message([&](Json&&) { ++messages; });
  const std::optional<ExitStatus> status = child->process.wait(long_enough);
  REQUIRE(status);
  CHECK(status->code == 5);
  CHECK(child->channel.wait(long_enough));
}

TEST_CASE("link rescue: the other side takes no more, and does not end") {
  Heard heard;
  StreamPair pair = stream_pair();
  REQUIRE(::shutdown(pair.second.get(), SHUT_RD) == 0);
  Channel channel = opened(std::move(pair.first), Dialect::node);
  heard.hear_all_of(channel);
  channel.send(1, heard.sent("message"));
  CHECK(channel.wait(long_enough));
  CHECK(heard.words() == Words{"message not_connected", "disconnect"});
}

TEST_CASE("link rescue: handles that nobody took go with the channel, also where the child stays") {
  Expected<Spawned> child = spawn("/bin/sh", {"-c", "exec sleep 60"});
  REQUIRE(child);
  StreamPair pair = stream_pair();
  Channel channel = opened(std::move(pair.first), Dialect::node);
  Peer peer(std::move(pair.second));
  Descriptor ours;
  {
    StreamPair sent = stream_pair();
    ours = std::move(sent.first);
    peer.write("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1}\n", sent.second.get());
    CHECK(peer.line() + "\n" == ack);
  }
  channel = Channel();
  char byte = 0;
  CHECK(::read(ours.get(), &byte, 1) == 0);  // nobody has the other end
  child->process.kill(SIGKILL);
}

TEST_CASE("link rescue: messages among requests wait for their handler, too") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  pair.channel.on_request("r", [&](Json&&, Responder&& responder) { responder.reply("ok"); });
  std::this_thread::sleep_for(150ms);  // the setting up is over
  for (int i = 0; i < 40; ++i) {
    pair.peer.write(std::to_string(i) + "\n");
    pair.peer.write(request_line(i, "r"));
    CHECK(pair.peer.line() == R"({"jsonrpc":"2.0","id":)" + std::to_string(i) + R"(,"result":"ok"})");
  }
  pair.channel.on_message(heard.messages());
  CHECK(until([&] { return heard.count() == 40; }));
  CHECK(heard.words().front() == "0");
  CHECK(heard.words().back() == "39");
}

TEST_CASE("link rescue: without descriptors for it a channel is not taken over, and can be later") {
  CHECK(said_in_child([] {
          StreamPair pair = stream_pair();
          const int fd = pair.first.release();
          ::setenv("NODE_CHANNEL_FD", std::to_string(fd).c_str(), 1);
          std::vector<int> taken;
          rlimit limit{};
          ::getrlimit(RLIMIT_NOFILE, &limit);
          rlimit low = limit;
          low.rlim_cur = 64;
          ::setrlimit(RLIMIT_NOFILE, &low);
          for (int one = ::dup(2); one >= 0; one = ::dup(2)) taken.push_back(one);
          const Expected<Channel> first = Channel::from_environment();
          for (const int one : taken) ::close(one);
          Expected<Channel> second = Channel::from_environment();
          std::string said = first ? "taken" : to_string(first.error().code);
          said += second ? " then taken" : " then " + second.error().reason;
          return said;
        }) == "system then taken");
}

TEST_CASE("link rescue: who sends again whenever sending failed does not keep a channel from its end") {
  std::atomic<int> tries{0};
  std::function<void(const std::optional<Error>&)> again;
  {
    ChannelAndPeer pair = channel_and_peer();
    again = [&](const std::optional<Error>& error) {
      ++tries;
      if (error) pair.channel.send(1, again);
    };
    pair.peer.close();
    pair.channel.send(1, again);
    CHECK(until([&] { return tries > 3; }));
  }
  CHECK(tries > 3);
}

TEST_CASE("link rescue: a cancellation stays behind the request that it cancels") {
  std::optional<Responder> kept;
  ChannelAndPeer pair = channel_and_peer();
  pair.channel.on_request("other", [](Json&&, Responder&&) {});
  pair.peer.write(request_line(1, "slow") + R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}})" + "\n");
  std::this_thread::sleep_for(10ms);
  std::atomic<bool> came{false};
  pair.channel.on_request("slow", [&](Json&&, Responder&& responder) {
    kept.emplace(std::move(responder));
    came = true;
  });
  REQUIRE(until([&] { return came.load(); }));
  CHECK(until([&] { return kept->cancelled(); }));
  kept.reset();
}

TEST_CASE("link rescue: a handle whose descriptor the program has closed meanwhile is lost alone") {
  Heard heard;
  ChannelAndPeer pair = channel_and_peer();
  pair.channel.send("first", stream_handle(), heard.sent("first"));
  Handle handle = stream_handle();
  const int fd = handle.fd();
  pair.channel.send("second", std::move(handle), heard.sent("second"));
  pair.channel.send("third", heard.sent("third"));
  pair.peer.line();  // with its descriptor, which must not take the number
  ::close(fd);
  pair.peer.write(ack);
  CHECK(pair.peer.line() == "\"third\"");
  CHECK(until([&] { return heard.count() == 3; }));
  CHECK(heard.words() == Words{"first sent", "second handle_lost", "third sent"});
  CHECK(pair.channel.connected());
}

}  // namespace
