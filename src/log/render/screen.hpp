// Output on a terminal: records scroll, live bars stand below them. A bar that ends becomes one ordinary line, in order with the
// records.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "log/render/frame.hpp"
#include "log/render/record_line.hpp"
#include "log/render/renderer.hpp"

namespace dlog::render {

class Screen : public Renderer {
 public:
  explicit Screen(LineWords words) : records_(words) {}

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
  static constexpr std::int64_t hidden_ns = 150'000'000;        // a bar younger than this is not drawn

 private:
  struct LiveBar {
    std::uint64_t source_id = 0;
    std::string source{};  // empty: this process
    std::string description{};
    std::string message{};
    Bar bar{};  // its views are set when it is drawn
    std::int64_t since_ns = 0;
    Bar current() const;
  };
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // (source, bar)
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return static_cast<std::size_t>(key.first * 0x9E3779B97F4A7C15U ^ key.second);
    }
  };
  LiveBar& live_bar(const Event& event, std::int64_t now_ns);
  void accept_late(const Event& event);
  void end_bar(const LiveBar& live);
  std::vector<std::string> live_rows(std::int64_t now_ns, Size size) const;

  RecordLines records_;
  Frame frame_;
  Size size_{};
  std::string pending_;      // finished lines
  std::list<LiveBar> bars_;  // in the order of their creation
  std::unordered_map<Key, std::list<LiveBar>::iterator, KeyHash> places_;
  bool moved_ = false;  // something of the live region changed
  bool gone_ = false;   // the process ends: no live region any more
  bool away_ = false;   // finish() was called: no live region until a bar changes
  bool behind_ = false;
  int suspended_ = 0;
  std::int64_t drawn_ns_ = 0;
};

}  // namespace dlog::render
