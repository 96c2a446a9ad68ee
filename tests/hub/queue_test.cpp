// Tests of queue.cpp: nothing is lost, each producer's parcels keep their order.
#include "log/hub/queue.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace {

using dlog::hub::Item;
using dlog::hub::ItemDeleter;
using dlog::hub::NoticeItem;
using dlog::hub::Parcel;
using dlog::hub::Queue;

// Numbered by its time.
bool push(Queue& queue, Queue::Producer* producer, std::uint64_t number) {
  auto* const item = new NoticeItem;
  item->ticks = number;
  if (queue.push(producer, item)) return true;
  delete item;
  return false;
}

std::vector<std::uint64_t> drained(Queue& queue) {
  std::vector<Parcel*> parcels;
  queue.drain(parcels);
  std::vector<std::uint64_t> out;
  for (Parcel* parcel : parcels) {
    out.push_back(static_cast<Item*>(parcel)->ticks);
    ItemDeleter{}(static_cast<Item*>(parcel));
  }
  return out;
}

}  // namespace

TEST_CASE("queue: parcels come out in order, and are appended") {
  Queue queue;
  const auto producer = queue.make_producer();
  std::vector<Parcel*> parcels;
  queue.drain(parcels);
  CHECK(parcels.empty());
  CHECK(queue.empty());
  for (std::uint64_t i = 0; i < 5; ++i) REQUIRE(push(queue, producer.get(), i));
  CHECK_FALSE(queue.empty());
  queue.drain(parcels);
  CHECK(queue.empty());
  REQUIRE(push(queue, producer.get(), 5));
  queue.drain(parcels);
  REQUIRE(parcels.size() == 6);
  for (std::size_t i = 0; i < parcels.size(); ++i) {
    CHECK(static_cast<Item*>(parcels[i])->ticks == i);
    ItemDeleter{}(static_cast<Item*>(parcels[i]));
  }
}

TEST_CASE("queue: a drain takes all that is there, however much, with a producer and without") {
  Queue queue;
  const auto producer = queue.make_producer();
  for (Queue::Producer* each : {producer.get(), static_cast<Queue::Producer*>(nullptr)}) {
    std::vector<std::uint64_t> expected;
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      REQUIRE(push(queue, each, i));
      expected.push_back(i);
    }
    CHECK((drained(queue) == expected));
    CHECK(drained(queue).empty());
  }
}

TEST_CASE("queue: one producer fills and drains it, another one still can push") {
  Queue queue;
  const auto first = queue.make_producer();
  const auto second = queue.make_producer();
  for (std::uint64_t i = 0; i < 50'000; ++i) REQUIRE(push(queue, first.get(), i));
  CHECK(drained(queue).size() == 50'000);
  for (std::uint64_t i = 0; i < 50'000; ++i) REQUIRE(push(queue, second.get(), i));
  CHECK(drained(queue).size() == 50'000);
}

TEST_CASE("queue: eight threads with a hundred thousand parcels each, drained meanwhile") {
  constexpr std::uint64_t threads = 8;
  constexpr std::uint64_t each = 100'000;
  Queue queue;
  std::atomic<std::uint64_t> refused{0};
  std::vector<std::thread> writers;
  for (std::uint64_t t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      const auto producer = queue.make_producer();
      for (std::uint64_t i = 0; i < each; ++i) {
        if (!push(queue, producer.get(), t * each + i)) ++refused;
      }
    });
  }
  std::vector<std::uint64_t> next(threads, 0);
  std::uint64_t wrong = 0;
  for (std::uint64_t got = 0; got < each * threads - refused;) {
    const std::vector<std::uint64_t> some = drained(queue);
    got += some.size();
    for (const std::uint64_t number : some) {
      if (number % each != next[number / each]++) ++wrong;
    }
    if (some.empty()) std::this_thread::yield();
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(refused == 0);
  CHECK(wrong == 0);
  CHECK(next == std::vector<std::uint64_t>(threads, each));
  CHECK(drained(queue).empty());
}

TEST_CASE("queue: a drain that has a parcel has those that came before it, whichever thread they are of") {
  Queue queue;
  constexpr std::uint64_t rounds = 20'000;
  std::atomic<std::uint64_t> turn{0};
  const auto write = [&](std::uint64_t odd) {
    const auto producer = queue.make_producer();
    for (std::uint64_t i = odd; i < rounds; i += 2) {
      while (turn.load(std::memory_order_acquire) != i) std::this_thread::yield();
      push(queue, producer.get(), i);
      turn.store(i + 1, std::memory_order_release);
    }
  };
  std::thread even([&] { write(0); });
  std::thread odd([&] { write(1); });
  std::uint64_t before = 0;
  std::uint64_t gaps = 0;
  while (before < rounds) {
    std::vector<std::uint64_t> got = drained(queue);
    std::sort(got.begin(), got.end());
    for (const std::uint64_t number : got) {
      if (number != before++) ++gaps;
    }
    if (got.empty()) std::this_thread::yield();
  }
  even.join();
  odd.join();
  CHECK(gaps == 0);
}
