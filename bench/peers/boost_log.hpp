// Boost.Log, formatting and writing in the caller. Its time has microseconds where the others have milliseconds.
// What a peer offers: see dlog.hpp.
#pragma once

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/log/expressions.hpp>
#include <boost/log/sources/severity_logger.hpp>
#include <boost/log/support/date_time.hpp>
#include <boost/log/trivial.hpp>
#include <boost/log/utility/setup/common_attributes.hpp>
#include <boost/log/utility/setup/file.hpp>

#include <cstdint>
#include <string>

namespace bench {

class Peer {
 public:
  static constexpr const char* name = "boost_log";

  void start(const std::string& file) {
    namespace log = boost::log;
    namespace words = boost::log::expressions;
    log::add_common_attributes();
    log::add_file_log(
        log::keywords::file_name = file, log::keywords::auto_flush = false,
        log::keywords::format =
            (words::stream << words::format_date_time<boost::posix_time::ptime>("TimeStamp", "%Y-%m-%d %H:%M:%S.%f")
                           << " " << log::trivial::severity << " " << words::smessage));
  }

  void thread_start() {}

  void record_a(std::uint64_t number, double us, const std::string& from) {
    BOOST_LOG_TRIVIAL(info) << "request " << number << " took " << us << " us from " << from;
  }

  void three_ints(int a, int b, int c) { BOOST_LOG_TRIVIAL(info) << "point " << a << " " << b << " " << c; }

  void stop() {
    boost::log::core::get()->flush();
    boost::log::core::get()->remove_all_sinks();
  }
};

}  // namespace bench
