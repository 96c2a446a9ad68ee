// Events as frames: see encoder.hpp.
#include "log/wire/encoder.hpp"

#include <fmt/format.h>

#include <cstring>

#include "base/big_endian.hpp"
#include "base/civil_time.hpp"
#include "base/utf8.hpp"
#include "log/wire/format.hpp"

namespace dlog::wire {
namespace {

constexpr std::size_t text_bytes_max = frame_bytes_max - 64;  // what stands beside the text in a frame takes less

// Writes one frame of a known size.
class FrameWriter {
 public:
  FrameWriter(Bytes& out, FrameType type, std::size_t payload_bytes) {
    const std::size_t start = out.size();
    out.resize(start + header_bytes + payload_bytes);
    to_ = out.data() + start;
    number(static_cast<std::uint32_t>(payload_bytes));
    number(static_cast<std::uint8_t>(type));
  }
  template <class T>
  void number(T value) {
    store_big_endian(to_, value);
    to_ += sizeof value;
  }
  void text(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    if (!text.empty()) std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }

 private:
  std::byte* to_;
};

}  // namespace

void append_log(Bytes& out, std::uint8_t level, std::string_view message, std::string_view time) {
  time = utf8::cut(time, 1024);
  message = utf8::cut(message, text_bytes_max - time.size());
  FrameWriter frame(out, FrameType::log, 1 + 1 + 4 + message.size() + 4 + time.size());
  frame.number(level);
  frame.text(message);
  frame.text(time);
}

void append_create(Bytes& out, std::uint64_t id, std::string_view description, std::uint64_t total) {
  description = utf8::cut(description, text_bytes_max);
  FrameWriter frame(out, FrameType::create, 1 + 8 + 4 + description.size() + 8);
  frame.number(id);
  frame.text(description);
  frame.number(total);
}

void append_push(Bytes& out, std::uint64_t id, std::uint64_t value) {
  FrameWriter frame(out, FrameType::push, 1 + 8 + 8);
  frame.number(id);
  frame.number(value);
}

void append_finish(Bytes& out, std::uint64_t id) {
  FrameWriter frame(out, FrameType::finish, 1 + 8);
  frame.number(id);
}

std::string timestamp(std::int64_t time_ns) {
  const CivilTime t = civil_time(time_ns);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.year, t.month, t.day, t.hour, t.minute, t.second,
                     t.nanosecond / ns_per_ms);
}

}  // namespace dlog::wire
