// A log thread with a collecting outlet: see log.hpp.
#include "support/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace dlog::test {

std::size_t record_bytes(std::string_view text) {
  return (sizeof(capture::RecordHead) + sizeof(std::uint32_t) + text.size() + capture::record_align - 1) /
         capture::record_align * capture::record_align;
}

bool write_record(char* place, std::uint32_t site, std::string_view text, Level level) {
  if (place == nullptr) return false;
  const std::uint64_t now = capture::ticks();
  std::memcpy(place + offsetof(capture::RecordHead, site), &site, sizeof site);
  std::memcpy(place + offsetof(capture::RecordHead, ticks), &now, sizeof now);
  capture::put(place + sizeof(capture::RecordHead), capture::text_of(text));
  capture::commit_record(place, record_bytes(text), level);
  return true;
}

std::uint32_t text_site(event::SiteTable& sites) {
  static constexpr capture::Code codes[] = {capture::Code::text};
  return sites.number_of({nullptr, 0, {"src/a.cpp", "run", 17}}, codes, 1);
}

void Log::submit(std::string_view text, Level level) const {
  if (!write_record(thread->place(record_bytes(text), level), site, text, level)) return;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (static_cast<std::uint8_t>(level) >= doorbell.load_relaxed()) thread->ring();
}

void Log::submit_bar(const std::shared_ptr<hub::BarCell>& cell, BarState state) const {
  auto change = std::make_unique<hub::BarChange>();
  change->cell = cell;
  change->state = state;
  change->figures = cell->figures();
  if (state != BarState::running) cell->ended = true;
  thread->submit_bar(std::move(change));
}

bool Log::tells(std::string_view words) const {
  const std::vector<std::string> all = told.words();
  return std::find(all.begin(), all.end(), words) != all.end();
}

bool Log::balanced() const {
  const Stats stats = thread->stats();
  return stats.enqueued == stats.shown + stats.dropped + stats.undeliverable;
}

namespace {

using MakeOutlet = std::function<std::unique_ptr<event::Outlet>(Collected&)>;

Log& make_with(const MakeOutlet& make_outlet, Config config, std::vector<hub::Notice> notices,
               std::chrono::milliseconds linger, void (*live)(bool) = nullptr) {
  static auto* const all = new std::vector<std::unique_ptr<Log>>;  // in sight of leak checkers
  Log& log = *all->emplace_back(std::make_unique<Log>());
  hub::LogThread::Setup setup;
  setup.config = std::move(config);
  setup.self = {"prog", 4711};
  setup.threshold = &log.threshold;
  setup.doorbell = &log.doorbell;
  setup.sites = &log.sites;
  setup.outlets.push_back(make_outlet(log.told));
  setup.sinks = &log.sinks;
  setup.notices = std::move(notices);
  setup.linger = linger;
  setup.live = live;
  log.thread = std::make_unique<hub::LogThread>(std::move(setup));
  return log;
}

}  // namespace

Log& make_log(Config config, std::function<void(const Event&)> before, std::vector<hub::Notice> notices,
              std::chrono::milliseconds linger) {
  const auto collecting = [&](Collected& told) { return std::make_unique<CollectingOutlet>(told, std::move(before)); };
  return make_with(collecting, std::move(config), std::move(notices), linger);
}

Log& make_log_on(const MakeOutlet& make_outlet, Config config, void (*live)(bool)) {
  return make_with(make_outlet, std::move(config), {}, std::chrono::milliseconds(250), live);
}

Log& start_log(Config config, std::function<void(const Event&)> before, std::vector<hub::Notice> notices) {
  Log& log = make_log(std::move(config), std::move(before), std::move(notices));
  if (const std::string reason = log.thread->start(); !reason.empty()) throw std::runtime_error(reason);
  return log;
}

void submit_numbered(const Log& log, int callers, int calls) {
  std::vector<std::thread> threads;
  for (int t = 0; t < callers; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < calls; ++i) log.submit(fmt::format("{} {}", t, i));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

int out_of_order(const Log& log, std::vector<int>& next) {
  int wrong = 0;
  for (const Told& told : log.told.told()) {
    const auto t = static_cast<std::size_t>(told.message[0] - '0');
    if (told.message != fmt::format("{} {}", t, next[t]++)) ++wrong;
  }
  return wrong;
}

std::shared_ptr<hub::BarCell> make_cell(std::uint64_t id, std::uint64_t total, std::string_view description) {
  auto cell = std::make_shared<hub::BarCell>();
  cell->id = id;
  cell->total = total;
  cell->description = description;
  return cell;
}

}  // namespace dlog::test
