// glog, formatting and writing in the caller, with its own words before the message: level, date, time, thread, file, line.
// What a peer offers: see dlog.hpp.
#pragma once

#include <glog/logging.h>

#include <cstdint>
#include <string>

namespace bench {

class Peer {
 public:
  static constexpr const char* name = "glog";

  void start(const std::string& file) {
    FLAGS_timestamp_in_logfile_name = false;  // or the file would have another name
    google::SetLogDestination(google::INFO, file.c_str());
    google::SetLogSymlink(google::INFO, "");
    google::InitGoogleLogging("bench");
  }

  void thread_start() {}

  void record_a(std::uint64_t number, double us, const std::string& from) {
    LOG(INFO) << "request " << number << " took " << us << " us from " << from;
  }

  void three_ints(int a, int b, int c) { LOG(INFO) << "point " << a << " " << b << " " << c; }

  void stop() { google::FlushLogFiles(google::INFO); }
};

}  // namespace bench
