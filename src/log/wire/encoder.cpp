// Frames as bytes: see encoder.hpp.
#include "log/wire/encoder.hpp"

#include <fmt/format.h>

#include <cstring>

#include "base/big_endian.hpp"
#include "base/civil_time.hpp"
#include "base/utf8.hpp"
#include "log/event/bar_template.hpp"
#include "log/wire/format.hpp"

namespace dlog::wire {
namespace {

constexpr std::size_t text_bytes_max = frame_bytes_max - 64;  // what stands beside the text in a frame takes less
constexpr std::size_t token_bytes_max = 64;

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

void append(Bytes& out, const HelloFrame& frame) {
  const std::string_view name = utf8::cut(frame.name, name_bytes_max);
  const std::string_view token = utf8::cut(frame.token, token_bytes_max);
  FrameWriter writer(out, FrameType::hello, 1 + 2 + 4 + 4 + name.size() + 4 + token.size());
  writer.number(frame.version);
  writer.number(frame.pid);
  writer.text(name);
  writer.text(token);
}

void append(Bytes& out, const SiteFrame& frame) {
  const std::string_view file = utf8::cut(frame.file, site_text_bytes_max);
  const std::string_view function = utf8::cut(frame.function, site_text_bytes_max);
  FrameWriter writer(out, FrameType::site, 1 + 4 + 4 + 4 + file.size() + 4 + function.size());
  writer.number(frame.number);
  writer.number(frame.line);
  writer.text(file);
  writer.text(function);
}

void append(Bytes& out, const RecordFrame& frame) {
  const std::string_view message = utf8::cut(frame.message, text_bytes_max);
  FrameWriter writer(out, FrameType::record, 1 + 1 + 1 + 4 + 8 + 8 + 4 + message.size());
  writer.number(frame.flags);
  writer.number(frame.level);
  writer.number(frame.site);
  writer.number(frame.thread);
  writer.number(static_cast<std::uint64_t>(frame.time_ns));
  writer.text(message);
}

void append(Bytes& out, const BarStateFrame& frame) {
  const std::string_view description = utf8::cut(frame.description, description_bytes_max);
  const std::string_view message = utf8::cut(frame.message, bar_message_bytes_max);
  // Cut it would be another one.
  const std::string_view bar_template =
      frame.bar_template.size() <= event::BarTemplate::bytes_max ? frame.bar_template : std::string_view();
  FrameWriter writer(
      out, FrameType::bar_state,
      1 + 8 + 8 + 1 + 1 + 1 + 4 + 8 + 8 + 8 + 4 + description.size() + 4 + message.size() + 4 + bar_template.size());
  writer.number(frame.id);
  writer.number(frame.parent);
  writer.number(frame.state);
  writer.number(frame.flags);
  writer.number(frame.unit);
  writer.number(frame.estimate);
  writer.number(static_cast<std::uint64_t>(frame.time_ns));
  writer.number(frame.value);
  writer.number(frame.total);
  writer.text(description);
  writer.text(message);
  writer.text(bar_template);
}

void append(Bytes& out, const FlushFrame& frame) {
  FrameWriter writer(out, FrameType::flush, 1 + 1 + 8 + 8);
  writer.number(frame.flags);
  writer.number(frame.number);
  writer.number(frame.records);
}

void append(Bytes& out, const WatchFrame&) { FrameWriter writer(out, FrameType::watch, 1); }

void append(Bytes& out, const FlushedFrame& frame) {
  FrameWriter writer(out, FrameType::flushed, 1 + 8 + 8 + 8);
  writer.number(frame.number);
  writer.number(frame.records);
  writer.number(frame.lost);
}

void append(Bytes& out, const NewsFrame& frame) {
  FrameWriter writer(out, FrameType::news, 1 + 1 + 1 + 8 + 8);
  writer.number(frame.flags);
  writer.number(frame.level);
  writer.number(frame.records);
  writer.number(frame.lost);
}

std::string timestamp(std::int64_t time_ns) {
  const CivilTime t = civil_time(time_ns);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.year, t.month, t.day, t.hour, t.minute, t.second,
                     t.nanosecond / ns_per_ms);
}

}  // namespace dlog::wire
