// A sink that writes what a renderer says to a descriptor: the console, or a file.
//
// Threads: the log thread. Errors: what could not be written is counted and told once for each run of failures; the sink goes
// on trying. A descriptor that takes nothing for now holds nobody: what was drawn is kept until it is written to its last byte, and
// meanwhile nothing else is drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "log/event/outlet.hpp"
#include "log/render/renderer.hpp"
#include "os/descriptor.hpp"
#include "os/output.hpp"

namespace dlog::sink {

class StreamSink : public event::Outlet {
 public:
  // `fd` is written to and not closed, unless `owned` holds it. `what` names the sink where a failure is told of.
  StreamSink(std::unique_ptr<render::Renderer> renderer, int fd, os::Descriptor owned, std::string what);

  void accept(const Event& event) override;
  void flush() override;
  std::int64_t due_ns() const override { return rest_.empty() ? renderer_->due_ns() : retry_ns_; }
  void settle() override;
  void leave(bool for_good) override;
  void suspend(bool on) override;
  bool owes() const override { return asked_ || (owed_ && !rest_.empty()); }
  bool full() const override { return !rest_.empty() && rest_.size() + accepted_bytes_ > kept_bytes_max; }
  bool live() const override { return renderer_->live(); }
  std::uint64_t undelivered() const override { return undelivered_; }
  void abandon() noexcept override { output_.abandon(); }
  std::string take_complaint() override;

  // What the descriptor did not take, and what was accepted meanwhile: more is not asked for.
  static constexpr std::size_t kept_bytes_max = std::size_t{1} << 20;

 private:
  // Records of one batch, and of these: those of this process.
  struct Records {
    std::uint64_t all = 0;
    std::uint64_t own = 0;
  };
  void draw(std::int64_t now_ns);
  void write_on(std::int64_t now_ns);
  void fail(int error);

  std::unique_ptr<render::Renderer> renderer_;
  os::Output output_;
  bool on_terminal_ = false;  // at the beginning
  std::string what_;
  std::string bytes_;               // what was drawn; kept for its memory
  std::string_view rest_;           // of it: what is not written
  Records in_rest_;                 // drawn into it
  Records waiting_;                 // accepted since then
  std::size_t accepted_bytes_ = 0;  // roughly, the same
  std::int64_t retry_ns_ = 0;       // when the rest is tried again
  std::int64_t pause_ns_ = 0;       // that was before it
  bool asked_ = false;              // whatever there is to say is written, due or not, when the rest is
  bool owed_ = false;               // the rest was asked for
  std::uint64_t undelivered_ = 0;
  bool failing_ = false;
  bool leaving_ = false;
  std::string complaint_;
};

}  // namespace dlog::sink
