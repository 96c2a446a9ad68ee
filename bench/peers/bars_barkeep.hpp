// barkeep's bar: it watches a counter of its user's. What a peer of bars offers: see bars_dlog.hpp.
#pragma once

#include <barkeep/barkeep.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "terminal.hpp"

namespace bench {

class BarPeer {
 public:
  static constexpr const char* name = "barkeep";

  BarPeer(const Terminal& terminal, std::uint64_t total) {
    terminal.replace(STDERR_FILENO);
    bar_ = barkeep::ProgressBar(&value_, {.out = &std::cerr, .total = total, .message = "Reading", .interval = 0.1});
  }
  ~BarPeer() { bar_->done(); }

  void update() { ++value_; }

 private:
  alignas(64) std::atomic<std::uint64_t> value_{0};
  alignas(64) std::shared_ptr<barkeep::ProgressBarDisplay<std::atomic<std::uint64_t>>> bar_;
};

}  // namespace bench
