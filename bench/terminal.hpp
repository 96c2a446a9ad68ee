// A pseudo terminal that a thread reads to its end, and what came: bytes, frames, and what the reading cost.
#pragma once

#include <pty.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "process.hpp"

namespace bench {

class Terminal {
 public:
  Terminal(unsigned short columns, unsigned short rows) {
    winsize size{rows, columns, 0, 0};
    if (openpty(&ours_, &theirs_, nullptr, nullptr, &size) != 0) std::abort();
    reader_ = std::thread([this] { read_all(); });
    setenv("TERM", "xterm-256color", 1);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  // The program's end stays open: who logs may still write to it when this process ends.
  ~Terminal() {
    stop_ = true;
    [[maybe_unused]] const ssize_t written = write(theirs_, "\n", 1);
    reader_.join();
  }

  // The end for the program.
  int descriptor() const { return theirs_; }
  // Instead of one of the standard streams, for those who know no other.
  void replace(int descriptor) const { dup2(theirs_, descriptor); }

  std::uint64_t bytes() const { return bytes_; }
  // Frames are counted by the mark at their beginning (DEC mode 2026).
  std::uint64_t frames() const { return frames_; }
  // CPU time of the reader, up to its last read.
  double reader_seconds() const { return static_cast<double>(reader_us_) / 1e6; }

 private:
  void read_all() {
    char buffer[1 << 16];
    constexpr std::string_view frame_mark = "\x1b[?2026h";
    std::size_t matched = 0;
    while (!stop_) {
      const ssize_t got = read(ours_, buffer, sizeof buffer);
      if (got <= 0) return;
      bytes_ += static_cast<std::uint64_t>(got);
      for (const char c : std::string_view(buffer, static_cast<std::size_t>(got))) {
        if (c == frame_mark[matched]) ++matched;
        else matched = c == frame_mark[0] ? 1 : 0;
        if (matched == frame_mark.size()) {
          ++frames_;
          matched = 0;
        }
      }
      reader_us_ = static_cast<std::uint64_t>(thread_cpu_seconds() * 1e6);
    }
  }

  int ours_ = -1;
  int theirs_ = -1;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> frames_{0};
  std::atomic<std::uint64_t> reader_us_{0};
  std::thread reader_;
};

}  // namespace bench
