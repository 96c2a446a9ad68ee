// Tests of sink_list.cpp: who is handed what, and what is said of a sink that throws.
#include "log/hub/sink_list.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/collecting.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::SinkList;
using Words = std::vector<std::string>;

class Throwing : public Sink {
 public:
  explicit Throwing(std::string reason) : reason_(std::move(reason)) {}
  void accept(const Event&) override {
    ++calls;
    if (reason_.empty()) throw 17;
    throw std::runtime_error(reason_);
  }
  void flush() override { throw std::runtime_error("flush: " + reason_); }
  int calls = 0;

 private:
  std::string reason_;
};

}  // namespace

TEST_CASE("sinks: each is handed each event, in the order they were added") {
  SinkList list;
  const auto first = std::make_shared<CollectingSink>();
  const auto second = std::make_shared<CollectingSink>();
  list.accept(event_of(record("nobody hears")));
  list.add(first);
  list.accept(event_of(record("one")));
  list.add(second);
  list.add(nullptr);
  list.accept(event_of(record("two")));
  list.flush();
  CHECK(first->collected.words() == Words{"INF prog: one", "INF prog: two"});
  CHECK(second->collected.words() == Words{"INF prog: two"});
  CHECK(first->collected.calls() == Words{"flush"});
  CHECK(list.take_complaint() == "");
}

TEST_CASE("sinks: the same sink twice hears twice") {
  SinkList list;
  const auto sink = std::make_shared<CollectingSink>();
  list.add(sink);
  list.add(sink);
  list.accept(event_of(record("one")));
  CHECK(sink->collected.count() == 2);
}

TEST_CASE("sinks: one that throws is told once, stays, and harms nobody") {
  SinkList list;
  const auto bad = std::make_shared<Throwing>("disk on fire");
  const auto good = std::make_shared<CollectingSink>();
  list.add(bad);
  list.add(good);
  list.accept(event_of(record("one")));
  CHECK(list.take_complaint() == "a sink threw: disk on fire");
  CHECK(list.take_complaint() == "");
  list.accept(event_of(record("two")));
  list.flush();
  CHECK(list.take_complaint() == "");
  CHECK(bad->calls == 2);
  CHECK(good->collected.count() == 2);
}

TEST_CASE("sinks: what is no std::exception is told, and so is a flush") {
  SinkList list;
  list.add(std::make_shared<Throwing>(""));
  list.accept(event_of(record("one")));
  CHECK(list.take_complaint() == "a sink threw: not a std::exception");

  SinkList other;
  other.add(std::make_shared<Throwing>("x"));
  other.flush();
  CHECK(other.take_complaint() == "a sink threw: flush: x");
}

TEST_CASE("sinks: two that throw at the same event are both told") {
  SinkList list;
  list.add(std::make_shared<Throwing>("first"));
  list.add(std::make_shared<Throwing>("second"));
  std::string told;
  for (int i = 0; i < 3; ++i) {
    list.accept(event_of(record("one")));
    for (std::string text = list.take_complaint(); !text.empty(); text = list.take_complaint()) told += text + "; ";
  }
  INFO("told: " << told);
  CHECK(told.find("first") != std::string::npos);
  CHECK(told.find("second") != std::string::npos);
}

TEST_CASE("sinks: they are held as long as the list") {
  const auto sink = std::make_shared<CollectingSink>();
  {
    SinkList list;
    list.add(sink);
    list.accept(event_of(record("one")));
    CHECK(sink.use_count() > 1);
  }
  CHECK(sink.use_count() == 1);
}

TEST_CASE("sinks: they may be added while events are handed out") {
  SinkList list;
  constexpr int threads = 4;
  constexpr int each = 50;
  std::vector<std::shared_ptr<CollectingSink>> sinks;
  for (int i = 0; i < threads * each; ++i) sinks.push_back(std::make_shared<CollectingSink>());
  std::atomic<int> left{threads};
  std::vector<std::thread> adders;
  for (int t = 0; t < threads; ++t) {
    adders.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) list.add(sinks[static_cast<std::size_t>(t * each + i)]);
      --left;
    });
  }
  std::size_t events = 0;
  for (; left != 0; ++events) list.accept(event_of(record("one")));
  for (std::thread& adder : adders) adder.join();
  list.accept(event_of(record("last")));
  for (const auto& sink : sinks) {
    CHECK(sink->collected.count() <= events + 1);
    REQUIRE(sink->collected.count() >= 1);
    CHECK(sink->collected.words().back() == "INF prog: last");
  }
}

TEST_CASE("sinks: one may add another while it is called") {
  SinkList list;
  const auto late = std::make_shared<CollectingSink>();
  class Adding : public Sink {
   public:
    Adding(SinkList& to, std::shared_ptr<Sink> what) : list_(to), what_(std::move(what)) {}
    void accept(const Event&) override { list_.add(std::exchange(what_, nullptr)); }
    void flush() override {}

   private:
    SinkList& list_;
    std::shared_ptr<Sink> what_;
  };
  list.add(std::make_shared<Adding>(list, late));
  list.accept(event_of(record("one")));
  list.accept(event_of(record("two")));
  CHECK(late->collected.words() == Words{"INF prog: two"});
}

TEST_CASE("sinks: who is about to fork keeps the log thread out of them") {
  SinkList list;
  const auto sink = std::make_shared<CollectingSink>();
  list.add(sink);
  REQUIRE(list.keep_out(std::chrono::seconds{10}));
  std::atomic<bool> about_to{false};
  std::thread log_thread([&] {
    about_to = true;
    list.accept(event_of(record("one")));
  });
  while (!about_to) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds{20});
  CHECK(sink->collected.count() == 0);
  list.let_in();
  log_thread.join();
  CHECK(sink->collected.words() == Words{"INF prog: one"});
}

TEST_CASE("sinks: one that is never let in again is let in after a while") {
  SinkList list;
  const auto sink = std::make_shared<CollectingSink>();
  list.add(sink);
  REQUIRE(list.keep_out(std::chrono::milliseconds{0}));
  list.accept(event_of(record("one")));
  CHECK(sink->collected.words() == Words{"INF prog: one"});
}

TEST_CASE("sinks: of a process that forked they are called only where nobody was inside") {
  class Inside : public CollectingSink {
   public:
    explicit Inside(SinkList& list) : list_(list) {}
    void accept(const Event& event) override {
      left = list_.keep_out(std::chrono::milliseconds{1});
      list_.let_in();
      CollectingSink::accept(event);
    }
    bool left = true;

   private:
    SinkList& list_;
  };
  SinkList list;
  const auto old = std::make_shared<Inside>(list);
  list.renew(false);  // there was none
  CHECK(list.take_complaint() == "");
  list.add(old);
  list.accept(event_of(record("one")));
  CHECK_FALSE(old->left);
  list.renew(true);
  list.accept(event_of(record("two")));
  CHECK(list.take_complaint() == "");
  list.renew(false);
  list.accept(event_of(record("three")));
  CHECK(list.take_complaint().starts_with("sinks of the process that this one was forked from are not called: "));
  const auto young = std::make_shared<CollectingSink>();
  list.add(young);
  list.accept(event_of(record("four")));
  list.renew(true);
  list.accept(event_of(record("five")));
  list.flush();
  CHECK(old->collected.words() == Words{"INF prog: one", "INF prog: two"});
  CHECK(young->collected.words() == Words{"INF prog: four", "INF prog: five"});
  CHECK(list.take_complaint() == "");
}
