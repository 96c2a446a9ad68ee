// Frames for the tests of the wire: the golden vectors, frames in words, and frames that no encoder of ours would write.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
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
      {"a hello", "00000033 | 10 0002 00001267 00000004 \"prog\" 00000020 \"00112233445566778899aabbccddeeff\"",
       HelloFrame{2, 4711, "prog", "00112233445566778899aabbccddeeff"}},
      {"a hello of somebody later, without texts", "0000000f | 10 ffff ffffffff 00000000 00000000",
       HelloFrame{0xffff, 0xffffffff, "", ""}},
      {"a place in the source", "00000022 | 11 00000001 0000002a 00000008 \"main.cpp\" 00000009 \"int f(\" c3a9 \")\"",
       SiteFrame{1, 42, "main.cpp", "int f(\u00e9)"}},
      {"the largest numbers of a place, without texts", "00000011 | 11 ffffffff ffffffff 00000000 00000000",
       SiteFrame{0xffffffff, 0xffffffff, "", ""}},
      {"a record of version 2", "00000022 | 12 00 02 00000001 000000000000126b 18e9f45ba012396e 00000007 \"burst 0\"",
       RecordFrame{0, 2, 1, 4715, 0x18e9f45ba012396e, "burst 0"}},
      {"a notice, before 1970, without a place",
       "0000001c | 12 01 03 00000000 0000000000000000 ffffffffffffffff 00000001 \"n\"",
       RecordFrame{1, 3, 0, 0, -1, "n"}},
      {"the largest numbers of a record, without text",
       "0000001b | 12 ff ff ffffffff ffffffffffffffff 8000000000000000 00000000",
       RecordFrame{255, 255, 0xffffffff, 0xffffffffffffffff, std::numeric_limits<std::int64_t>::min(), ""}},
      {"a bar's whole state",
       "0000004f | 13 18e9f45ba012396e 18e9f45ba012396d 00 01 02 00000003 18e9f45ba0123970 0000000000000005 "
       "000000000000000a"
       "00000007 \"Reading\" 00000006 \"part 3\" 00000006 \"{desc}\"",
       BarStateFrame{0x18e9f45ba012396e, 0x18e9f45ba012396d, 0, 1, 2, 3, 0x18e9f45ba0123970, 5, 10, "Reading", "part 3",
                     "{desc}"}},
      {"the largest numbers of a bar's state, without texts",
       "0000003c | 13 ffffffffffffffff ffffffffffffffff ff ff ff ffffffff 7fffffffffffffff ffffffffffffffff "
       "ffffffffffffffff"
       "00000000 00000000 00000000",
       BarStateFrame{0xffffffffffffffff, 0xffffffffffffffff, 255, 255, 255, 0xffffffff,
                     std::numeric_limits<std::int64_t>::max(), 0xffffffffffffffff, 0xffffffffffffffff, "", "", ""}},
      {"a request to be told when all before it is written", "00000012 | 14 00 0000000000000007 00000000000003e8",
       FlushFrame{0, 7, 1000}},
      {"the same as the last frame, with the largest numbers", "00000012 | 14 01 ffffffffffffffff ffffffffffffffff",
       FlushFrame{1, 0xffffffffffffffff, 0xffffffffffffffff}},
      {"a request to be told the news", "00000001 | 15", WatchFrame{}},
      {"the answer to a flush", "00000019 | 20 0000000000000007 00000000000003e8 0000000000000002",
       FlushedFrame{7, 1000, 2}},
      {"the news: another level", "00000013 | 21 00 01 00000000000003e8 0000000000000002", NewsFrame{0, 1, 1000, 2}},
      {"the news: the end, with the largest numbers", "00000013 | 21 ff ff ffffffffffffffff ffffffffffffffff",
       NewsFrame{255, 255, 0xffffffffffffffff, 0xffffffffffffffff}},
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
  if (const auto* hello = std::get_if<HelloFrame>(&frame)) {
    return fmt::format("hello {} {} [{}] [{}]", hello->version, hello->pid, hello->name, hello->token);
  }
  if (const auto* site = std::get_if<SiteFrame>(&frame)) {
    return fmt::format("site {} {} [{}] [{}]", site->number, site->line, site->file, site->function);
  }
  if (const auto* record = std::get_if<RecordFrame>(&frame)) {
    return fmt::format("record {} {} {} {} {} [{}]", record->flags, record->level, record->site, record->thread,
                       record->time_ns, record->message);
  }
  if (const auto* flush = std::get_if<FlushFrame>(&frame))
    return fmt::format("flush {} {} {}", flush->flags, flush->number, flush->records);
  if (std::get_if<WatchFrame>(&frame) != nullptr) return "watch";
  if (const auto* flushed = std::get_if<FlushedFrame>(&frame))
    return fmt::format("flushed {} {} {}", flushed->number, flushed->records, flushed->lost);
  if (const auto* news = std::get_if<NewsFrame>(&frame))
    return fmt::format("news {} {} {} {}", news->flags, news->level, news->records, news->lost);
  if (const auto* bar = std::get_if<BarStateFrame>(&frame)) {
    return fmt::format("bar {} {} {} {} {} {} {} {} {} [{}] [{}] [{}]", bar->id, bar->parent, bar->state, bar->flags,
                       bar->unit, bar->estimate, bar->time_ns, bar->value, bar->total, bar->description, bar->message,
                       bar->bar_template);
  }
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
  if (const auto* hello = std::get_if<HelloFrame>(&frame)) append(out, *hello);
  if (const auto* site = std::get_if<SiteFrame>(&frame)) append(out, *site);
  if (const auto* record = std::get_if<RecordFrame>(&frame)) append(out, *record);
  if (const auto* bar = std::get_if<BarStateFrame>(&frame)) append(out, *bar);
  if (const auto* flush = std::get_if<FlushFrame>(&frame)) append(out, *flush);
  if (const auto* watch = std::get_if<WatchFrame>(&frame)) append(out, *watch);
  if (const auto* flushed = std::get_if<FlushedFrame>(&frame)) append(out, *flushed);
  if (const auto* news = std::get_if<NewsFrame>(&frame)) append(out, *news);
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
