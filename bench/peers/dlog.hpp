// dlog as it is linked and forgotten: defaults, but for the console, which is the file.
//
// What every peer offers: start() before all else; thread_start() once in a thread, for what the logger's documentation asks
// to be called there; the two records from any thread; stop() returns when all of them are in the file.
#pragma once

#include <dlog/dlog.hpp>

#include <fcntl.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace bench {

class Peer {
 public:
  static constexpr const char* name = "dlog";

  void start(const std::string& file) {
    dlog::Config config;
    config.format = dlog::Format::plain;
    config.output_fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    config.join_parent = false;
    dlog::init(config);
  }

  void thread_start() {}

  void record_a(std::uint64_t number, double us, const std::string& from) {
    dlog::info("request {} took {} us from {}", number, us, from);
  }

  void three_ints(int a, int b, int c) { dlog::info("point {} {} {}", a, b, c); }

  // What its documentation calls so, for who dies next.
  void flush() { dlog::flush(); }

  void stop() {
    while (!dlog::flush(std::chrono::seconds(60)).complete && dlog::stats().shown < dlog::stats().enqueued) {
    }
  }
};

}  // namespace bench
