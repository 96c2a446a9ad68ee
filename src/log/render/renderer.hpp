// What a stream of events looks like: the interface between a sink, which has the clock and the descriptor, and the words.
//
// Pure: times and sizes are arguments. One thread. `now_ns` is monotonic.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "dlog/event.hpp"
#include "log/render/frame.hpp"

namespace dlog::render {

class Renderer {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  virtual ~Renderer() = default;
  // `now_ns` is of use for bars only.
  virtual void accept(const Event& event, std::int64_t now_ns) = 0;

  // When draw() will have something to say though no event came; `never`, or a time that may have passed already.
  virtual std::int64_t due_ns() const = 0;

  // Appends the bytes that bring the output up to date.
  virtual void draw(std::string& out, std::int64_t now_ns, Size size) = 0;

  // What draw() appends is one picture, to be written at once; else it is lines, and may be written in several pieces of them.
  virtual bool draws_frames() const { return false; }

  // The size, before the first draw().
  virtual void fit(Size /*size*/) {}

  // Rows that would be drawn again stand on the screen.
  virtual bool live() const { return false; }
  // Another program has the terminal: no such rows from the next draw() on, or again.
  virtual void stay_behind(bool /*on*/) {}

  // See event::Outlet.
  virtual void leave(bool /*for_good*/) {}
  virtual void suspend(bool /*on*/) {}
};

}  // namespace dlog::render
