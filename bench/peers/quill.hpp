// quill with its documented defaults: an unbounded queue that grows, then blocks; the backend thread naps 100 us at a time.
// What a peer offers: see dlog.hpp.
#pragma once

#include <quill/Backend.h>
#include <quill/Frontend.h>
#include <quill/LogMacros.h>
#include <quill/Logger.h>
#include <quill/sinks/FileSink.h>

#include <cstdint>
#include <string>

namespace bench {

class Peer {
 public:
  static constexpr const char* name = "quill";

  void start(const std::string& file) {
    quill::Backend::start();
    quill::FileSinkConfig config;
    config.set_open_mode('w');
    auto sink = quill::Frontend::create_or_get_sink<quill::FileSink>(file, config);
    logger_ = quill::Frontend::create_or_get_logger(
        "bench", std::move(sink),
        quill::PatternFormatterOptions{"%(time) %(log_level_short_code) %(message)", "%Y-%m-%d %H:%M:%S.%Qms"});
  }

  void thread_start() { quill::Frontend::preallocate(); }

  void record_a(std::uint64_t number, double us, const std::string& from) {
    LOG_INFO(logger_, "request {} took {} us from {}", number, us, from);
  }

  void three_ints(int a, int b, int c) { LOG_INFO(logger_, "point {} {} {}", a, b, c); }

  void stop() { logger_->flush_log(); }

 private:
  quill::Logger* logger_ = nullptr;
};

}  // namespace bench
