// Frames out of a stream of bytes: see decoder.hpp.
#include "log/wire/decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/big_endian.hpp"
#include "log/wire/format.hpp"

namespace dlog::wire {
namespace {

// An idle connection keeps at most this much.
constexpr std::size_t idle_bytes_max = 512;

// Reads the fields of one payload; a field that is not whole makes all that follows fail.
class FieldReader {
 public:
  explicit FieldReader(std::span<const std::byte> payload) : rest_(payload) {}

  template <class T>
  T number() {
    if (rest_.size() < sizeof(T)) return fail("payload ends inside a number"), T{0};
    const T value = load_big_endian<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  std::string_view text() {
    const std::size_t size = number<std::uint32_t>();
    if (reason_ != nullptr) return {};
    if (size > rest_.size()) return fail("a text is longer than its payload"), std::string_view{};
    const std::string_view text(reinterpret_cast<const char*>(rest_.data()), size);
    rest_ = rest_.subspan(size);
    return text;
  }
  const char* reason() const { return reason_; }

 private:
  void fail(const char* reason) {
    if (reason_ == nullptr) reason_ = reason;
    rest_ = {};
  }
  std::span<const std::byte> rest_;
  const char* reason_ = nullptr;
};

// Reads the fields of one frame, whose type was read.
LogFrame read_log(FieldReader& reader) {
  LogFrame frame{};
  frame.level = reader.number<std::uint8_t>();
  frame.message = reader.text();
  frame.time = reader.text();
  return frame;
}

CreateFrame read_create(FieldReader& reader) {
  CreateFrame frame{};
  frame.id = reader.number<std::uint64_t>();
  frame.description = reader.text();
  frame.total = reader.number<std::uint64_t>();
  return frame;
}

PushFrame read_push(FieldReader& reader) {
  PushFrame frame{};
  frame.id = reader.number<std::uint64_t>();
  frame.value = reader.number<std::uint64_t>();
  return frame;
}

HelloFrame read_hello(FieldReader& reader) {
  HelloFrame frame{};
  frame.version = reader.number<std::uint16_t>();
  frame.pid = reader.number<std::uint32_t>();
  frame.name = reader.text();
  frame.token = reader.text();
  return frame;
}

SiteFrame read_site(FieldReader& reader) {
  SiteFrame frame{};
  frame.number = reader.number<std::uint32_t>();
  frame.line = reader.number<std::uint32_t>();
  frame.file = reader.text();
  frame.function = reader.text();
  return frame;
}

RecordFrame read_record(FieldReader& reader) {
  RecordFrame frame{};
  frame.flags = reader.number<std::uint8_t>();
  frame.level = reader.number<std::uint8_t>();
  frame.site = reader.number<std::uint32_t>();
  frame.thread = reader.number<std::uint64_t>();
  frame.time_ns = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  frame.message = reader.text();
  return frame;
}

BarStateFrame read_bar_state(FieldReader& reader) {
  BarStateFrame frame{};
  frame.id = reader.number<std::uint64_t>();
  frame.parent = reader.number<std::uint64_t>();
  frame.state = reader.number<std::uint8_t>();
  frame.flags = reader.number<std::uint8_t>();
  frame.unit = reader.number<std::uint8_t>();
  frame.estimate = reader.number<std::uint32_t>();
  frame.time_ns = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  frame.value = reader.number<std::uint64_t>();
  frame.total = reader.number<std::uint64_t>();
  frame.description = reader.text();
  frame.message = reader.text();
  frame.bar_template = reader.text();
  return frame;
}

FlushFrame read_flush(FieldReader& reader) {
  FlushFrame frame{};
  frame.flags = reader.number<std::uint8_t>();
  frame.number = reader.number<std::uint64_t>();
  frame.records = reader.number<std::uint64_t>();
  return frame;
}

FlushedFrame read_flushed(FieldReader& reader) {
  FlushedFrame frame{};
  frame.number = reader.number<std::uint64_t>();
  frame.records = reader.number<std::uint64_t>();
  frame.lost = reader.number<std::uint64_t>();
  return frame;
}

NewsFrame read_news(FieldReader& reader) {
  NewsFrame frame{};
  frame.flags = reader.number<std::uint8_t>();
  frame.level = reader.number<std::uint8_t>();
  frame.records = reader.number<std::uint64_t>();
  frame.lost = reader.number<std::uint64_t>();
  return frame;
}

// A payload as a frame; bytes after the last field are left alone. Null: `out` is set.
const char* parse_payload(std::span<const std::byte> payload, Frame& out) {
  FieldReader reader(payload);
  const auto type = reader.number<std::uint8_t>();
  if (reader.reason() != nullptr) return "payload is empty";
  switch (static_cast<FrameType>(type)) {
    case FrameType::log: out = read_log(reader); break;
    case FrameType::create: out = read_create(reader); break;
    case FrameType::push: out = read_push(reader); break;
    case FrameType::finish: out = FinishFrame{reader.number<std::uint64_t>()}; break;
    case FrameType::hello: out = read_hello(reader); break;
    case FrameType::site: out = read_site(reader); break;
    case FrameType::record: out = read_record(reader); break;
    case FrameType::bar_state: out = read_bar_state(reader); break;
    case FrameType::flush: out = read_flush(reader); break;
    case FrameType::watch: out = WatchFrame{}; break;
    case FrameType::flushed: out = read_flushed(reader); break;
    case FrameType::news: out = read_news(reader); break;
    default: out = UnknownFrame{type, payload.size()};
  }
  return reader.reason();
}

}  // namespace

// The rest of the bytes, in memory of another size.
void Decoder::move_to(std::size_t capacity) {
  auto memory = std::make_unique_for_overwrite<std::byte[]>(capacity);
  if (pending() != 0) std::memcpy(memory.get(), buffer_.get() + begin_, pending());
  buffer_ = std::move(memory);
  capacity_ = capacity;
  end_ -= begin_;
  begin_ = 0;
}

std::span<std::byte> Decoder::space(std::size_t bytes) {
  if (capacity_ < pending() + bytes) {
    move_to(std::max(pending() + bytes, capacity_ * 2));
  } else if (begin_ != 0) {
    if (pending() != 0) std::memmove(buffer_.get(), buffer_.get() + begin_, pending());
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.get() + end_, bytes};
}

void Decoder::filled(std::size_t bytes) noexcept { end_ += bytes; }

Decoder::Step Decoder::next(Frame& out) {
  if (!fault_.empty()) return Step::broken;
  if (pending() < header_bytes) return Step::need_more;
  const std::size_t length = load_big_endian<std::uint32_t>(buffer_.get() + begin_);
  if (length > frame_bytes_max)
    return broken(fmt::format("frame of {} bytes is over the limit of {}", length, frame_bytes_max));
  if (pending() < header_bytes + length) return Step::need_more;
  const std::span payload(buffer_.get() + begin_ + header_bytes, length);
  if (const char* reason = parse_payload(payload, out))
    return broken(fmt::format("malformed frame of {} bytes: {}", length, reason));
  begin_ += header_bytes + length;
  return Step::frame;
}

Decoder::Step Decoder::broken(std::string reason) {
  fault_ = std::move(reason);
  return Step::broken;
}

void Decoder::shrink() {
  if (capacity_ <= idle_bytes_max || pending() > idle_bytes_max) return;
  move_to(pending());
}

}  // namespace dlog::wire
