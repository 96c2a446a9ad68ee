// Frames out of a stream of bytes that may come in any pieces and may be hostile.
//
// One decoder a connection, one thread. Pure: no socket, no clock. Memory: one frame and one piece, and as much again as the
// buffer grows. Lifetimes: the texts of a frame point into the decoder and are valid until space() or shrink() is called.
// Errors: a broken stream stays broken.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "log/wire/frame.hpp"

namespace dlog::wire {

class Decoder {
 public:
  // Room for `bytes` more; the caller fills the front of it and says how much.
  std::span<std::byte> space(std::size_t bytes);
  void filled(std::size_t bytes) noexcept;

  enum class Step { frame, need_more, broken };
  // The next whole frame. After `broken`, fault() says why, and nothing more comes.
  Step next(Frame& out);

  const std::string& fault() const noexcept { return fault_; }
  // Bytes of a frame that is not whole yet.
  std::size_t pending() const noexcept { return end_ - begin_; }
  // Gives back memory that an idle connection does not need.
  void shrink();

 private:
  Step broken(std::string reason);

  void move_to(std::size_t capacity);

  std::unique_ptr<std::byte[]> buffer_;  // never filled but by the caller
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string fault_;
};

}  // namespace dlog::wire
