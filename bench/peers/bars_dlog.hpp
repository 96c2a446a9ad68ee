// dlog's bars on a terminal.
//
// What every peer of bars offers: it is made with the terminal and shows one live bar until it is destroyed; update() from any
// thread is what its documentation says for one step.
#pragma once

#include <dlog/dlog.hpp>

#include <cstdint>
#include <optional>

#include "terminal.hpp"

namespace bench {

class BarPeer {
 public:
  static constexpr const char* name = "dlog";

  BarPeer(const Terminal& terminal, std::uint64_t total) {
    dlog::Config config;
    config.output_fd = terminal.descriptor();
    config.progress = dlog::ProgressMode::bar;
    config.join_parent = false;
    dlog::init(config);
    bar_.emplace("Reading", total);
  }

  void update() { ++*bar_; }

 private:
  std::optional<dlog::ProgressBar> bar_;
};

}  // namespace bench
