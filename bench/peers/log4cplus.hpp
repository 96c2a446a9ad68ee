// log4cplus, formatting and writing in the caller, without its default of a flush after every record.
// What a peer offers: see dlog.hpp.
#pragma once

#include <log4cplus/fileappender.h>
#include <log4cplus/initializer.h>
#include <log4cplus/layout.h>
#include <log4cplus/logger.h>
#include <log4cplus/loggingmacros.h>

#include <cstdint>
#include <memory>
#include <string>

namespace bench {

class Peer {
 public:
  static constexpr const char* name = "log4cplus";

  void start(const std::string& file) {
    log4cplus::initialize();
    const log4cplus::SharedAppenderPtr appender(new log4cplus::FileAppender(file, std::ios_base::trunc, false));
    appender->setLayout(std::make_unique<log4cplus::PatternLayout>("%D{%Y-%m-%d %H:%M:%S.%q} %p %m%n"));
    logger_ = log4cplus::Logger::getRoot();
    logger_.addAppender(appender);
  }

  void thread_start() {}

  void record_a(std::uint64_t number, double us, const std::string& from) {
    LOG4CPLUS_INFO(logger_, "request " << number << " took " << us << " us from " << from);
  }

  void three_ints(int a, int b, int c) { LOG4CPLUS_INFO(logger_, "point " << a << " " << b << " " << c); }

  void stop() {
    logger_.removeAllAppenders();
    log4cplus::Logger::shutdown();
  }

 private:
  log4cplus::Logger logger_;
};

}  // namespace bench
