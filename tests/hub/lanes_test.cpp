// Tests of lanes.cpp, with own_records.cpp as its reader: nothing is lost, threads may come and go at any time, and what is full waits.
#include "log/hub/lanes.hpp"

#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "log/hub/bar_registry.hpp"
#include "log/hub/own_records.hpp"
#include "os/thread.hpp"
#include "support/catch.hpp"
#include "support/fork.hpp"
#include "support/log.hpp"

namespace {

using namespace dlog;
using namespace dlog::test;
using hub::Block;
using hub::Lanes;
using hub::OwnRecord;
using hub::OwnRecords;
using hub::Parcel;
using std::chrono::milliseconds;
using Words = std::vector<std::string>;

constexpr std::uint32_t some_site = 1;

// The log thread's side.
struct Reader {
  explicit Reader(Lanes& given) : lanes(given), records(given) {}

  Words read(std::uint64_t cut = OwnRecords::none - 1) {
    std::vector<Parcel*> parcels;
    lanes.drain(parcels);
    for (Parcel* parcel : parcels) {
      if (parcel->kind == Parcel::Kind::block) records.add(static_cast<Block*>(parcel));
      else hub::ItemOwner(static_cast<hub::Item*>(parcel));
    }
    Words out;
    records.begin(cut, OwnRecords::none);
    records.deliver_until(cut, [&](const OwnRecord& record) {
      std::uint32_t size = 0;
      std::memcpy(&size, record.arguments, sizeof size);
      out.emplace_back(record.arguments + sizeof size, size);
    });
    return out;
  }

  Lanes& lanes;
  OwnRecords records;
};

bool write(Lanes& lanes, std::string_view text, bool may_wait = false, bool reserve = false) {
  return write_record(lanes.place(record_bytes(text), reserve, may_wait, [] {}), some_site, text);
}

// Writes when its thread ends.
struct AtThreadEnd {
  Lanes* lanes = nullptr;
  std::string text{};
  ~AtThreadEnd() {
    if (lanes == nullptr) return;
    for (int i = 0; i < 3; ++i) write(*lanes, text + std::to_string(i));
  }
};
thread_local AtThreadEnd before_the_lane;

}  // namespace

TEST_CASE("lanes: what is written is read, in order, over many blocks") {
  Lanes lanes(std::size_t{8} << 20, false, long_time);
  Reader reader(lanes);
  CHECK(reader.read().empty());
  std::size_t next = 0;
  for (std::size_t round = 0; round < 50; ++round) {
    for (std::size_t i = 0; i < 1000; ++i) REQUIRE(write(lanes, std::to_string(round * 1000 + i)));
    for (const std::string& text : reader.read()) REQUIRE(text == std::to_string(next++));
  }
  CHECK(next == 50'000);
  CHECK(lanes.written() == 50'000);
  CHECK(lanes.backlog().dropped() == 0);
  CHECK(lanes.backlog().waiting() == 0);
}

TEST_CASE("lanes: records of every size keep their order, large ones have a block for themselves") {
  Lanes lanes(std::size_t{64} << 20, false, long_time);
  Reader reader(lanes);
  Words expected;
  for (const int size :
       {0, 1, 4, 5, 12, 13, 100, 4000, 16'300, 16'360, 16'370, 16'384, 20'000, 1'000'000, 7, 3, 40'000, 8}) {
    const auto bytes = static_cast<std::size_t>(size);
    expected.emplace_back(bytes, static_cast<char>('a' + expected.size()));
    REQUIRE(write(lanes, expected.back()));
  }
  for (std::size_t bytes = 16'200; bytes < 16'450; ++bytes) {
    expected.emplace_back(bytes, 'x');
    REQUIRE(write(lanes, expected.back()));
  }
  CHECK((reader.read() == expected));
  CHECK(lanes.backlog().waiting() == 0);
}

TEST_CASE("lanes: what is younger than the cut waits") {
  Lanes lanes(std::size_t{8} << 20, false, long_time);
  Reader reader(lanes);
  REQUIRE(write(lanes, "old"));
  const std::uint64_t cut = capture::ticks();
  while (capture::ticks() <= cut) {
  }
  REQUIRE(write(lanes, "young"));
  CHECK(reader.read(cut) == Words{"old"});
  CHECK(reader.read(cut).empty());
  CHECK(reader.records.waiting());
  CHECK(reader.read() == Words{"young"});
  CHECK_FALSE(reader.records.waiting());
}

TEST_CASE("lanes: records of several threads are read in the order of time") {
  Lanes lanes(std::size_t{8} << 20, false, long_time);
  Reader reader(lanes);
  constexpr int rounds = 20'000;
  std::atomic<int> turn{0};
  std::vector<std::thread> threads;
  for (int first = 0; first < 3; ++first) {
    threads.emplace_back([&, first] {
      for (int i = first; i < rounds; i += 3) {
        while (turn.load(std::memory_order_acquire) != i) std::this_thread::yield();
        write(lanes, std::to_string(i));
        turn.store(i + 1, std::memory_order_release);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Words words = reader.read();
  REQUIRE(words.size() == rounds);
  int wrong = 0;
  for (int i = 0; i < rounds; ++i) wrong += words[static_cast<std::size_t>(i)] != std::to_string(i) ? 1 : 0;
  CHECK(wrong == 0);
}

TEST_CASE("lanes: eight threads fill a small queue, read meanwhile: nothing lost, each in order") {
  Lanes lanes(std::size_t{64} << 10, true, long_time);
  Reader reader(lanes);
  constexpr std::size_t threads = 8;
  constexpr std::size_t each = 40'000;
  std::atomic<int> refused{0};
  std::vector<std::thread> writers;
  for (std::size_t t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      for (std::size_t i = 0; i < each; ++i) {
        if (!write(lanes, std::to_string(t) + " " + std::to_string(i), true)) ++refused;
      }
    });
  }
  std::vector<std::size_t> next(threads, 0);
  std::size_t wrong = 0;
  for (std::size_t got = 0; got < threads * each;) {
    const Words words = reader.read();
    got += words.size();
    for (const std::string& text : words) {
      const std::size_t t = static_cast<std::size_t>(text[0] - '0');
      if (text != std::to_string(t) + " " + std::to_string(next[t]++)) ++wrong;
    }
    if (words.empty()) std::this_thread::yield();
  }
  for (std::thread& writer : writers) writer.join();
  reader.read();
  CHECK(refused == 0);
  CHECK(wrong == 0);
  CHECK(lanes.written() == threads * each);
  CHECK(lanes.backlog().waiting() == 0);
}

TEST_CASE("lanes: threads start and end under load, and their lanes are used again") {
  Lanes lanes(std::size_t{256} << 10, true, long_time);
  Reader reader(lanes);
  constexpr std::size_t starters = 4;
  constexpr std::size_t threads_each = 1500;
  constexpr std::size_t records = 20;
  std::atomic<bool> done{false};
  std::vector<std::uint32_t> seen(starters * threads_each, 0);
  std::size_t wrong = 0;
  const auto read = [&] {
    for (const std::string& text : reader.read()) {
      const std::size_t space = text.find(' ');
      if (std::stoul(text.substr(space + 1)) != seen[std::stoul(text.substr(0, space))]++) ++wrong;
    }
  };
  std::thread log_thread([&] {
    while (!done) read();
    read();
    read();  // what the first found ended
  });
  std::vector<std::thread> all;
  for (std::size_t s = 0; s < starters; ++s) {
    all.emplace_back([&, s] {
      for (std::size_t t = 0; t < threads_each; ++t) {
        std::thread([&, number = s * threads_each + t] {
          for (std::size_t i = 0; i < records; ++i)
            write(lanes, std::to_string(number) + " " + std::to_string(i), true);
        }).join();
      }
    });
  }
  for (std::thread& each : all) each.join();
  done = true;
  log_thread.join();
  CHECK(wrong == 0);
  CHECK(seen == std::vector<std::uint32_t>(starters * threads_each, records));
  CHECK(lanes.written() == starters * threads_each * records);
  CHECK(lanes.backlog().waiting() == 0);
}

TEST_CASE("lanes: a thread's last destructors may write, before and after its lane has ended") {
  Lanes lanes(std::size_t{8} << 20, true, long_time);
  Reader reader(lanes);
  std::thread([&] { write(lanes, "makes the key of the lanes"); }).join();
  reader.read();
  pthread_key_t key{};
  REQUIRE(pthread_key_create(&key, [](void* last) { delete static_cast<AtThreadEnd*>(last); }) == 0);
  for (int i = 0; i < 50; ++i) {
    std::thread([&] {
      before_the_lane.lanes = &lanes;
      before_the_lane.text = "ending ";
      write(lanes, "first");
      pthread_setspecific(key,
                          new AtThreadEnd{&lanes, "late "});  // keys end after objects, ours after that of the lanes
    }).join();
    CHECK(reader.read() == Words{"first", "ending 0", "ending 1", "ending 2", "late 0", "late 1", "late 2"});
    reader.read();
    REQUIRE(lanes.backlog().waiting() == 0);
  }
  pthread_key_delete(key);
}

TEST_CASE("lanes: where the system cannot tell of a thread's end, its records come one by one") {
  const Ended ended = in_child([] {
    os::at_thread_end([] {});  // it has its key now, and loses it
    for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; ++key) pthread_key_delete(key);
    Lanes::forget_thread();
    Lanes lanes(std::size_t{8} << 20, true, long_time);
    Reader reader(lanes);
    for (int i = 0; i < 3; ++i) write(lanes, std::to_string(i));
    lanes.push(std::make_unique<hub::NoticeItem>().release());
    for (const std::string& text : reader.read()) say(text);
    say(std::to_string(lanes.written()));
  });
  CHECK(ended.err == "");
  CHECK(ended.out == "0\n1\n2\n3\n");
}

TEST_CASE("lanes: where nobody reads, a full queue drops at once or after a wait, and what matters has a reserve") {
  for (const bool wait : {false, true}) {
    Lanes lanes(std::size_t{64} << 10, wait, milliseconds(20));
    Reader reader(lanes);
    std::size_t kept = 0;
    while (write(lanes, "of many", true)) ++kept;
    CHECK(lanes.backlog().dropped() == 1);
    CHECK(kept * record_bytes("of many") > (std::size_t{48} << 10));
    CHECK(kept * record_bytes("of many") < (std::size_t{72} << 10));
    std::size_t more = 0;
    while (write(lanes, "matters", true, true)) ++more;
    CHECK(more > 0);
    CHECK(lanes.backlog().dropped() == 2);
    CHECK(reader.read().size() == kept + more);
    CHECK(lanes.backlog().waiting() == 0);
    CHECK(write(lanes, "room again"));
    CHECK(reader.read() == Words{"room again"});
    CHECK(lanes.written() == kept + more + 1);
  }
}

TEST_CASE("lanes: a thread may use several, and outlive them") {
  auto first = std::make_unique<Lanes>(std::size_t{1} << 20, false, long_time);
  Lanes second(std::size_t{1} << 20, false, long_time);
  REQUIRE(write(*first, "1"));
  REQUIRE(write(second, "2"));
  REQUIRE(write(*first, "3"));
  CHECK(Reader(*first).read() == Words{"1", "3"});
  REQUIRE(write(*first, "not read"));
  first.reset();
  REQUIRE(write(second, "4"));
  CHECK(Reader(second).read() == Words{"2", "4"});
}

TEST_CASE("lanes: what is left is freed with them, bars too") {
  auto cell = std::make_shared<hub::BarCell>();
  {
    Lanes lanes(std::size_t{8} << 20, false, long_time);
    for (int i = 0; i < 1000; ++i) REQUIRE(write(lanes, "x"));
    auto* const change = new hub::BarChange;
    change->cell = cell;
    REQUIRE(lanes.push(change));
    CHECK(cell.use_count() == 2);
    // The thread holds the lanes: it goes to others.
    Lanes others(std::size_t{8} << 20, false, long_time);
    REQUIRE(write(others, "x"));
  }
  CHECK(cell.use_count() == 1);
}

TEST_CASE("lanes: memory that a burst took is given back, a few blocks a lane are kept") {
  Lanes lanes(std::size_t{8} << 20, false, long_time);
  Reader reader(lanes);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100'000; ++i) REQUIRE(write(lanes, "some words of a record"));
    CHECK(reader.read().size() == 100'000);
    lanes.trim();
  }
  CHECK(lanes.backlog().waiting() == 0);
}

TEST_CASE("lanes: who writes not faster than is read never waits for a page") {
  Lanes lanes(std::size_t{8} << 20, true, long_time);
  Reader reader(lanes);
  std::atomic<int> turn{0};
  long faults = 0;
  constexpr int rounds = 1500;  // three times round both blocks
  std::thread writer([&] {
    write(lanes, "the first");
    const auto faults_now = [] {
      rusage use{};
      ::getrusage(RUSAGE_THREAD, &use);
      return use.ru_minflt;
    };
    for (int i = 0; i < rounds; ++i) {
      turn.store(2 * i + 1);
      while (turn.load() != 2 * i + 2) std::this_thread::yield();
      const long before = faults_now();
      for (int k = 0; k < 20; ++k) write(lanes, "a record of some length, as records are");
      faults += faults_now() - before;
    }
    turn.store(2 * rounds + 1);
  });
  for (int i = 0; i <= rounds; ++i) {
    while (turn.load() != 2 * i + 1) std::this_thread::yield();
    reader.read();
    turn.store(2 * i + 2);
  }
  writer.join();
  // Of 128 pages; what is left is the test's own. A sanitizer has memory of its own for each of them.
  if (std::getenv("DLOG_TEST_SANITIZE") == nullptr) CHECK(faults < 8);
}

TEST_CASE("lanes: a forked child forgets the parent's and starts anew") {
  const Ended ended = in_child([] {
    auto* const parents = new Lanes(std::size_t{1} << 20, false, long_time);
    write(*parents, "parent");
    const Ended inner = in_child([] {
      Lanes::forget_thread();
      Lanes::forget_thread();
      Lanes fresh(std::size_t{1} << 20, false, long_time);
      write(fresh, "7");
      write(fresh, "8");
      for (const std::string& text : Reader(fresh).read()) say(text);
    });
    say(inner.out + std::to_string(inner.code));
    for (const std::string& text : Reader(*parents).read()) say(text);
  });
  CHECK(ended.err == "");
  CHECK(ended.code == 0);
  CHECK(ended.out == "7\n8\n0\nparent\n");
}

TEST_CASE("lanes: threads that end unread are bounded by the queue, however many they are") {
  Lanes lanes(std::size_t{1} << 20, false, long_time);
  Reader reader(lanes);
  std::size_t kept = 0;
  constexpr std::size_t threads = 1000;
  for (std::size_t t = 0; t < threads; ++t)
    std::thread([&] {
      if (write(lanes, "only one")) ++kept;
    }).join();
  CHECK(lanes.backlog().waiting() <= std::size_t{1} << 20);
  CHECK(lanes.backlog().dropped() == threads - kept);
  CHECK(kept >= hub::rich_lanes_max + 40);
  CHECK(kept <= hub::rich_lanes_max + 64);
  CHECK(reader.read().size() == kept);
  reader.read();
  CHECK(lanes.backlog().waiting() == 0);
  // And there is room for as many again.
  for (std::size_t t = 0; t < kept; ++t) std::thread([&] { CHECK(write(lanes, "once more")); }).join();
  CHECK(reader.read().size() == kept);
}

TEST_CASE("lanes: more threads than have blocks of their own, all alive, nothing lost and each in order") {
  Lanes lanes(std::size_t{8} << 20, true, long_time);
  Reader reader(lanes);
  constexpr std::size_t threads = hub::rich_lanes_max + 40;
  constexpr std::size_t each = 600;
  std::vector<std::thread> writers;
  for (std::size_t t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      for (std::size_t i = 0; i < each; ++i) write(lanes, std::to_string(t) + " " + std::to_string(i), true);
    });
  }
  std::vector<std::size_t> next(threads, 0);
  std::size_t wrong = 0;
  for (std::size_t got = 0; got < threads * each;) {
    for (const std::string& text : reader.read()) {
      ++got;
      const std::size_t space = text.find(' ');
      if (std::stoul(text.substr(space + 1)) != next[std::stoul(text.substr(0, space))]++) ++wrong;
    }
  }
  for (std::thread& writer : writers) writer.join();
  reader.read();
  CHECK(wrong == 0);
  CHECK(lanes.backlog().dropped() == 0);
  CHECK(lanes.backlog().waiting() == 0);
}
