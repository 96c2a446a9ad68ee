// A log thread with a collecting outlet, for tests that look at what it tells. It has no end: programs keep theirs to their own
// end, and so do the tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dlog/atomic.hpp"
#include "log/hub/log_thread.hpp"
#include "support/collecting.hpp"

namespace dlog::test {

inline constexpr std::chrono::milliseconds long_time{60'000};

// Writes a text record into a place that was given for it, and says whether there was one.
bool write_record(char* place, std::uint32_t site, std::string_view text, Level level = Level::info);
std::size_t record_bytes(std::string_view text);
// The number of a site whose records are text.
std::uint32_t text_site(event::SiteTable& sites);

struct Log {
  void submit(std::string_view text, Level level = Level::info) const;
  // A bar starts, or ends, as its handle says it.
  void submit_bar(const std::shared_ptr<hub::BarCell>& cell, BarState state) const;
  bool flush() const { return thread->run(hub::Command::flush, long_time); }
  // What was told after a flush; none where it failed.
  std::vector<std::string> flushed() const { return flush() ? told.words() : std::vector<std::string>{"no flush"}; }
  bool tells(std::string_view words) const;
  void set_threshold(Level level) {
    threshold.store_relaxed(static_cast<std::uint8_t>(static_cast<unsigned>(level) + 1));
  }
  // enqueued = shown + dropped + undeliverable
  bool balanced() const;

  capture::Atomic<std::uint8_t> threshold{1};
  capture::Atomic<std::uint8_t> doorbell{0};
  event::SiteTable sites{};
  Collected told{};
  hub::SinkList sinks{};
  std::uint32_t site = text_site(sites);
  std::unique_ptr<hub::LogThread> thread{};
};

// Not started. `before` runs on the log thread before each event is kept, and may throw.
Log& make_log(Config config = {}, std::function<void(const Event&)> before = {}, std::vector<hub::Notice> notices = {},
              std::chrono::milliseconds linger = std::chrono::milliseconds{250});
Log& start_log(Config config = {}, std::function<void(const Event&)> before = {},
               std::vector<hub::Notice> notices = {});

// With an outlet of the test's own, that is made when there is something to tell to.
Log& make_log_on(const std::function<std::unique_ptr<event::Outlet>(Collected&)>& make_outlet, Config config = {},
                 void (*live)(bool on) = nullptr);

// `callers` threads log "<caller> <number>", `calls` times each, and end.
void submit_numbered(const Log& log, int callers, int calls);
// How many of them were told out of order. `next`: the number that would come next of each caller.
int out_of_order(const Log& log, std::vector<int>& next);

std::shared_ptr<hub::BarCell> make_cell(std::uint64_t id, std::uint64_t total, std::string_view description);

// A sink made of a function.
class Calling : public Sink {
 public:
  explicit Calling(std::function<void(const Event&)> call) : call_(std::move(call)) {}
  void accept(const Event& event) override { call_(event); }
  void flush() override {}

 private:
  std::function<void(const Event&)> call_;
};

}  // namespace dlog::test
