// Frames for the tests of the wire: the golden vectors, frames in words, and frames that no encoder of ours would write.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/big_endian.hpp"
#include "log/wire/decoder.hpp"
#include "log/wire/encoder.hpp"
#include "log/wire/format.hpp"

namespace dlog::test {

// One frame, the bytes that stand for it, and nothing else that may stand for it: the contract for other languages. The first
// three were captured from the original.
struct Golden {
  const char* what;
  const char* bytes;
  wire::Frame frame;
};

inline std::vector<Golden> golden_frames() {
  using namespace wire;
  return {
      {"a record of the original", "00000029 | 00 02 00000007 \"burst 0\" 00000018 \"2026-11-21T04:16:40.727Z\"",
       LogFrame{2, "burst 0", "2026-11-21T04:16:40.727Z"}},
      {"a new bar of the original", "00000016 | 01 18e9f45ba012396e 00000001 \"x\" 0000000000000001",
       CreateFrame{0x18e9f45ba012396e, "x", 1}},
      {"the end of a bar of the original", "00000009 | 03 18e9f45ba012396e", FinishFrame{0x18e9f45ba012396e}},
      {"a change of a bar", "00000011 | 02 18e9f45ba012396e 0102030405060708",
       PushFrame{0x18e9f45ba012396e, 0x0102030405060708}},
      {"trace", "0000000b | 00 00 00000001 \"t\" 00000000", LogFrame{0, "t", ""}},
      {"debug", "0000000b | 00 01 00000001 \"d\" 00000000", LogFrame{1, "d", ""}},
      {"warn", "0000000b | 00 03 00000001 \"w\" 00000000", LogFrame{3, "w", ""}},
      {"error", "0000000b | 00 04 00000001 \"e\" 00000000", LogFrame{4, "e", ""}},
      {"fatal", "0000000b | 00 05 00000001 \"f\" 00000000", LogFrame{5, "f", ""}},
      {"a record without text", "0000000a | 00 02 00000000 00000000", LogFrame{2, "", ""}},
      {"a bar without text or total", "00000015 | 01 0000000000000000 00000000 0000000000000000",
       CreateFrame{0, "", 0}},
      {"text beyond ASCII: its size is in bytes", "00000013 | 00 02 00000009 c3a9 e282ac f09f9880 00000000",
       LogFrame{2, "\u00e9\u20ac\U0001F600", ""}},
      {"text with a newline, an escape and a NUL", "0000000d | 00 02 00000003 0a 1b 00 00000000",
       LogFrame{2, std::string_view("\n\x1b\0", 3), ""}},
      {"the largest numbers of a bar", "00000016 | 01 ffffffffffffffff 00000001 \"x\" ffffffffffffffff",
       CreateFrame{0xffffffffffffffff, "x", 0xffffffffffffffff}},
      {"the largest numbers of a change", "00000011 | 02 ffffffffffffffff ffffffffffffffff",
       PushFrame{0xffffffffffffffff, 0xffffffffffffffff}},
      {"the largest number of an end", "00000009 | 03 ffffffffffffffff", FinishFrame{0xffffffffffffffff}},
  };
}

// A frame in words, to compare and to show.
inline std::string described(const wire::Frame& frame) {
  using namespace wire;
  if (const auto* log = std::get_if<LogFrame>(&frame)) {
    return fmt::format("log {} [{}] [{}]", log->level, log->message, log->time);
  }
  if (const auto* create = std::get_if<CreateFrame>(&frame)) {
    return fmt::format("create {} [{}] {}", create->id, create->description, create->total);
  }
  if (const auto* push = std::get_if<PushFrame>(&frame)) return fmt::format("push {} {}", push->id, push->value);
  if (const auto* finish = std::get_if<FinishFrame>(&frame)) return fmt::format("finish {}", finish->id);
  const auto& unknown = std::get<UnknownFrame>(frame);
  return fmt::format("unknown {} of {} bytes", unknown.type, unknown.bytes);
}

inline wire::Bytes encoded(const wire::Frame& frame) {
  using namespace wire;
  Bytes out;
  if (const auto* log = std::get_if<LogFrame>(&frame)) append_log(out, log->level, log->message, log->time);
  if (const auto* create = std::get_if<CreateFrame>(&frame)) {
    append_create(out, create->id, create->description, create->total);
  }
  if (const auto* push = std::get_if<PushFrame>(&frame)) append_push(out, push->id, push->value);
  if (const auto* finish = std::get_if<FinishFrame>(&frame)) append_finish(out, finish->id);
  return out;
}

// A payload with the header that belongs to it, whatever the payload is.
inline wire::Bytes framed(std::span<const std::byte> payload) {
  wire::Bytes out(wire::header_bytes);
  store_big_endian(out.data(), static_cast<std::uint32_t>(payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

inline wire::Bytes& operator+=(wire::Bytes& to, const wire::Bytes& more) {
  to.insert(to.end(), more.begin(), more.end());
  return to;
}

inline void feed(wire::Decoder& decoder, std::span<const std::byte> bytes) {
  const auto room = decoder.space(bytes.size());
  std::copy(bytes.begin(), bytes.end(), room.begin());
  decoder.filled(bytes.size());
}

// All that came out of a stream, in words.
struct Decoded {
  std::vector<std::string> frames;
  std::string fault;
  std::size_t pending = 0;
};

// Takes what is whole; false: the stream is broken.
inline bool take(wire::Decoder& decoder, Decoded& to) {
  for (;;) {
    wire::Frame frame;
    const auto step = decoder.next(frame);
    if (step == wire::Decoder::Step::frame) {
      to.frames.push_back(described(frame));
      continue;
    }
    to.fault = decoder.fault();
    to.pending = decoder.pending();
    return step != wire::Decoder::Step::broken;
  }
}

inline Decoded decoded(std::span<const std::byte> bytes) {
  wire::Decoder decoder;
  Decoded result;
  feed(decoder, bytes);
  take(decoder, result);
  return result;
}

}  // namespace dlog::test
