// The sinks that programs add: see sink_list.hpp.
#include "log/hub/sink_list.hpp"

#include <exception>
#include <utility>

namespace dlog::hub {

void SinkList::add(std::shared_ptr<Sink> sink) {
  if (sink == nullptr) return;
  const std::lock_guard lock(mutex_);
  added_.push_back(std::move(sink));
  count_.store(added_.size(), std::memory_order_release);
}

template <class Call>
void SinkList::for_each(Call call) {
  if (count_.load(std::memory_order_acquire) != entries_.size()) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = entries_.size(); i < added_.size(); ++i) entries_.push_back({added_[i]});
  }
  for (Entry& entry : entries_) {
    const char* reason = nullptr;
    std::string what;
    try {
      call(*entry.sink);
    } catch (const std::exception& error) {
      what = error.what();
      reason = what.c_str();
    } catch (...) {
      reason = "not a std::exception";
    }
    if (reason != nullptr && !std::exchange(entry.told, true)) {
      if (!complaint_.empty()) complaint_ += "; ";
      complaint_.append("a sink threw: ").append(reason);
    }
  }
}

void SinkList::accept_some(const Event& event) {
  for_each([&](Sink& sink) { sink.accept(event); });
}

void SinkList::flush() {
  for_each([](Sink& sink) { sink.flush(); });
}

std::string SinkList::take_complaint() { return std::exchange(complaint_, {}); }

}  // namespace dlog::hub
