// The sinks that programs add: see sink_list.hpp.
#include "log/hub/sink_list.hpp"

#include <cstddef>
#include <exception>
#include <new>
#include <thread>
#include <utility>

#include "os/process.hpp"

namespace dlog::hub {
namespace {

constexpr std::chrono::milliseconds kept_out_max{1000};
constexpr std::chrono::microseconds look_every{100};

// False: it did not become so in time.
template <class Condition>
bool wait_until(Condition is_so, std::chrono::milliseconds wait) {
  for (const auto end = std::chrono::steady_clock::now() + wait; !is_so(); std::this_thread::sleep_for(look_every))
    if (std::chrono::steady_clock::now() >= end) return false;
  return true;
}

}  // namespace

// Each side says first what it is about to do, and then looks at what the other says.
class SinkList::Visit {
 public:
  explicit Visit(SinkList& list) : list_(list) {
    for (bool waits = true;;) {
      list_.inside_.store(true, std::memory_order_seq_cst);
      if (!waits || list_.kept_out_.load(std::memory_order_seq_cst) == 0) return;
      list_.inside_.store(false, std::memory_order_seq_cst);
      waits = wait_until([&] { return list_.kept_out_.load(std::memory_order_relaxed) == 0; }, kept_out_max);
    }
  }
  ~Visit() { list_.inside_.store(false, std::memory_order_release); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  SinkList& list_;
};

SinkList::SinkList() : generation_(os::process_generation()) {}

SinkList::~SinkList() {
  for (Added* added = last_.load(std::memory_order_relaxed); added != nullptr;)
    delete std::exchange(added, added->before);
}

void SinkList::add(std::shared_ptr<Sink> sink) {
  if (sink == nullptr) return;
  auto* const added = new Added{std::move(sink), last_.load(std::memory_order_relaxed)};
  while (!last_.compare_exchange_weak(added->before, added, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

void SinkList::take_added() {
  const Added* const last = last_.load(std::memory_order_acquire);
  if (last == taken_) return;
  const auto known = static_cast<std::ptrdiff_t>(entries_.size());
  std::vector<Entry> entries = entries_;
  for (const Added* added = last; added != taken_; added = added->before)
    entries.insert(entries.begin() + known, {added->sink.get()});
  entries_ = std::move(entries);
  taken_ = last;
}

bool SinkList::keep_out(std::chrono::milliseconds wait) noexcept {
  kept_out_.fetch_add(1, std::memory_order_seq_cst);
  // What was forked in another way, and has not logged yet: whoever is inside is not here.
  if (generation_.load(std::memory_order_relaxed) != os::process_generation()) return false;
  return wait_until([&] { return !inside_.load(std::memory_order_seq_cst); }, wait);
}

void SinkList::let_in() noexcept { kept_out_.fetch_sub(1, std::memory_order_release); }

void SinkList::renew(bool kept_out) noexcept {
  const Added* const last = last_.load(std::memory_order_relaxed);
  const bool empty = last == passed_over_;
  if (!empty && (!kept_out || inside_.load(std::memory_order_relaxed))) {
    passed_over_ = last;
    tell_passed_over_.store(true, std::memory_order_relaxed);
  }
  inside_.store(false, std::memory_order_relaxed);
  kept_out_.store(0, std::memory_order_relaxed);
  generation_.store(os::process_generation(), std::memory_order_relaxed);
  taken_ = passed_over_;
  new (&entries_) std::vector<Entry>;
  new (&complaint_) std::string;
}

// Once for each sink.
void SinkList::complain(Entry& entry, const char* reason) noexcept {
  if (entry.told) return;
  try {
    std::string more = complaint_.empty() ? std::string() : complaint_ + "; ";
    more.append("a sink threw: ").append(reason);
    complaint_ = std::move(more);
    entry.told = true;
  } catch (const std::exception&) {
    // No memory to say it: when it throws again.
  }
}

template <class Call>
void SinkList::for_each(Call call) {
  take_added();
  if (entries_.empty()) return;
  const Visit visit(*this);
  for (Entry& entry : entries_) {
    try {
      call(*entry.sink);
    } catch (const std::exception& error) {
      complain(entry, error.what());
    } catch (...) {
      complain(entry, "not a std::exception");
    }
  }
}

void SinkList::accept_some(const Event& event) {
  for_each([&](Sink& sink) { sink.accept(event); });
}

void SinkList::flush() {
  for_each([](Sink& sink) { sink.flush(); });
}

std::string SinkList::take_complaint() {
  if (tell_passed_over_.load(std::memory_order_relaxed) && tell_passed_over_.exchange(false)) {
    return "sinks of the process that this one was forked from are not called: a thread may have been inside one of "
           "them";
  }
  return std::exchange(complaint_, {});
}

}  // namespace dlog::hub
