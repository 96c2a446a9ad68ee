// The tool's end of a victim's console: a pipe that is read in a thread of its own, so that no victim ever waits for its reader
// unless it shall.
//
// Threads: one owner. The tally belongs to the reading thread until finish() has returned.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "torture/tally.hpp"

namespace torture {

class Collector {
 public:
  // `keep_in` is a file for a copy of what is read; empty: none.
  Collector(Tally& tally, const std::string& keep_in);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // For a victim; closed in this process once all victims that shall have it are started.
  int writer() const { return writer_; }
  void close_writer();
  void pause(bool on) { paused_ = on; }
  // Reads on to the end. False: somebody still has the other end when the time is over.
  bool finish(std::chrono::milliseconds limit);

 private:
  void read_all();
  void take(const char* bytes, std::size_t size);

  Tally& tally_;
  std::FILE* copy_ = nullptr;
  int reader_ = -1;
  int writer_ = -1;
  std::string pending_;
  std::atomic<bool> paused_{false};
  std::atomic<bool> give_up_{false};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace torture
