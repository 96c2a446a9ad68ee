// spdlog, formatting and writing in the caller. What a peer offers: see dlog.hpp.
#pragma once

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <memory>
#include <string>

namespace bench {

class Peer {
 public:
  static constexpr const char* name = "spdlog_sync";

  void start(const std::string& file) {
    logger_ = spdlog::basic_logger_mt("bench", file, true);
    logger_->set_pattern("%Y-%m-%d %H:%M:%S.%e %L %v");
  }

  void thread_start() {}

  void record_a(std::uint64_t number, double us, const std::string& from) {
    logger_->info("request {} took {} us from {}", number, us, from);
  }

  void three_ints(int a, int b, int c) { logger_->info("point {} {} {}", a, b, c); }

  void stop() { logger_->flush(); }

 private:
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace bench
