// A sink that writes what a renderer says to a descriptor: the console, or a file.
//
// Threads: the log thread. Errors: what could not be written is counted and told once for each run of failures; the sink goes
// on trying.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "log/event/outlet.hpp"
#include "log/render/renderer.hpp"
#include "os/descriptor.hpp"

namespace dlog::sink {

class StreamSink : public event::Outlet {
 public:
  // `fd` is written to and not closed, unless `owned` holds it. `what` names the sink where a failure is told of.
  StreamSink(std::unique_ptr<render::Renderer> renderer, int fd, os::Descriptor owned, std::string what);

  void accept(const Event& event) override;
  void flush() override;
  std::int64_t due_ns() const override { return renderer_->due_ns(); }
  void settle() override;
  void leave(bool for_good) override;
  void suspend(bool on) override;
  std::uint64_t undelivered() const override { return undelivered_; }
  std::string take_complaint() override;

 private:
  void write(std::int64_t now_ns);

  std::unique_ptr<render::Renderer> renderer_;
  int fd_;
  os::Descriptor owned_;
  std::string what_;
  std::string bytes_;                 // kept for its memory
  std::uint64_t waiting_ = 0;         // records accepted since the last write, and of these:
  std::uint64_t waiting_own_ = 0;     // those of this process
  std::uint64_t accepted_bytes_ = 0;  // roughly, since the last write
  std::uint64_t undelivered_ = 0;
  bool failing_ = false;
  bool leaving_ = false;
  std::string complaint_;
};

}  // namespace dlog::sink
