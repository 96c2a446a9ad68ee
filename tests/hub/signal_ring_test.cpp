// Tests of hub/signal_ring.
#include "log/hub/signal_ring.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <map>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace dlog;
using hub::SignalRing;
using hub::SignalText;

SignalText text_of(std::uint64_t thread, std::uint64_t number) {
  return {Level::warn, "text", nullptr, number, thread};
}

TEST_CASE("signal ring: what was put comes out once, in order and whole") {
  SignalRing ring;
  SignalText out;
  CHECK_FALSE(ring.take(out));
  for (std::uint64_t round = 0; round < 5; ++round) {
    for (std::uint64_t i = 0; i < 100; ++i) REQUIRE(ring.put({Level::error, "a text", &ring, round * 100 + i, 7}));
    for (std::uint64_t i = 0; i < 100; ++i) {
      REQUIRE(ring.take(out));
      CHECK(out.ticks == round * 100 + i);
    }
    CHECK_FALSE(ring.take(out));
  }
  CHECK(out.level == Level::error);
  CHECK(out.text == "a text");
  CHECK(out.spot == &ring);
  CHECK(out.thread == 7);
  CHECK(ring.put_count() == 500);
}

TEST_CASE("signal ring: a full one takes no more until one was taken") {
  SignalRing ring;
  for (std::uint64_t i = 0; i < hub::signal_texts_max; ++i) REQUIRE(ring.put(text_of(1, i)));
  CHECK_FALSE(ring.put(text_of(1, 999)));
  CHECK(ring.put_count() == hub::signal_texts_max);
  SignalText out;
  REQUIRE(ring.take(out));
  CHECK(out.ticks == 0);
  CHECK(ring.put(text_of(1, hub::signal_texts_max)));
  CHECK_FALSE(ring.put(text_of(1, 999)));
  for (std::uint64_t i = 1; i <= hub::signal_texts_max; ++i) {
    REQUIRE(ring.take(out));
    CHECK(out.ticks == i);
  }
  CHECK_FALSE(ring.take(out));
}

SignalRing* interrupted_ring = nullptr;
std::atomic<std::uint64_t> handled{0};

void put_in_handler(int) {
  if (interrupted_ring->put(text_of(0, handled.load()))) ++handled;
}

TEST_CASE("signal ring: threads, and handlers that interrupt them, put side by side") {
  constexpr std::uint64_t threads = 4;
  constexpr std::uint64_t each = 20'000;
  constexpr std::uint64_t handled_least =
      100;  // the interrupted thread goes on until then, however late the first signal comes
  SignalRing ring;
  interrupted_ring = &ring;
  handled = 0;
  // One handler at a time, so that its numbers have an order; it interrupts whichever thread runs.
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = put_in_handler;
  ::sigaction(SIGUSR1, &action, &before);
  std::atomic<std::uint64_t> writing{threads};
  std::atomic<std::uint64_t> written_by_first{0};
  std::vector<std::thread> writers;
  for (std::uint64_t thread = 1; thread <= threads; ++thread) {
    writers.emplace_back([&, thread] {
      if (thread != 1) {
        sigset_t none;
        ::sigemptyset(&none);
        ::sigaddset(&none, SIGUSR1);
        ::pthread_sigmask(SIG_BLOCK, &none, nullptr);
      }
      std::uint64_t i = 0;
      while (i < each || (thread == 1 && handled < handled_least)) {
        if (ring.put(text_of(thread, i))) ++i;
        else std::this_thread::yield();
      }
      if (thread == 1) written_by_first = i;
      --writing;
      while (writing != 0) std::this_thread::yield();  // a signal finds its thread
    });
  }
  std::thread interrupter([&] {
    while (writing != 0) {
      ::pthread_kill(writers.front().native_handle(), SIGUSR1);
      std::this_thread::yield();
    }
  });
  std::map<std::uint64_t, std::uint64_t> following;
  bool in_order = true;
  const auto take_all = [&] {
    for (SignalText out; ring.take(out);) in_order = in_order && out.ticks == following[out.thread]++;
  };
  while (writing != 0) take_all();
  interrupter.join();
  for (std::thread& writer : writers) writer.join();
  take_all();
  ::sigaction(SIGUSR1, &before, nullptr);
  CHECK(in_order);
  CHECK(following[1] == written_by_first);
  for (std::uint64_t thread = 2; thread <= threads; ++thread) CHECK(following[thread] == each);
  CHECK(following[0] == handled);
  CHECK(ring.put_count() == written_by_first + (threads - 1) * each + handled);
}

}  // namespace
