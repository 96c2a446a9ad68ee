// The handles of progress bars: see dlog/progress.hpp.
#include <fmt/format.h>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "dlog/progress.hpp"
#include "log/api/runtime.hpp"
#include "log/event/bar_template.hpp"
#include "log/hub/bar_registry.hpp"

namespace dlog {

using api::Runtime;
using hub::BarCell;

namespace {

BarCell& cell_of(progress::Counter& counter) { return static_cast<BarCell&>(counter); }

// A forked child has the handles of its parent's bars: they are its parent's to end, and their locks may be held for ever.
bool is_ours(const BarCell& cell) {
  Runtime* runtime = Runtime::running();
  return runtime != nullptr && &runtime->thread() == cell.owner;
}

// Where there is no memory, what is shown lags behind; nothing is thrown at the program.
template <class Call>
void if_memory_lasts(Call call) noexcept {
  try {
    call();
  } catch (const std::exception&) {
    // Nothing is left to say it with, either.
  }
}

// False: no memory; the log thread does not hear of it.
bool submit(BarCell& cell, BarState state, hub::BarTexts texts) {
  auto change = std::make_unique<hub::BarChange>();
  change->cell = cell.self;
  change->state = state;
  change->figures = cell.figures();
  change->texts = std::move(texts);
  return Runtime::get().thread().submit_bar(std::move(change));
}

void end(BarCell& cell, BarState state, std::string_view reason) {
  if (!is_ours(cell)) return;
  hub::BarTexts texts;
  {
    const std::lock_guard lock(cell.mutex);
    texts = cell.texts;
  }
  if (!reason.empty()) texts.message = reason;
  if (cell.ended.exchange(true, std::memory_order_acq_rel) || cell.refused.load(std::memory_order_relaxed)) return;
  const std::uint64_t total = cell.total.load(std::memory_order_relaxed);
  if (state == BarState::finished && total != 0) cell.value.store(total, std::memory_order_relaxed);
  bool submitted = false;
  if_memory_lasts([&] { submitted = submit(cell, state, std::move(texts)); });
  // Another call may end it, and at exit it is seen to be live.
  if (!submitted) cell.ended.store(false, std::memory_order_release);
}

void end(progress::Counter* counter, BarState state, std::string_view reason = {}) noexcept {
  if (counter != nullptr) if_memory_lasts([&] { end(cell_of(*counter), state, reason); });
}

// A template that cannot be read is told of.
bool readable(std::string_view bar_template) {
  const std::string fault = event::BarTemplate::fault_in(bar_template);
  if (fault.empty()) return true;
  Runtime::get().thread().submit_notice(Level::warn,
                                        fmt::format("\"{}\" is not a bar template: {}; ignored", bar_template, fault));
  return false;
}

}  // namespace

progress::Counter* ProgressBar::create(std::string_view description, std::uint64_t total,
                                       const BarOptions& options) noexcept {
  static std::atomic<std::uint64_t> next_id{1};
  std::shared_ptr<BarCell> cell;
  if_memory_lasts([&] {
    cell = std::make_shared<BarCell>();
    cell->id = next_id.fetch_add(1, std::memory_order_relaxed);
    if (options.parent != nullptr && options.parent->counter_ != nullptr)
      cell->parent = cell_of(*options.parent->counter_).id;
    cell->description = description;
    cell->total.store(total, std::memory_order_relaxed);
    cell->unit.store(options.unit, std::memory_order_relaxed);
    cell->texts.message = options.message;
    if (readable(options.bar_template)) cell->texts.bar_template = options.bar_template;
    cell->owner = &Runtime::get().thread();
    cell->self = cell;
    submit(*cell, BarState::running, cell->texts);
  });
  // Without an owner it is half made, and ends here.
  return cell == nullptr ? nullptr : cell->self.get();
}

void ProgressBar::release() noexcept {
  if (counter_ == nullptr) return;
  BarCell& cell = cell_of(*counter_);
  const std::uint64_t total = cell.total.load(std::memory_order_relaxed);
  const bool reached = total == 0 || cell.value.load(std::memory_order_relaxed) >= total;
  end(counter_, reached ? BarState::finished : BarState::abandoned);
  counter_ = nullptr;
  const std::shared_ptr<BarCell> last = std::move(cell.self);
}

void ProgressBar::take_back(std::uint64_t n) noexcept {
  std::uint64_t value = counter_->value.load(std::memory_order_relaxed);
  while (!counter_->value.compare_exchange_weak(value, value > n ? value - n : 0, std::memory_order_relaxed)) {
  }
}

void ProgressBar::set_total(std::uint64_t total) noexcept {
  if (counter_ != nullptr) cell_of(*counter_).total.store(total, std::memory_order_relaxed);
}

void ProgressBar::set_unit(Unit unit) noexcept {
  if (counter_ != nullptr) cell_of(*counter_).unit.store(unit, std::memory_order_relaxed);
}

void ProgressBar::set_message(std::string_view message) noexcept {
  if (counter_ == nullptr) return;
  BarCell& cell = cell_of(*counter_);
  if (!is_ours(cell)) return;
  if_memory_lasts([&] {
    const std::lock_guard lock(cell.mutex);
    cell.texts.message = message;
    cell.texts_version.fetch_add(1, std::memory_order_release);
  });
}

void ProgressBar::set_template(std::string_view bar_template) noexcept {
  if (counter_ == nullptr) return;
  BarCell& cell = cell_of(*counter_);
  if_memory_lasts([&] {
    if (!is_ours(cell) || !readable(bar_template)) return;
    const std::lock_guard lock(cell.mutex);
    cell.texts.bar_template = bar_template;
    cell.texts_version.fetch_add(1, std::memory_order_release);
  });
}

void ProgressBar::pause() noexcept {
  if (counter_ != nullptr) cell_of(*counter_).paused.store(true, std::memory_order_relaxed);
}

void ProgressBar::resume() noexcept {
  if (counter_ != nullptr) cell_of(*counter_).paused.store(false, std::memory_order_relaxed);
}

void ProgressBar::reset_eta() noexcept {
  if (counter_ != nullptr) cell_of(*counter_).estimate.fetch_add(1, std::memory_order_relaxed);
}

void ProgressBar::finish() noexcept { end(counter_, BarState::finished); }
void ProgressBar::fail(std::string_view reason) noexcept { end(counter_, BarState::failed, reason); }
void ProgressBar::abandon() noexcept { end(counter_, BarState::abandoned); }
void ProgressBar::clear() noexcept { end(counter_, BarState::cleared); }

namespace progress {

Suspension::Suspension() noexcept {
  Runtime* runtime = Runtime::running();
  // A request that is late is still carried out: what counts is that it was made.
  suspended_ = runtime != nullptr && !runtime->thread().is_here();
  if (suspended_) runtime->thread().run(hub::Command::suspend, std::chrono::seconds{2});
}

Suspension::~Suspension() {
  Runtime* runtime = Runtime::running();
  if (suspended_ && runtime != nullptr) runtime->thread().run(hub::Command::resume, std::chrono::seconds{2});
}

}  // namespace progress
}  // namespace dlog
