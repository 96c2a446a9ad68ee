// Tests of os/wait: a wait ends with a change, at its time, and not before without either.
#include "os/wait.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "support/catch.hpp"

namespace {

using namespace dlog;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t ms = 1'000'000;

TEST_CASE("wait: a number that is another one already is not waited for") {
  const std::atomic<std::uint32_t> word{2};
  os::wait_while(word, 1, 60'000 * ms);
}

TEST_CASE("wait: a wait ends at its time, also at one that is over") {
  const std::atomic<std::uint32_t> word{1};
  const auto begin = steady_clock::now();
  int waits = 0;  // one may end for no reason
  for (; steady_clock::now() - begin < milliseconds{20}; ++waits) os::wait_while(word, 1, 20 * ms);
  CHECK(waits < 10);
  os::wait_while(word, 1, 0);
  os::wait_while(word, 1, -5 * ms);
}

TEST_CASE("wait: all who wait are woken") {
  std::atomic<std::uint32_t> word{0};
  std::atomic<int> woken{0};
  const auto wait = [&] {
    while (word.load() == 0) os::wait_while(word, 0, 60'000 * ms);
    ++woken;
  };
  std::thread first(wait);
  std::thread second(wait);
  std::this_thread::sleep_for(milliseconds{20});
  CHECK(woken == 0);
  word.store(1);
  os::wake_all(word);
  first.join();
  second.join();
  CHECK(woken == 2);
}

}  // namespace
