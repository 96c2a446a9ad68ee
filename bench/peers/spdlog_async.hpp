// spdlog with its queue and thread at their defaults: 8,192 places, and a call blocks when they are taken.
// What a peer offers: see dlog.hpp.
#pragma once

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <memory>
#include <string>

namespace bench {

class Peer {
 public:
  static constexpr const char* name = "spdlog_async";

  void start(const std::string& file) {
    logger_ = spdlog::basic_logger_mt<spdlog::async_factory>("bench", file, true);
    logger_->set_pattern("%Y-%m-%d %H:%M:%S.%e %L %v");
  }

  void thread_start() {}

  void record_a(std::uint64_t number, double us, const std::string& from) {
    logger_->info("request {} took {} us from {}", number, us, from);
  }

  void three_ints(int a, int b, int c) { logger_->info("point {} {} {}", a, b, c); }

  // What its documentation calls so, for who dies next.
  void flush() { logger_->flush(); }

  // Its flush() returns at once; only the end of its thread says that the queue is empty, and the file is closed with the sink.
  void stop() {
    logger_.reset();
    spdlog::shutdown();
  }

 private:
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace bench
