// Tests of runtime.cpp, each in a process of its own: every way to end, and what may log on the way.
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "dlog/dlog.hpp"
#include "os/socket.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/frames.hpp"
#include "support/program.hpp"

namespace {

using namespace dlog::test;

}  // namespace

TEST_CASE("runtime: finish leaves the console tidy, logging works after it") {
  CHECK(console_of(well(run_program({}, [] {
          dlog::info("one");
          dlog::finish();
          dlog::info("two");
          dlog::finish();
        }))) == Words{"INF prog: one", "INF prog: two"});
}

TEST_CASE("runtime: nothing is lost at any orderly end, nor said after it") {
  const auto many = [] {
    for (int i = 0; i < 1000; ++i) dlog::info("{}", i);
  };
  const std::function<void()> ends[] = {[&] { many(); },
                                        [&] {
                                          many();
                                          std::exit(0);
                                        },
                                        [&] {
                                          many();
                                          std::quick_exit(0);
                                        },
                                        [&] {
                                          many();
                                          std::abort();
                                        }};
  for (std::size_t i = 0; i < std::size(ends); ++i) {
    INFO("end " << i);
    const Ended ended = run_program({}, ends[i]);
    CHECK((ended.code == 0 || ended.signal == SIGABRT));
    const Words words = console_of(ended);
    REQUIRE(words.size() == 1000);
    for (std::size_t n = 0; n < words.size(); ++n) REQUIRE(words[n] == fmt::format("INF prog: {}", n));
  }
}

TEST_CASE("runtime: a sink that ends the process loses nothing that was logged, before its end and on the way") {
  struct Ending : dlog::Sink {
    void accept(const dlog::Event& event) override {
      if (event.record->message != "10") return;
      while (!all_logged) std::this_thread::yield();
      std::exit(0);
    }
    void flush() override {}
    std::atomic<bool> all_logged{false};
  };
  const Ended ended = run_program({}, [] {
    std::atexit([] { dlog::info("at exit, registered before the start"); });
    const auto sink = std::make_shared<Ending>();
    dlog::add_sink(sink);
    for (int i = 0; i < 1000; ++i) dlog::info("{}", i);
    sink->all_logged = true;
    for (;;) std::this_thread::sleep_for(std::chrono::seconds{1});
  });
  const Words words = console_of(well(ended));
  REQUIRE(words.size() == 1001);
  for (std::size_t n = 0; n < 1000; ++n) REQUIRE(words[n] == fmt::format("INF prog: {}", n));
  CHECK(words[1000] == "INF prog: at exit, registered before the start");
}

TEST_CASE("runtime: nor does one that ends it while handed a child's record, nor where there is no thread") {
  struct Ending : dlog::Sink {
    void accept(const dlog::Event& event) override {
      if (event.record == nullptr || event.record->message != "go") return;
      std::exit(0);
    }
    void flush() override {}
  };
  const Ended ended = run_program({}, [] {
    std::atexit([] {
      dlog::info("at exit");
      dlog::info("at exit, last");
    });
    dlog::add_sink(std::make_shared<Ending>());
    dlog::init();
    const std::string address = dlog::pipe_address();
    const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1)));
    const auto child = dlog::os::connect_to({0x7F000001, port}, std::chrono::milliseconds{60'000});
    std::string said;
    for (const char* word : {"first", "go", "a", "b", "c"}) said += log_frame(2, word);
    send_all(*child, said);
    for (;;) std::this_thread::sleep_for(std::chrono::seconds{1});
  });
  Words words = console_of(well(ended));
  for (std::string& word : words) word.erase(0, word.find(": ") + 2);
  CHECK(words == Words{"first", "go", "a", "b", "c", "at exit", "at exit, last"});

  const Ended alone = run_program({}, [] {
    std::atexit([] { dlog::info("at exit"); });
    dlog::add_sink(std::make_shared<Ending>());
    rlimit none_left{};
    ::getrlimit(RLIMIT_NOFILE, &none_left);
    none_left.rlim_cur = 3;
    ::setrlimit(RLIMIT_NOFILE, &none_left);
    dlog::init({.set_environment = false});
    dlog::info("one");
    dlog::info("go");
  });
  const Words told = console_of(well(alone));
  REQUIRE(told.size() >= 3);
  CHECK(Words(told.end() - 3, told.end()) == Words{"INF prog: one", "INF prog: go", "INF prog: at exit"});
}

TEST_CASE("runtime: destructors of static objects and functions at exit may log") {
  struct Last {
    ~Last() { dlog::info("a static destructor"); }
  };
  const Ended ended = run_program({}, [] {
    static const Last made_before;
    std::atexit([] { dlog::info("at exit, registered before the start"); });
    dlog::info("start");
    static const Last made_after;
    std::atexit([] { dlog::info("at exit, registered after the start"); });
  });
  CHECK(console_of(well(ended)) ==
        Words{"INF prog: start", "INF prog: at exit, registered after the start", "INF prog: a static destructor",
              "INF prog: at exit, registered before the start", "INF prog: a static destructor"});
}

TEST_CASE("runtime: thread_local destructors may log") {
  struct Last {
    ~Last() { dlog::info("a thread's end"); }
  };
  CHECK(console_of(well(run_program({}, [] {
          std::thread([] {
            thread_local const Last made_before;
            static_cast<void>(&made_before);
            dlog::info("in the thread");
          }).join();
        }))) == Words{"INF prog: in the thread", "INF prog: a thread's end"});
}

TEST_CASE("runtime: other threads may log while the process exits") {
  const Ended ended = run_program({}, [] {
    static std::atomic<int> said{0};
    for (int t = 0; t < 3; ++t) {
      std::thread([] {
        for (;;) {
          dlog::info("on and on");
          ++said;
        }
      }).detach();
    }
    while (said < 100) std::this_thread::yield();
  });
  CHECK(ended.signal == 0);
  CHECK(ended.code == 0);
  CHECK(console_of(ended).size() >= 100);
}

TEST_CASE("runtime: signals are handled where the program asks for it") {
  const auto log_and_raise = [](bool handle, int number) {
    return run_program({}, [=] {
      dlog::init({.handle_signals = handle});
      for (int i = 0; i < 100; ++i) dlog::info("{}", i);
      ::raise(number);
    });
  };
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    const Ended ended = log_and_raise(true, number);
    CHECK(ended.signal == number);
    CHECK(console_of(ended).size() == 100);
  }
  CHECK(log_and_raise(false, SIGTERM).signal == SIGTERM);
}

TEST_CASE("runtime: a handler of the program's is called after the flush, an ignored signal stays ignored") {
  const Ended ended = run_program({}, [] {
    static int handled = 0;
    ::signal(SIGTERM, [](int) { ++handled; });
    ::signal(SIGHUP, SIG_IGN);
    dlog::init({.handle_signals = true});
    dlog::info("before");
    ::raise(SIGTERM);
    ::raise(SIGHUP);
    dlog::info("after");
    say(std::to_string(handled));
  });
  CHECK(well(ended).out == "1\n");
  CHECK(console_of(ended) == Words{"INF prog: before", "INF prog: after"});
}

TEST_CASE("runtime: an abort handler of the program's is left alone") {
  const Ended ended = run_program({}, [] {
    ::signal(SIGABRT, [](int) { std::_Exit(42); });
    dlog::info("before");
    std::abort();
  });
  CHECK(ended.code == 42);
}
