// Tests of sink/both: what is handed to one goes to two, and what one of them needs is seen.
#include "log/sink/both.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace dlog;

// What was done to it, and what it shall say.
struct Fake : event::Outlet {
  explicit Fake(std::vector<std::string>& log) : calls(log) {}
  void accept(const Event&) override {
    if (throws) throw std::bad_alloc();
    calls.push_back("accept");
  }
  void flush() override { calls.push_back("flush"); }
  void settle() override { calls.push_back("settle"); }
  void leave(bool for_good) override { calls.push_back(for_good ? "leave" : "tidy"); }
  void suspend(bool on) override { calls.push_back(on ? "suspend" : "resume"); }
  void abandon() noexcept override { abandoned = true; }
  std::int64_t due_ns() const override { return due; }
  bool owes() const override { return says; }
  bool full() const override { return says; }
  bool live() const override { return says; }
  std::uint64_t undelivered() const override { return number; }
  std::uint64_t undelivered_of(std::uint64_t id) const override { return number + id; }
  std::uint64_t waiting() const override { return number; }
  std::uint64_t taken() const noexcept override { return number; }
  std::string take_complaint() override { return std::exchange(complaint, {}); }

  std::vector<std::string>& calls;
  std::int64_t due = never;
  bool says = false;
  bool throws = false;
  bool abandoned = false;
  std::uint64_t number = 0;
  std::string complaint{};
};

struct Made {
  std::vector<std::string> first_calls{};
  std::vector<std::string> second_calls{};
  Fake* first = nullptr;
  Fake* second = nullptr;
  std::unique_ptr<sink::Both> both{};
  Made() {
    auto a = std::make_unique<Fake>(first_calls);
    auto b = std::make_unique<Fake>(second_calls);
    first = a.get();
    second = b.get();
    both = std::make_unique<sink::Both>(std::move(a), std::move(b));
  }
};

TEST_CASE("both: each call reaches both") {
  Made made;
  const Record record;
  const Event event{0, {}, &record, nullptr};
  made.both->accept(event);
  made.both->flush();
  made.both->settle();
  made.both->leave(true);
  made.both->leave(false);
  made.both->suspend(true);
  made.both->suspend(false);
  made.both->abandon();
  const std::vector<std::string> expected{"accept", "flush", "settle", "leave", "tidy", "suspend", "resume"};
  CHECK(made.first_calls == expected);
  CHECK(made.second_calls == expected);
  CHECK(made.first->abandoned);
  CHECK(made.second->abandoned);
}

TEST_CASE("both: one that has no memory does not keep the event from the other") {
  Made made;
  const Record record;
  const Event event{0, {}, &record, nullptr};
  made.second->throws = true;
  made.both->accept(event);
  CHECK(made.first_calls.size() == 1);
  made.second->throws = false;
  made.first->throws = true;
  CHECK_THROWS_AS(made.both->accept(event), std::bad_alloc);  // who counts is told
  CHECK(made.second_calls.size() == 1);
}

TEST_CASE("both: what one of them needs is seen") {
  for (const bool in_first : {true, false}) {
    Made made;
    CHECK(made.both->due_ns() == event::Outlet::never);
    CHECK_FALSE(made.both->owes());
    CHECK_FALSE(made.both->full());
    CHECK_FALSE(made.both->live());
    Fake& one = in_first ? *made.first : *made.second;
    one.says = true;
    one.due = 5;
    one.number = 3;
    one.complaint = "it is full";
    CHECK(made.both->due_ns() == 5);
    CHECK(made.both->owes());
    CHECK(made.both->full());
    CHECK(made.both->live());
    CHECK(made.both->taken() == 3);
    CHECK(made.both->undelivered() == (in_first ? 3 : 0));
    CHECK(made.both->undelivered_of(1) == (in_first ? 4 : 1));
    CHECK(made.both->waiting() == (in_first ? 3 : 0));
    CHECK(made.both->take_complaint() == "it is full");
    CHECK(made.both->take_complaint().empty());
  }
}

}  // namespace
