// Tests of progress.cpp through the handles of bars, each in a process of its own: how bars count, end, and leave lines.
#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <forward_list>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "dlog/dlog.hpp"
#include "support/catch.hpp"
#include "support/collecting.hpp"
#include "support/descriptors.hpp"
#include "support/fork.hpp"
#include "support/program.hpp"

namespace {

using namespace dlog::test;
using dlog::ProgressBar;

// Runs it with plain lines on a pipe; what the console says.
Words console(const std::function<void()>& body) { return console_of(well(run_program({}, body))); }

}  // namespace

TEST_CASE("progress: a bar says its start and its end, in order with records") {
  CHECK(console([] {
          dlog::info("before");
          ProgressBar bar{"Downloading", 100};
          dlog::info("amid");
          bar.push(42);
          bar.finish();
          dlog::info("after");
        }) == Words{"INF prog: before", "INF prog: Downloading: started (0/100)", "INF prog: amid",
                    "INF prog: Downloading: finished (100/100)", "INF prog: after"});
}

TEST_CASE("progress: every way to end") {
  CHECK(console([] {
          ProgressBar failed{"a", 10};
          failed.push(3);
          failed.fail("404");
          ProgressBar abandoned{"b", 10};
          abandoned += 4;
          abandoned.abandon();
          ProgressBar cleared{"c", 10};
          cleared.clear();
          ProgressBar unknown{"d"};
          unknown.push(17);
          unknown.finish();
        }) == Words{"INF prog: a: started (0/10)", "ERR prog: a: failed at 3/10: 404", "INF prog: b: started (0/10)",
                    "WRN prog: b: abandoned at 4/10", "INF prog: c: started (0/10)", "INF prog: d: started (0)",
                    "INF prog: d: finished (17)"});
}

TEST_CASE("progress: a destructor finishes what reached its total, or never had one, and abandons the rest") {
  CHECK(console([] {
          { ProgressBar{"a", 10}.push(10); }
          { ProgressBar{"b", 10}.push(9); }
          { ProgressBar{"c"}.push(9); }
          { ProgressBar{"d", 10}.push(11); }
          { const ProgressBar e{"e", 0}; }
          { const ProgressBar f{"f", -5}; }
        }) == Words{"INF prog: a: started (0/10)", "INF prog: a: finished (10/10)", "INF prog: b: started (0/10)",
                    "WRN prog: b: abandoned at 9/10", "INF prog: c: started (0)", "INF prog: c: finished (9)",
                    "INF prog: d: started (0/10)", "INF prog: d: finished (10/10)", "INF prog: e: started (0)",
                    "INF prog: e: finished (0)", "INF prog: f: started (0)", "INF prog: f: finished (0)"});
}

TEST_CASE("progress: a bar ends once, what is called afterwards has no effect") {
  CHECK(console([] {
          ProgressBar bar{"a", 10};
          bar.fail("first");
          bar.finish();
          bar.abandon();
          bar.clear();
          bar.fail("second");
          bar.push(9);
          bar.set_message("late");
          bar.set_total(99);
        }) == Words{"INF prog: a: started (0/10)", "ERR prog: a: failed at 0/10: first"});
}

TEST_CASE("progress: a handle moves, and ends once") {
  CHECK(console([] {
          ProgressBar first{"a", 10};
          ProgressBar second{std::move(first)};
          second.push(5);
          ProgressBar third{"b", 10};
          third = std::move(second);  // ends b
          ProgressBar& self = third;
          third = std::move(self);
          third.push(10);
          std::optional<ProgressBar> kept{std::move(third)};
          kept.reset();
          dlog::info("end");
        }) == Words{"INF prog: a: started (0/10)", "INF prog: b: started (0/10)", "WRN prog: b: abandoned at 0/10",
                    "INF prog: a: finished (10/10)", "INF prog: end"});
}

TEST_CASE("progress: a handle that was moved from is harmless") {
  const Ended ended = run_program({}, [] {
    ProgressBar first{"a", 10};
    const ProgressBar second{std::move(first)};
    ProgressBar& gone = first;
    gone.push(1);
    gone += 2;
    gone += -2;
    ++gone;
    gone.set_total(5);
    gone.set_message("x");
    gone.set_unit(dlog::Unit::bytes);
    gone.finish();
    gone.fail("x");
    gone.abandon();
    gone.clear();
    say(fmt::format("{} {}", gone.value(), second.value()));
  });
  CHECK(well(ended).out == "0 0\n");
  CHECK(console_of(ended) == Words{"INF prog: a: started (0/10)", "WRN prog: a: abandoned at 0/10"});
}

TEST_CASE("progress: counting with any integral number") {
  const Ended ended = run_program({}, [] {
    ProgressBar bar{"a", std::uint8_t{200}};
    const auto show = [&] { say(fmt::format("{}", bar.value())); };
    bar.push(-1);
    show();
    bar.push(std::numeric_limits<std::uint64_t>::max());
    show();
    bar.push(std::int8_t{7});
    bar += std::int64_t{3};
    ++bar;
    show();
    bar += -4;
    show();
    bar += std::numeric_limits<std::int64_t>::min();
    show();
    bar += 5U;
    bar += std::int8_t{-128};
    show();
    bar.push('a');
    show();
  });
  CHECK(lines_of(well(ended).out) == Words{"0", "18446744073709551615", "11", "7", "0", "0", "97"});
}

TEST_CASE("progress: many threads count one bar") {
  CHECK(console([] {
          ProgressBar bar{"a", 40'000};
          std::vector<std::thread> threads;
          for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
              for (int i = 0; i < 10'000; ++i) ++bar;
            });
          }
          for (std::thread& thread : threads) thread.join();
        }) == Words{"INF prog: a: started (0/40000)", "INF prog: a: finished (40000/40000)"});
}

TEST_CASE("progress: a reason is an end's message, or the last message is") {
  CHECK(console([] {
          ProgressBar a{"a", 10};
          a.set_message("part 3");
          a.fail("404");
          ProgressBar b{"b", 10};
          b.set_message("part 3");
          b.abandon();
          ProgressBar c{"c", 10};
          c.set_unit(dlog::Unit::bytes);
          c.set_total(2000);
          c.push(1000);
          c.fail("");
        }) == Words{"INF prog: a: started (0/10)", "ERR prog: a: failed at 0/10: 404", "INF prog: b: started (0/10)",
                    "WRN prog: b: abandoned at 0/10: part 3", "INF prog: c: started (0/10)",
                    "ERR prog: c: failed at 1.0 kB/2.0 kB"});
}

TEST_CASE("progress: values and messages are sampled while the bar lives") {
  const Ended ended = run_program({}, [] {
    const auto sink = std::make_shared<CollectingSink>();
    dlog::add_sink(sink);
    ProgressBar bar{"Reading", 10};
    const auto told = [&](const std::string& words) {
      return until([&] {
        const Words all = sink->collected.words();
        return !all.empty() && all.back() == words;
      });
    };
    bar.push(3);
    bar.set_message("part 1");
    say(told("bar 1 of prog: running 3/10 Reading (part 1)") ? "told" : "not told");
    bar.set_total(20);
    bar.set_message("part 2");
    say(told("bar 1 of prog: running 3/20 Reading (part 2)") ? "told" : "not told");
    bar.finish();
    dlog::flush();
    say(sink->collected.words().back());
  });
  CHECK(lines_of(well(ended).out) == Words{"told", "told", "bar 1 of prog: finished 20/20 Reading (part 2)"});
}

TEST_CASE("progress: a bar that lives at exit is written once, abandoned") {
  CHECK(console([] {
          auto* const bar = new ProgressBar("a", 10);
          bar->push(3);
          static ProgressBar* leaked = nullptr;  // in sight of leak checkers
          leaked = bar;
          std::exit(leaked == nullptr ? 1 : 0);
        }) == Words{"INF prog: a: started (0/10)", "WRN prog: a: abandoned at 3/10"});
}

TEST_CASE("progress: a bar in static storage is ended once") {
  CHECK(console([] {
          dlog::info("start");
          static ProgressBar bar{"a", 10};
          bar.push(10);
        }) == Words{"INF prog: start", "INF prog: a: started (0/10)", "INF prog: a: finished (10/10)"});
}

TEST_CASE("progress: simple words, json and silence") {
  const auto one_bar = [] {
    ProgressBar bar{"x", 10};
    bar.finish();
  };
  CHECK(well(run_program({{"DLOG_SIMPLE", "true"}}, one_bar)).err == "Progress completed: x (10)\n");
  CHECK(well(run_program({{"DLOG_NO_PROGRESS", "true"}}, one_bar)).err == "");
  const Words json = lines_of(well(run_program({{"DLOG_FORMAT", "json"}}, one_bar)).err);
  REQUIRE(json.size() == 2);
  CHECK(json[1].find("\"state\":\"finished\"") != std::string::npos);
}

TEST_CASE("progress: track counts the elements and hands them on") {
  CHECK(console([] {
          std::vector<int> numbers{1, 2, 3};
          int sum = 0;
          for (int& n : dlog::track(numbers, "Reading")) sum += n++;
          dlog::info("{} {}", sum, numbers[2]);
          for (const auto& text : dlog::track(std::list<std::string>{"a", "b"}, "List")) dlog::info(text);
          for (const int n : dlog::track(std::forward_list<int>{7}, "Unsized")) dlog::info("{}", n);
          for (const int n : dlog::track(std::vector<int>{}, "Empty")) dlog::info("{}", n);
          for (const int n : dlog::track(numbers, "Left early")) {
            if (n == 3) break;
          }
          const std::vector<int> fixed{4};
          for (const int& n : dlog::track(fixed, "Const")) dlog::info("{}", n);
        }) == Words{"INF prog: Reading: started (0/3)", "INF prog: Reading: finished (3/3)", "INF prog: 6 4",
                    "INF prog: List: started (0/2)", "INF prog: a", "INF prog: b", "INF prog: List: finished (2/2)",
                    "INF prog: Unsized: started (0)", "INF prog: 7", "INF prog: Unsized: finished (1)",
                    "INF prog: Left early: started (0/3)", "WRN prog: Left early: abandoned at 1/3",
                    "INF prog: Const: started (0/1)", "INF prog: 4", "INF prog: Const: finished (1/1)"});
}

TEST_CASE("progress: a forked child does not end its parent's bars") {
  const Ended ended = run_program({}, [] {
    ProgressBar bar{"a", 10};
    bar.push(4);
    dlog::flush();
    const int status = fork_and_wait([&] {
      bar.push(9);
      bar.finish();
      const ProgressBar taken{std::move(bar)};
    });
    say(fmt::format("{} {}", status, bar.value()));
  });
  CHECK(well(ended).out == "0 4\n");
  CHECK(console_of(ended) == Words{"INF prog: a: started (0/10)", "WRN prog: a: abandoned at 4/10"});
}

TEST_CASE("progress: suspend runs the function, nests, and returns what it returns") {
  const Ended ended = run_program({{"DLOG_FORMAT", "terminal"}, {"NO_COLOR", "1"}}, [] {
    say(std::to_string(dlog::suspend([] { return 7; })));  // dlog has not been started
    const auto begun = std::chrono::steady_clock::now();
    ProgressBar bar{"a", 10};
    dlog::suspend([] {
      dlog::suspend([] { say("inside"); });
      dlog::info("amid");
      dlog::flush();
    });
    int number = 3;
    int& same = dlog::suspend([&]() -> int& { return number; });
    say(&same == &number ? "a reference" : "a copy");
    try {
      dlog::suspend([] { throw 1; });
    } catch (int) {
      say("an exception passes");
    }
    bar.finish();
    const bool early =
        std::chrono::steady_clock::now() - begun < std::chrono::milliseconds(150);  // younger than any that is drawn
    say(early ? "early" : "late");
  });
  Words said = lines_of(well(ended).out);
  REQUIRE_FALSE(said.empty());
  if (said.back() == "early") CHECK(ended.err.find('\x1b') == std::string::npos);  // the bar was never on the screen
  said.pop_back();
  CHECK(said == Words{"7", "inside", "a reference", "an exception passes"});
  CHECK(ended.err.find("100% 10/10") != std::string::npos);
  CHECK(lines_of(ended.err).back().find("finished in ") != std::string::npos);
}

TEST_CASE("progress: bars come back after a suspension that came too late") {
  // The console takes nothing for longer than suspend() waits; then it moves again.
  class Holding : public dlog::Sink {
   public:
    void accept(const dlog::Event& event) override {
      if (event.record == nullptr || event.record->message != "hold") return;
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return released; });
    }
    void flush() override {}
    std::mutex mutex{};
    std::condition_variable changed{};
    bool released = false;
  };
  const Ended ended = run_program({{"DLOG_FORMAT", "terminal"}, {"NO_COLOR", "1"}, {"DLOG_BAR_THEME", "ascii"}}, [] {
    const Ends console_pipe = make_pipe();
    dlog::init({.output_fd = console_pipe.theirs.get()});
    const auto sink = std::make_shared<Holding>();
    dlog::add_sink(sink);
    ProgressBar bar{"a", 10};
    dlog::info("hold");
    dlog::suspend([] { say("foreign output"); });
    {
      const std::lock_guard lock(sink->mutex);
      sink->released = true;
      sink->changed.notify_all();
    }
    dlog::info("released");
    dlog::flush();
    std::string shown;
    bool back = false;
    for (int i = 0; i < 10'000 && !back; ++i) {
      bar.push(i % 10);
      shown += read_now(console_pipe.ours);
      back = shown.find("\na [", shown.find("released")) != std::string::npos;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    say(back ? "the bar is back" : "the bar is gone for ever");
  });
  CHECK(lines_of(well(ended).out) == Words{"foreign output", "the bar is back"});
}

TEST_CASE("progress: what a bar begins with, and what may change, is told") {
  const Ended ended = run_program({}, [] {
    const auto told = std::make_shared<CollectingSink>();
    dlog::add_sink(told);
    const auto bars = [&] { return told->collected.told(); };
    ProgressBar all{"all", 2};
    ProgressBar part{"part", 10, {.unit = dlog::Unit::bytes, .parent = &all, .message = "m", .bar_template = "{bar}"}};
    dlog::flush();
    part.pause();
    part.reset_eta();
    part.set_template("{desc}");
    // Sampled ten times a second.
    for (int i = 0; i < 10'000 && bars().back().estimate == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    part.resume();
    part.finish();
    dlog::flush();
    for (const Told& bar : bars()) {
      if (bar.description != "part") continue;
      say(fmt::format("{} {} unit {} parent {} paused {} estimate {} {} {}", static_cast<int>(bar.state), bar.value,
                      static_cast<int>(bar.unit), bar.parent, bar.paused, bar.estimate, bar.message, bar.bar_template));
    }
  });
  CHECK(lines_of(well(ended).out) == Words{"0 0 unit 1 parent 1 paused false estimate 0 m {bar}",
                                           "0 0 unit 1 parent 1 paused true estimate 1 m {desc}",
                                           "1 10 unit 1 parent 1 paused false estimate 1 m {desc}"});
}

TEST_CASE("progress: a template that cannot be read is told, and changes nothing") {
  const Words said = console([] {
    ProgressBar bar{"a", 10, {.bar_template = "{dsc}"}};
    bar.set_template("{");
    bar.finish();
  });
  REQUIRE(said.size() == 4);
  CHECK(said[0].find("\"{dsc}\" is not a bar template: there is no field {dsc}") != std::string::npos);
  CHECK(said[2].find("\"{\" is not a bar template: ") != std::string::npos);
}

TEST_CASE("progress: a bar that was moved away can be paused and be a parent, and nothing happens") {
  CHECK(console([] {
          ProgressBar bar{"a", 10};
          ProgressBar other = std::move(bar);
          bar.pause();
          bar.resume();
          bar.reset_eta();
          bar.set_template("{desc}");
          ProgressBar part{"part", 10, {.parent = &bar}};
          part.finish();
          other.finish();
        }).size() == 4);
}
