// Tests of channel/link_requests: requests have their answers, one each: a result, an error, or the reason why there is none.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "channel/two_channels.hpp"
#include "channel/words.hpp"
#include "dlog/channel.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using namespace dlog::test;
using namespace std::chrono_literals;

constexpr auto long_enough = 30s;

TEST_CASE("link requests: a request has its result, whoever answers and however late") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    for (const Dialect dialect : {Dialect::node, Dialect::deka}) {
      Heard heard;
      std::vector<Responder> kept;
      std::mutex mutex;
      TwoChannels both = two_channels(dialect, options_of(delivery), options_of(delivery));
      both.theirs.on_request("now", [](Json&& params, Responder&& responder) { responder.reply({{"was", params}}); });
      both.theirs.on_request("later", [&](Json&&, Responder&& responder) {
        const std::lock_guard lock(mutex);
        kept.push_back(std::move(responder));
      });
      CHECK(both.ours.request("later", 1, long_enough, heard.reply("later")) != 0);
      CHECK(both.ours.request("now", {1, "a"}, long_enough, heard.reply("now")) != 0);
      CHECK(both.reach([&] { return heard.count() == 1; }));
      CHECK(both.reach([&] {
        const std::lock_guard lock(mutex);
        return kept.size() == 1;
      }));
      std::thread other([&] {
        CHECK_FALSE(kept[0].cancelled());
        CHECK(kept[0].reply(nullptr));
        CHECK_FALSE(kept[0].reply(2));
        CHECK_FALSE(kept[0].fail(1, "late"));
      });
      other.join();
      CHECK(both.reach([&] { return heard.count() == 2; }));
      CHECK(heard.words() == Words{R"(now result {"was":[1,"a"]})", "later result null"});
    }
  }
}

TEST_CASE("link requests: a request has the other side's error, with its number and text") {
  Heard heard;
  TwoChannels both = two_channels();
  both.theirs.on_request("fail", [](Json&&, Responder&& responder) { CHECK(responder.fail(-7, "not \"today\"")); });
  both.theirs.on_request("drop", [](Json&&, Responder&&) {});
  both.theirs.on_request("bytes", [](Json&&, Responder&& responder) { responder.reply(Json::binary({1})); });
  both.ours.request("fail", 1, long_enough, heard.reply());
  both.ours.request("no \"such\" method", 1, long_enough, heard.reply());
  both.ours.request("drop", 1, long_enough, heard.reply());
  both.ours.request("bytes", 1, long_enough, heard.reply());
  CHECK(until([&] { return heard.count() == 4; }));
  CHECK(heard.words() == Words{"refused -7 not \"today\"", "refused -32601 no such method: no \"such\" method",
                               "refused -32603 the request was not answered",
                               "refused -32603 the result cannot be sent: bytes have no JSON"});
}

TEST_CASE("link requests: a thread may wait for its reply") {
  TwoChannels both = two_channels();
  both.theirs.on_request("add", [](Json&& params, Responder&& responder) {
    responder.reply(params[0].get<int>() + params[1].get<int>());
  });
  std::future<Reply> future = both.ours.request("add", {2, 3}, long_enough);
  Reply reply = future.get();
  REQUIRE(reply);
  CHECK(reply.result() == 5);
}

TEST_CASE("link requests: a thousand requests at once each have their own reply") {
  constexpr int count = 1000;
  std::vector<std::atomic<int>> replies(count);
  std::atomic<int> wrong{0};
  std::atomic<int> all{0};
  std::vector<std::pair<int, Responder>> kept;
  TwoChannels both = two_channels();
  both.theirs.on_request("odd later", [&](Json&& params, Responder&& responder) {
    const int number = params.get<int>();
    if (number % 2 == 0) {
      responder.reply(number);
    } else {
      kept.emplace_back(number, std::move(responder));
    }
    if (number == count - 1)
      for (; !kept.empty(); kept.pop_back()) kept.back().second.reply(kept.back().first);
  });
  for (int i = 0; i < count; ++i) {
    both.ours.request("odd later", i, long_enough, [&, i](Reply&& reply) {
      if (!reply || reply.result() != i) ++wrong;
      ++replies[static_cast<std::size_t>(i)];
      ++all;
    });
  }
  CHECK(until([&] { return all == count; }));
  CHECK(wrong == 0);
  for (const std::atomic<int>& one : replies) CHECK(one == 1);
}

TEST_CASE("link requests: a request that is not answered in time is told so, and the other side that nobody waits") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    std::optional<Responder> kept;
    std::atomic<bool> came{false};
    TwoChannels both = two_channels(Dialect::node, options_of(delivery));
    both.ours.on_message(heard.messages());
    both.ours.on_error(heard.errors());
    both.theirs.on_request("slow", [&](Json&&, Responder&& responder) {
      kept.emplace(std::move(responder));
      came = true;
    });
    const RequestId id = both.ours.request("slow", 1, 20ms, heard.reply());
    CHECK(both.reach([&] { return heard.count() == 1 && came; }));
    CHECK(heard.words() == Words{"timed_out"});
    CHECK_FALSE(both.ours.cancel(id));
    CHECK(until([&] { return kept->cancelled(); }));
    // The late answer is dropped: the message behind it is the next that is heard of.
    kept->reply(1);
    both.theirs.send("behind");
    CHECK(both.reach([&] { return heard.count() == 2; }));
    CHECK(heard.words() == Words{"timed_out", "\"behind\""});
    kept.reset();
  }
}

TEST_CASE("link requests: requests end in the order of their times") {
  Heard heard;
  TwoChannels both = two_channels();
  both.ours.request("a", 1, 2000ms, heard.reply("slow"));
  both.ours.request("a", 1, 1000ms, heard.reply("fast"));
  both.ours.request("a", 1, -1ms, heard.reply("past"));
  both.ours.request("a", 1, std::chrono::milliseconds::max(), heard.reply("never"));
  CHECK(until([&] { return heard.count() == 3; }));
  CHECK(heard.words() == Words{"past timed_out", "fast timed_out", "slow timed_out"});
  both.ours.disconnect();
  CHECK(until([&] { return heard.count() == 4; }));
  CHECK(heard.words().back() == "never not_connected");
}

TEST_CASE("link requests: a request that is cancelled is told so once, and the other side too") {
  Heard heard;
  std::optional<Responder> kept;
  std::atomic<bool> came{false};
  TwoChannels both = two_channels();
  both.theirs.on_request("slow", [&](Json&&, Responder&& responder) {
    kept.emplace(std::move(responder));
    came = true;
  });
  const RequestId id = both.ours.request("slow", 1, long_enough, heard.reply());
  CHECK(until([&] { return came.load(); }));
  CHECK_FALSE(kept->cancelled());
  CHECK(both.ours.cancel(id));
  CHECK_FALSE(both.ours.cancel(id));
  CHECK_FALSE(both.ours.cancel(0));
  CHECK_FALSE(both.ours.cancel(id + 1));
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK(heard.words() == Words{"cancelled"});
  CHECK(until([&] { return kept->cancelled(); }));
}

TEST_CASE("link requests: the end fails all requests that wait, and those that come after it") {
  for (const bool by_us : {true, false}) {
    Heard heard;
    std::optional<Responder> kept;
    std::atomic<bool> came{false};
    TwoChannels both = two_channels();
    both.theirs.on_request("slow", [&](Json&&, Responder&& responder) {
      kept.emplace(std::move(responder));
      came = true;
    });
    both.ours.on_disconnect(heard.disconnect());
    both.ours.request("slow", 1, long_enough, heard.reply("first"));
    both.ours.request("message", 1, long_enough, heard.reply("second"));
    CHECK(until([&] { return heard.count() == 1 && came; }));  // the second has no such method
    (by_us ? both.ours : both.theirs).disconnect();
    CHECK(until([&] { return heard.count() == 3; }));
    CHECK(heard.words()[1] == "first not_connected");
    CHECK(heard.words()[2] == "disconnect");
    CHECK(both.ours.request("slow", 1, long_enough, heard.reply("late")) == 0);
    CHECK(until([&] { return heard.count() == 4; }));
    CHECK(heard.words()[3] == "late not_connected");
    CHECK(until([&] { return kept->cancelled(); }));
    CHECK_FALSE(kept->reply(1));
  }
}

TEST_CASE("link requests: requests that cannot be sent are answered with the reason, not on the caller's thread") {
  Options options;
  options.limits.line_bytes_max = 200;
  options.limits.queue_bytes_max = 1000;
  Heard heard;
  std::thread::id thread;
  ChannelAndPeer pair = channel_and_peer(Dialect::node, options);
  pair.channel.request("a", "\xFF", long_enough, heard.reply("text"));
  pair.channel.request("a", std::string(300, 'x'), long_enough, [&](Reply&& reply) {
    thread = std::this_thread::get_id();
    heard.add("long " + words_of(reply));
  });
  CHECK(until([&] { return heard.count() == 2; }));
  CHECK(heard.words() == Words{"text bad_value", "long bad_value"});
  CHECK(thread != std::this_thread::get_id());
  while (pair.channel.send(std::string(190, 'x')) || pair.channel.queued_bytes() < 800) {
  }
  pair.channel.request("a", std::string(100, 'x'), long_enough, heard.reply("full"));
  CHECK(until([&] { return heard.count() == 3; }));
  CHECK(heard.words().back() == "full queue_full");
}

TEST_CASE("link requests: an empty reply handler is one that does not care") {
  Heard heard;
  TwoChannels both = two_channels();
  both.theirs.on_request("a", [](Json&&, Responder&& responder) { responder.reply(1); });
  both.theirs.on_request("b", [](Json&&, Responder&&) {});
  both.ours.request("a", 1, long_enough, ReplyHandler());
  both.ours.request("a", "\xFF", long_enough, ReplyHandler());
  both.ours.request("a", 1, 0ms, ReplyHandler());
  both.ours.cancel(both.ours.request("b", 1, long_enough, ReplyHandler()));
  both.ours.request("a", 1, long_enough, heard.reply());
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK(heard.words() == Words{"result 1"});
  Channel().request("a", 1, long_enough, ReplyHandler());
}

TEST_CASE("link requests: a result too long for a line is an error for whoever waits for it") {
  Options options;
  options.limits.line_bytes_max = 200;
  Heard heard;
  TwoChannels both = two_channels(Dialect::node, options, options);
  heard.hear_all_of(both.ours);
  both.theirs.on_request("long", [](Json&&, Responder&& responder) { responder.reply(std::string(300, 'x')); });
  both.ours.request("long", 1, long_enough, heard.reply());
  CHECK(until([&] { return heard.count() == 1; }));
  REQUIRE(heard.count() == 1);
  CHECK(heard.words()[0].starts_with("refused -32603 "));
}

TEST_CASE("link requests: a responder that is moved onto fails what it had, and an empty one is nobody's") {
  Heard heard;
  std::vector<Responder> kept;
  std::atomic<int> came{0};
  TwoChannels both = two_channels();
  both.theirs.on_request("a", [&](Json&&, Responder&& responder) {
    kept.push_back(std::move(responder));
    ++came;
  });
  both.ours.request("a", 1, long_enough, heard.reply("first"));
  both.ours.request("a", 2, long_enough, heard.reply("second"));
  CHECK(until([&] { return came == 2; }));
  kept[0] = std::move(kept[1]);
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK_FALSE(kept[1].reply(1));
  CHECK_FALSE(kept[1].fail(1, "x"));
  CHECK(kept[1].cancelled());
  CHECK(kept[0].reply(2));
  CHECK(until([&] { return heard.count() == 2; }));
  CHECK(heard.words() == Words{"first refused -32603 the request was not answered", "second result 2"});
}

TEST_CASE("link requests: a responder may outlive its channel") {
  std::optional<Responder> kept;
  std::atomic<bool> came{false};
  {
    TwoChannels both = two_channels();
    both.theirs.on_request("a", [&](Json&&, Responder&& responder) {
      kept.emplace(std::move(responder));
      came = true;
    });
    both.ours.request("a", 1, long_enough, [](Reply&&) {});
    CHECK(until([&] { return came.load(); }));
  }
  CHECK(kept->cancelled());
  CHECK_FALSE(kept->reply(1));
}

}  // namespace
