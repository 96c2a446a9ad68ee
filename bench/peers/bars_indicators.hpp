// indicators' bar, which its caller draws. What a peer of bars offers: see bars_dlog.hpp.
#pragma once

#include <unistd.h>

#include <indicators/progress_bar.hpp>

#include <cstdint>
#include <iostream>

#include "terminal.hpp"

namespace bench {

class BarPeer {
 public:
  static constexpr const char* name = "indicators";

  BarPeer(const Terminal& terminal, std::uint64_t total) {
    terminal.replace(STDERR_FILENO);
    bar_.set_option(indicators::option::MaxProgress{total});
  }
  ~BarPeer() { bar_.mark_as_completed(); }

  void update() { bar_.tick(); }

 private:
  indicators::ProgressBar bar_{indicators::option::PrefixText{"Reading"}, indicators::option::Stream{std::cerr}};
};

}  // namespace bench
