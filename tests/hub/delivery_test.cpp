// Tests of delivery.cpp: what each sink is handed, which events are held back, and what is counted.
#include "log/hub/delivery.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/collecting.hpp"
#include "support/log.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::Delivery;
using Words = std::vector<std::string>;

// A record of a call, as the log thread reads it.
struct Made {
  std::vector<char> bytes{};
  hub::OwnRecord record{};
};

event::SiteTable& sites() {
  static event::SiteTable table;
  return table;
}

Made text_record(std::string_view text, Level level = Level::info) {
  static const std::uint32_t site = text_site(sites());
  Made made;
  made.bytes.resize(sizeof(std::uint32_t) + text.size());
  capture::put(made.bytes.data(), capture::text_of(text));
  made.record = {level, site, 0, 4712, made.bytes.data()};
  return made;
}

// As a logging call with these arguments makes it.
template <class... W>
Made captured_record(std::string_view format, const W&... values) {
  static constexpr capture::Code codes[] = {capture::code_of<W>..., capture::Code::boolean};
  Made made;
  made.bytes.resize((capture::bytes_of(values) + ... + std::size_t{1}));
  [[maybe_unused]] char* to = made.bytes.data();
  ((to = capture::put(to, values)), ...);
  made.record.site = sites().number_of({format.data(), format.size(), {"src/a.cpp", "run", 17}}, codes, sizeof...(W));
  made.record.arguments = made.bytes.data();
  return made;
}

class Console : public CollectingOutlet {
 public:
  using event::Outlet::took;
  explicit Console(Collected& to) : CollectingOutlet(to), to_(to) {}
  void settle() override { to_.add_call("settle"); }
  std::int64_t due_ns() const override { return due; }
  std::uint64_t undelivered() const override { return lost; }
  std::string take_complaint() override { return std::exchange(complaint, {}); }

  std::int64_t due = event::Outlet::never;
  std::uint64_t lost = 0;
  std::string complaint{};

 private:
  Collected& to_;
};

struct Hands {
  Hands() {
    sinks.add(sink);
    std::vector<std::unique_ptr<event::Outlet>> outlets;
    for (Collected* to : {&first, &second}) {
      auto outlet = std::make_unique<Console>(*to);
      consoles.push_back(outlet.get());
      outlets.push_back(std::move(outlet));
    }
    delivery = std::make_unique<Delivery>(Delivery::Self{"prog", 4711}, threshold, sites(), std::move(outlets), sinks);
  }
  void set_threshold(Level level) {
    threshold.store_relaxed(static_cast<std::uint8_t>(static_cast<unsigned>(level) + 1));
  }

  capture::Atomic<std::uint8_t> threshold{1};
  Collected first{};
  Collected second{};
  std::vector<Console*> consoles{};
  std::shared_ptr<CollectingSink> sink = std::make_shared<CollectingSink>();
  hub::SinkList sinks{};
  std::unique_ptr<Delivery> delivery{};
};

Record unknown_level(std::string_view message) {
  Record out = record(message, Level::fatal);
  out.wire_level = 9;
  return out;
}

}  // namespace

TEST_CASE("delivery: every sink is handed a record of this process with all that is known of it") {
  Hands hands;
  hands.delivery->own_record(text_record("no {} parsed", Level::error).record, noted_ns);
  for (const Collected* to : {&hands.first, &hands.second, &hands.sink->collected}) {
    REQUIRE(to->words() == Words{"ERR prog: no {} parsed"});
    const Told told = to->told().front();
    CHECK(told.time_ns == noted_ns);
    CHECK(told.source_id == 0);
    CHECK(told.pid == 4711);
    CHECK(told.port == 0);
    CHECK(told.wire_level == 4);
    CHECK(told.thread == 4712);
    CHECK(told.file == "src/a.cpp");
    CHECK(told.function == "run");
    CHECK(told.line == 17);
    CHECK_FALSE(told.notice);
  }
}

TEST_CASE("delivery: captured arguments become words") {
  Hands hands;
  hands.delivery->own_record(captured_record("x={} y={:>6} {}", std::int32_t{-7}, 1.5, capture::text_of("tail")).record,
                             noted_ns);
  hands.delivery->own_record(captured_record("no arguments, {{}}").record, noted_ns);
  hands.delivery->own_record(captured_record("{:d}", capture::text_of("not a number")).record, noted_ns);
  const Words words = hands.first.words();
  REQUIRE(words.size() == 3);
  CHECK(words[0] == "INF prog: x=-7 y=   1.5 tail");
  CHECK(words[1] == "INF prog: no arguments, {}");
  CHECK(words[2].starts_with("INF prog: {:d} [format error: "));
}

TEST_CASE("delivery: a notice of a caller's is dlog's, and no record of the program") {
  Hands hands;
  hands.delivery->own_notice(Level::debug, "too late", noted_ns);
  CHECK(hands.first.words() == Words{"DBG dlog (notice): too late"});
  CHECK(hands.delivery->own_records() == 0);
  CHECK(hands.delivery->movement() == 1);
}

TEST_CASE("delivery: a child's records pass this process's level, its bars and what is unknown always") {
  Hands hands;
  hands.set_threshold(Level::error);
  for (unsigned level = 0; level <= 5; ++level)
    hands.delivery->of_child(event_of(record("m", static_cast<Level>(level)), child));
  const Record strange = unknown_level("strange");
  hands.delivery->of_child(event_of(strange, child));
  const Bar some = running(1, 2, 3, "bar");
  hands.delivery->of_child(event_of(some, child));
  Record notice = record("child[40001]: broken", Level::warn);
  notice.notice = true;
  hands.delivery->of_child(event_of(notice, own_notice));
  CHECK(hands.first.words() == Words{"ERR child: m", "FTL child: m", "L9 child: strange",
                                     "bar 1 of child: running 2/3 bar", "WRN dlog (notice): child[40001]: broken"});
  CHECK(hands.delivery->own_records() == 0);
  // What a child's dlog says passes this process's level as the child's records do.
  hands.delivery->of_child(event_of(notice, child));
  CHECK(hands.first.count() == 5);

  Hands silent;
  silent.set_threshold(Level::off);
  silent.delivery->of_child(event_of(record("m", Level::fatal), child));
  CHECK(silent.first.words().empty());
}

TEST_CASE("delivery: records of this process were filtered by their callers already") {
  Hands hands;
  hands.set_threshold(Level::off);
  hands.delivery->own_record(text_record("logged before the level was raised").record, noted_ns);
  CHECK(hands.first.count() == 1);
}

TEST_CASE("delivery: notices pass the level") {
  Hands hands;
  hands.delivery->notice(Level::debug, "one");
  hands.set_threshold(Level::warn);
  hands.delivery->notice(Level::info, "two");
  hands.delivery->notice(Level::warn, "three");
  CHECK(hands.first.words() == Words{"DBG dlog (notice): one", "WRN dlog (notice): three"});
  const Told told = hands.first.told().front();
  CHECK(told.pid == 4711);
  CHECK(told.notice);
  CHECK(told.time_ns > 0);
  CHECK(hands.delivery->speaker().name == "dlog");
}

TEST_CASE("delivery: bars of this process") {
  Hands hands;
  hands.delivery->own_bar(running(1, 2, 3, "bar"), noted_ns);
  CHECK(hands.second.words() == Words{"bar 1 of prog: running 2/3 bar"});
  CHECK(hands.second.told().front().time_ns == noted_ns);
  CHECK(hands.delivery->own_records() == 0);
  CHECK(hands.delivery->movement() == 1);
}

TEST_CASE("delivery: what sinks complain of is told to all, once") {
  Hands hands;
  hands.consoles[0]->complaint = "console: no space";
  hands.consoles[1]->complaint = "file: no space";
  class Bad : public Sink {
   public:
    void accept(const Event&) override { throw std::runtime_error("bad sink"); }
    void flush() override {}
  };
  hands.sinks.add(std::make_shared<Bad>());
  hands.delivery->own_record(text_record("m").record, noted_ns);
  hands.delivery->say_complaints();
  hands.delivery->say_complaints();
  Words words = hands.second.words();
  std::sort(words.begin(), words.end());
  CHECK(words == Words{"INF prog: m", "WRN dlog (notice): a sink threw: bad sink",
                       "WRN dlog (notice): console: no space", "WRN dlog (notice): file: no space"});
}

TEST_CASE("delivery: counts are the program's records and the first outlet's losses") {
  Hands hands;
  for (int i = 0; i < 3; ++i) hands.delivery->own_record(text_record("m").record, noted_ns);
  hands.delivery->of_child(event_of(record("m"), child));
  hands.consoles[0]->lost = 2;
  hands.consoles[1]->lost = 99;
  CHECK(hands.delivery->own_records() == 3);
  CHECK(hands.delivery->movement() == 4);
  CHECK(hands.delivery->undelivered() == 2);

  hub::SinkList none;
  const capture::Atomic<std::uint8_t> all{1};
  Delivery nobody(Delivery::Self{"prog", 1}, all, sites(), {}, none);
  nobody.own_record(text_record("m").record, noted_ns);
  CHECK(nobody.undelivered() == 0);
  CHECK(nobody.due_ns() == event::Outlet::never);
}

TEST_CASE("delivery: movement is what is handed out and what is taken") {
  Hands hands;
  hands.delivery->own_bar(running(1, 2, 3, "bar"), noted_ns);
  hands.delivery->notice(Level::warn, "one");
  hands.consoles[0]->took(100);
  hands.consoles[1]->took(20);
  CHECK(hands.delivery->movement() == 122);
}

TEST_CASE("delivery: an outlet without memory loses its record, counted, and nobody else's") {
  class NoMemory : public event::Outlet {
   public:
    void accept(const Event&) override { throw std::bad_alloc(); }
    void flush() override {}
    void settle() override {}
  };
  Collected told;
  hub::SinkList sinks;
  const auto sink = std::make_shared<CollectingSink>();
  sinks.add(sink);
  const capture::Atomic<std::uint8_t> all{1};
  const auto deliver_to = [&](bool first_fails) {
    std::vector<std::unique_ptr<event::Outlet>> outlets;
    outlets.push_back(std::make_unique<CollectingOutlet>(told));
    outlets.insert(first_fails ? outlets.begin() : outlets.end(), std::make_unique<NoMemory>());
    Delivery delivery(Delivery::Self{"prog", 1}, all, sites(), std::move(outlets), sinks);
    delivery.own_record(text_record("m").record, noted_ns);
    delivery.of_child(event_of(record("of a child"), child));
    delivery.own_bar(running(1, 2, 3, "bar"), noted_ns);
    CHECK(delivery.own_records() == 1);
    CHECK(delivery.undelivered_of(child.id) == (first_fails ? 1 : 0));
    CHECK(delivery.undelivered_of(child.id + 1) == 0);
    delivery.say_complaints();
    delivery.say_complaints();
    return delivery.undelivered();
  };
  CHECK(deliver_to(true) == 1);
  CHECK(told.count() == 4);  // the last one says so
  CHECK(sink->collected.count() == 4);
  CHECK(deliver_to(false) == 0);
  CHECK(told.count() == 7);
  CHECK(sink->collected.count() == 7);
}

TEST_CASE("delivery: calls reach every outlet, flush and leave the program's sinks as well") {
  Hands hands;
  hands.consoles[0]->due = 70;
  hands.consoles[1]->due = 50;
  CHECK(hands.delivery->due_ns() == 50);
  hands.delivery->settle();
  hands.delivery->flush();
  hands.delivery->flush_sinks();
  hands.delivery->suspend(true);
  hands.delivery->suspend(false);
  hands.delivery->leave(false);
  hands.delivery->leave(true);
  const Words calls{"settle", "flush", "suspend", "resume", "leave", "leave for good"};
  CHECK(hands.first.calls() == calls);
  CHECK(hands.second.calls() == calls);
  CHECK(hands.sink->collected.calls() == Words{"flush", "flush", "flush", "flush"});
}

TEST_CASE("delivery: the program's sinks can be passed over") {
  Hands hands;
  hands.delivery->notice(Level::info, "one");
  hands.delivery->pass_over_sinks();
  hands.delivery->notice(Level::info, "two");
  hands.delivery->flush_sinks();
  hands.delivery->flush();
  hands.delivery->leave(true);
  CHECK(hands.first.count() == 2);
  CHECK(hands.sink->collected.count() == 1);
  CHECK(hands.sink->collected.calls().empty());
}
