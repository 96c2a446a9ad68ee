// Output on a terminal: records scroll, live bars stand below them. A bar that ends becomes one ordinary line, in order with the
// records.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "log/render/frame.hpp"
#include "log/render/live_bars.hpp"
#include "log/render/record_line.hpp"
#include "log/render/renderer.hpp"
#include "log/render/theme.hpp"

namespace dlog::render {

class Screen : public Renderer {
 public:
  struct Look {
    BarLook bars{};
    bool taskbar = false;               // tell the terminal how far all bars are (OSC 9;4)
    std::int64_t age_ns = 150'000'000;  // a bar younger than this is not drawn
  };
  explicit Screen(LineWords words) : Screen(words, {}) {}
  Screen(LineWords words, Look look) : records_(words), look_(std::move(look)) { look_.bars.colour = words.colour; }

  void accept(const Event& event, std::int64_t now_ns) override;
  std::int64_t due_ns() const override;
  void draw(std::string& out, std::int64_t now_ns, Size size) override;
  bool draws_frames() const override { return true; }
  void fit(Size size) override { size_ = size; }
  bool live() const override { return frame_.has_live_rows(); }
  void stay_behind(bool on) override { behind_ = on; }
  void leave(bool for_good) override;
  void suspend(bool on) override;

  static constexpr std::int64_t frame_ns = 16'000'000;          // between frames, where records come
  static constexpr std::int64_t bars_frame_ns = 100'000'000;    // between frames, where bars move
  static constexpr std::int64_t idle_frame_ns = 1'000'000'000;  // between frames, where nothing happens

 private:
  static constexpr int taskbar_off = -2;
  void accept_late(const Event& event);
  void end_bar(const LiveBars::Live& live, std::int64_t now_ns);
  bool draws_bars() const noexcept { return suspended_ == 0 && !away_ && !gone_; }
  static constexpr std::size_t narrowed_columns_min = 24;
  static std::size_t row_columns(Size size, std::size_t rows);
  std::vector<std::string> live_rows(std::int64_t now_ns, Size size) const;
  void append_taskbar(std::string& out, bool live);

  RecordLines records_;
  Frame frame_;
  Size size_{};
  Look look_;
  std::string pending_;  // finished lines
  LiveBars bars_;
  int taskbar_told_ = taskbar_off;
  bool moved_ = false;  // something of the live region changed
  bool gone_ = false;   // the process ends: no live region any more
  bool away_ = false;   // finish() was called: no live region until a bar changes
  bool behind_ = false;
  int suspended_ = 0;
  std::int64_t drawn_ns_ = 0;
  std::int64_t latest_ns_ = 0;  // that was heard of
};

}  // namespace dlog::render
