// Tests of channel/live_links: the child of a fork has no channel, and keeps none of its parent's open.
#include "channel/live_links.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>

#include "channel/two_channels.hpp"
#include "channel/words.hpp"
#include "dlog/channel.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using namespace dlog::test;
using namespace std::chrono_literals;

// A forked child that says what it found, and lives until this goes.
class LivingChild {
 public:
  explicit LivingChild(const std::function<std::string()>& body) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    const std::string said = body() + "\n";
    if (::write(said_.theirs.get(), said.data(), said.size()) < 0) ::_exit(1);
    life_.theirs.reset();
    pollfd entry{life_.ours.get(), POLLIN, 0};
    ::poll(&entry, 1, -1);  // until the parent lets go
    ::_exit(0);
  }
  ~LivingChild() {
    life_.theirs.reset();
    ::waitpid(pid_, nullptr, 0);
  }
  LivingChild(const LivingChild&) = delete;
  LivingChild& operator=(const LivingChild&) = delete;
  std::string said() {
    std::string out;
    until([&] { return (out += read_now(said_.ours)).ends_with('\n'); });
    if (!out.empty()) out.pop_back();
    return out;
  }

 private:
  Ends said_ = make_pipe();
  Ends life_ = make_pipe();
  pid_t pid_ = -1;
};

std::string flag(bool value) { return value ? "1" : "0"; }

TEST_CASE("live links: in the child of a fork a channel takes nothing, and going does not hang") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    heard.hear_all_of(both.theirs);
    const int fd_before = both.ours.fd();
    LivingChild child([&] {
      Heard in_child;
      std::string said = flag(both.ours.connected()) + flag(both.ours.send(1)) +
                         flag(both.ours.send(1, in_child.sent("sent"))) + flag(both.ours.disconnect()) +
                         flag(both.ours.wait(10ms)) + flag(both.ours.process_ready()) + flag(both.ours.cancel(1));
      both.ours.request("a", 1, 1s, in_child.reply());
      both.ours.on_message([](Json&&) {});
      both.ours.unref();
      said += " " + std::to_string(both.ours.queued_bytes()) + " " + std::to_string(both.ours.fd());
      both.ours = Channel();
      for (const std::string& words : in_child.words()) said += " " + words;
      return said;
    });
    CHECK(child.said() == "0000000 0 -1 sent not_connected not_connected");
    // The parent's goes on.
    CHECK(both.ours.fd() == fd_before);
    CHECK(both.ours.connected());
    CHECK(both.ours.send("from the parent"));
    CHECK(both.reach([&] { return heard.count() == 1; }));
    CHECK(heard.words() == Words{"\"from the parent\""});
  }
}

TEST_CASE("live links: a forked child that lives on does not keep the channel open") {
  for (const bool ours_goes : {true, false}) {
    Heard heard;
    TwoChannels both = two_channels();
    heard.hear_all_of(ours_goes ? both.theirs : both.ours);
    LivingChild child([] { return std::string("here"); });
    CHECK(child.said() == "here");
    (ours_goes ? both.ours : both.theirs) = Channel();
    CHECK(until([&] { return heard.has("disconnect"); }));
  }
}

TEST_CASE("live links: of a channel with much to send the child of a fork knows nothing") {
  ChannelAndPeer pair = channel_and_peer();
  constexpr int count = 200;
  for (int i = 0; i < count; ++i) pair.channel.send(std::string(9'998, 'x'));
  CHECK(pair.channel.queued_bytes() > 0);
  LivingChild child([&] { return std::to_string(pair.channel.queued_bytes()); });
  CHECK(child.said() == "0");
  for (int i = 0; i < count; ++i) CHECK(pair.peer.line().size() == 10'000);
  CHECK(pair.channel.disconnect());
  CHECK(pair.peer.line() == "(end)");
}

TEST_CASE("live links: a forked child may open a channel of its own") {
  TwoChannels both = two_channels();
  LivingChild child([] {
    Heard heard;
    TwoChannels own = two_channels();
    own.theirs.on_message(heard.messages());
    own.ours.send(1);
    until([&] { return heard.count() == 1; });
    own.theirs.on_message(nullptr);
    return heard.words().at(0);
  });
  CHECK(child.said() == "1");
  CHECK(both.ours.connected());
}

TEST_CASE("live links: channels come and go while another thread forks") {
  std::thread forks([] {
    for (int i = 0; i < 30; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) ::_exit(0);
      ::waitpid(pid, nullptr, 0);
    }
  });
  for (int i = 0; i < 100; ++i) {
    Heard heard;
    TwoChannels both = two_channels();
    both.theirs.on_message(heard.messages());
    both.ours.send(i);
    CHECK(until([&] { return heard.count() == 1; }));
  }
  forks.join();
}

}  // namespace
