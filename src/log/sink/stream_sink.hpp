// A sink that writes what a renderer says to a descriptor: the console, or a file.
//
// Threads: the log thread. Errors: what could not be written is counted and told once for each run of failures; the sink goes
// on trying. A descriptor that takes nothing for now holds nobody: what was drawn is kept until it is written to its last byte, and
// meanwhile nothing else is drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "log/event/outlet.hpp"
#include "log/render/renderer.hpp"
#include "log/sink/losses.hpp"
#include "os/descriptor.hpp"
#include "os/output.hpp"

namespace dlog::sink {

class StreamSink : public event::Outlet {
 public:
  // `fd` is written to and not closed, unless `owned` holds it; then `path` is where it is opened again, should the program close it.
  // `what` names the sink where a failure is told of.
  StreamSink(std::unique_ptr<render::Renderer> renderer, int fd, os::Descriptor owned, std::string what,
             std::string path = {});

  void accept(const Event& event) override;
  void flush() override;
  std::int64_t due_ns() const override { return rest_.empty() ? renderer_->due_ns() : retry_ns_; }
  void settle() override;
  void leave(bool for_good) override;
  void suspend(bool on) override;
  bool owes() const override { return asked_ || (owed_ && !rest_.empty()); }
  bool full() const override { return !rest_.empty() && rest_.size() + accepted_bytes_ > kept_bytes_max; }
  bool live() const override { return renderer_->live(); }
  std::uint64_t undelivered() const override { return undelivered_of(0); }
  std::uint64_t undelivered_of(std::uint64_t source_id) const override { return undelivered_.of(source_id); }
  std::uint64_t waiting() const override { return waiting_.own + (rest_.empty() ? 0 : in_rest_.own); }
  void abandon() noexcept override { output_.abandon(); }
  std::string take_complaint() override;

  // What the descriptor did not take, and what was accepted meanwhile: more is not asked for.
  static constexpr std::size_t kept_bytes_max = std::size_t{1} << 20;

 private:
  // Sources that are none; dlog's own records are nobody's, and not counted.
  static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
  static constexpr std::uint64_t nobody = none - 1;
  // Records of one batch: which follow each other of one source, and where these begin.
  struct Run {
    std::uint64_t source_id;
    std::uint64_t begin;
  };
  struct Records {
    std::vector<Run> runs{};
    std::uint64_t latest_source = none;  // that of the last run: most records are of that, too
    std::uint64_t all = 0;
    std::uint64_t own = 0;  // of this process

    // For one record more of this source.
    void make_room(std::uint64_t source_id) {
      if (source_id == latest_source) return;
      runs.push_back({source_id, all});
      latest_source = source_id;
    }
    void clear() noexcept {
      runs.clear();
      latest_source = none;
      all = own = 0;
    }
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
  Losses undelivered_;
  bool failing_ = false;
  bool torn_ = false;  // the last line is not whole: the rest of it could not be written
  bool leaving_ = false;
  std::string complaint_;
};

}  // namespace dlog::sink
