// Tests of queue.cpp: nothing is lost, each thread's items keep their order, and threads may end at any time.
#include "log/hub/queue.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "log/hub/bar_registry.hpp"
#include "support/catch.hpp"
#include "support/fork.hpp"

namespace {

using dlog::hub::Item;
using dlog::hub::ItemOwner;
using dlog::hub::Queue;

bool push(Queue& queue, std::uint64_t thread, std::int64_t number) {
  Item* item = Item::make(Item::Kind::text, 0);
  if (item == nullptr) return false;
  item->thread = thread;
  item->stamp_ns = number;
  if (queue.push(item)) return true;
  Item::destroy(item);
  return false;
}

std::vector<std::int64_t> drained(Queue& queue) {
  std::vector<ItemOwner> items;
  queue.drain(items);
  std::vector<std::int64_t> out;
  for (const ItemOwner& item : items) out.push_back(item->stamp_ns);
  return out;
}

// Pushes when its thread ends. A thread_local object is destroyed after those that were made later in its thread.
struct AtThreadEnd {
  Queue* queue = nullptr;
  std::int64_t number = 0;
  ~AtThreadEnd() {
    if (queue != nullptr) push(*queue, 1, number);
  }
};
thread_local AtThreadEnd made_first;
thread_local AtThreadEnd made_last;

}  // namespace

TEST_CASE("queue: items come out in order, and are appended") {
  Queue queue;
  std::vector<ItemOwner> items;
  queue.drain(items);
  CHECK(items.empty());
  for (int i = 0; i < 5; ++i) REQUIRE(push(queue, 1, i));
  queue.drain(items);
  REQUIRE(push(queue, 1, 5));
  queue.drain(items);
  REQUIRE(items.size() == 6);
  for (std::size_t i = 0; i < items.size(); ++i) CHECK(items[i]->stamp_ns == static_cast<std::int64_t>(i));
}

TEST_CASE("queue: a drain takes all that is there, however much") {
  Queue queue;
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < 10'000; ++i) {
    REQUIRE(push(queue, 1, i));
    expected.push_back(i);
  }
  CHECK((drained(queue) == expected));
  CHECK(drained(queue).empty());
}

TEST_CASE("queue: eight threads with a hundred thousand items each, drained meanwhile") {
  constexpr std::uint64_t threads = 8;
  constexpr std::int64_t each = 100'000;
  Queue queue;
  std::atomic<std::uint64_t> refused{0};
  std::vector<std::thread> writers;
  for (std::uint64_t t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      for (std::int64_t i = 0; i < each; ++i) {
        if (!push(queue, t, i)) ++refused;
      }
    });
  }
  std::vector<std::int64_t> next(threads, 0);
  std::uint64_t wrong = 0;
  std::vector<ItemOwner> items;
  for (std::int64_t got = 0; got < each * static_cast<std::int64_t>(threads) - static_cast<std::int64_t>(refused);) {
    items.clear();
    queue.drain(items);
    got += static_cast<std::int64_t>(items.size());
    for (const ItemOwner& item : items) {
      if (item->stamp_ns != next[item->thread]++) ++wrong;
    }
    if (items.empty()) std::this_thread::yield();
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(refused == 0);
  CHECK(wrong == 0);
  CHECK(next == std::vector<std::int64_t>(threads, each));
  CHECK(drained(queue).empty());
}

TEST_CASE("queue: a drain that has an item has those that came before it, whichever thread they are of") {
  Queue queue;
  constexpr std::int64_t rounds = 20'000;
  std::atomic<std::int64_t> turn{0};
  const auto write = [&](std::int64_t odd) {
    for (std::int64_t i = odd; i < rounds; i += 2) {
      while (turn.load(std::memory_order_acquire) != i) std::this_thread::yield();
      push(queue, static_cast<std::uint64_t>(odd), i);
      turn.store(i + 1, std::memory_order_release);
    }
  };
  std::thread even([&] { write(0); });
  std::thread odd([&] { write(1); });
  std::int64_t before = 0;
  std::uint64_t gaps = 0;
  while (before < rounds) {
    std::vector<std::int64_t> got = drained(queue);
    std::sort(got.begin(), got.end());
    for (const std::int64_t number : got) {
      if (number != before++) ++gaps;
    }
    if (got.empty()) std::this_thread::yield();
  }
  even.join();
  odd.join();
  CHECK(gaps == 0);
}

TEST_CASE("queue: threads come and go") {
  Queue queue;
  constexpr int threads = 2000;
  for (int t = 0; t < threads; ++t) {
    std::thread([&] {
      for (std::int64_t i = 0; i < 3; ++i) push(queue, static_cast<std::uint64_t>(t), i);
    }).join();
  }
  std::vector<ItemOwner> items;
  queue.drain(items);
  REQUIRE(items.size() == 3 * threads);
  std::map<std::uint64_t, std::int64_t> next;
  std::uint64_t wrong = 0;
  for (const ItemOwner& item : items) {
    if (item->stamp_ns != next[item->thread]++) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("queue: destructors of thread_local objects may push") {
  Queue queue;
  for (int i = 0; i < 50; ++i) {
    std::thread([&] {
      made_first.queue = &queue;  // destroyed after the thread's token
      made_first.number = 3;
      push(queue, 1, 1);
      made_last.queue = &queue;  // destroyed before it
      made_last.number = 2;
    }).join();
    std::vector<std::int64_t> got = drained(queue);
    std::sort(got.begin(), got.end());
    REQUIRE(got == std::vector<std::int64_t>{1, 2, 3});
  }
}

TEST_CASE("queue: what is left is freed with it, bars too") {
  auto cell = std::make_shared<dlog::hub::BarCell>();
  {
    Queue queue;
    for (int i = 0; i < 1000; ++i) REQUIRE(push(queue, 1, i));
    Item* item = Item::make(Item::Kind::bar, 0);
    REQUIRE(item != nullptr);
    item->bar = new dlog::hub::BarChange;
    item->bar->cell = cell;
    REQUIRE(queue.push(item));
    CHECK(cell.use_count() == 2);
  }
  CHECK(cell.use_count() == 1);
}

TEST_CASE("queue: a thread may use several queues, and outlive them") {
  auto first = std::make_unique<Queue>();
  Queue second;
  REQUIRE(push(*first, 1, 1));
  REQUIRE(push(second, 1, 2));
  REQUIRE(push(*first, 1, 3));
  std::vector<std::int64_t> got = drained(*first);
  std::sort(got.begin(), got.end());
  CHECK(got == std::vector<std::int64_t>{1, 3});
  first.reset();
  REQUIRE(push(second, 1, 4));
  got = drained(second);
  std::sort(got.begin(), got.end());
  CHECK(got == std::vector<std::int64_t>{2, 4});
}

TEST_CASE("queue: a forked child forgets the parent's queue and starts anew") {
  const dlog::test::Ended ended = dlog::test::in_child([] {
    auto* const parents = new Queue;
    push(*parents, 1, 1);
    const dlog::test::Ended child = dlog::test::in_child([] {
      Queue::forget_thread();
      Queue::forget_thread();
      Queue own;
      push(own, 1, 7);
      push(own, 1, 8);
      for (const std::int64_t number : drained(own)) dlog::test::say(std::to_string(number));
    });
    dlog::test::say(child.out + std::to_string(child.code));
    for (const std::int64_t number : drained(*parents)) dlog::test::say(std::to_string(number));
    delete parents;
  });
  CHECK(ended.err == "");
  CHECK(ended.code == 0);
  CHECK(ended.out == "7\n8\n0\n1\n");
}

TEST_CASE("item: its payload is its own, and counts") {
  Item* item = Item::make(Item::Kind::text, 5);
  REQUIRE(item != nullptr);
  const ItemOwner owner(item);
  std::copy_n("hello", 5, item->payload());
  CHECK(item->bytes == 5);
  CHECK(item->cost() == sizeof(Item) + 5);
  CHECK(std::string_view(static_cast<const Item*>(item)->payload(), 5) == "hello");
}
