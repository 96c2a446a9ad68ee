// fmtlog, made to block where it would drop. It has no thread unless asked, and the one it starts looks once a second: here
// it naps 100 us at a time, as others do. What a peer offers: see dlog.hpp.
#pragma once

#define FMTLOG_BLOCK 1
#define FMTLOG_HEADER_ONLY
#include <fmtlog.h>

#include <cstdint>
#include <string>

namespace bench {

class Peer {
 public:
  static constexpr const char* name = "fmtlog";

  void start(const std::string& file) {
    fmtlog::setLogFile(file.c_str(), true);
    fmtlog::setHeaderPattern("{YmdHMSe} {l} ");
    fmtlog::startPollingThread(nap_ns);
  }

  void thread_start() { fmtlog::preallocate(); }

  void record_a(std::uint64_t number, double us, const std::string& from) {
    FMTLOG(fmtlog::INF, "request {} took {} us from {}", number, us, from);
  }

  void three_ints(int a, int b, int c) { FMTLOG(fmtlog::INF, "point {} {} {}", a, b, c); }

  void stop() {
    fmtlog::stopPollingThread();
    fmtlog::poll(true);
    fmtlog::closeLogFile();
  }

 private:
  static constexpr std::int64_t nap_ns = 100'000;
};

}  // namespace bench
