// Bytes of a hostile child through the decoder: in one piece and in many, the same frames come out, and a frame that comes
// out is the same after being encoded and decoded again. The input's first byte seeds the pieces.
#include "log/wire/decoder.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "demand.hpp"
#include "log/wire/encoder.hpp"
#include "pieces.hpp"

namespace {

using dlog::fuzz::demand;
using namespace dlog::wire;

struct Decoded {
  std::vector<Bytes> frames;  // encoded again, where we have words for them
  std::string fault;
  std::size_t pending = 0;
  bool operator==(const Decoded&) const = default;
};

Bytes encode(const Frame& frame) {
  Bytes out;
  if (const auto* hello = std::get_if<HelloFrame>(&frame)) append(out, *hello);
  if (const auto* site = std::get_if<SiteFrame>(&frame)) append(out, *site);
  if (const auto* record = std::get_if<RecordFrame>(&frame)) append(out, *record);
  if (const auto* bar = std::get_if<BarStateFrame>(&frame)) append(out, *bar);
  if (const auto* flush = std::get_if<FlushFrame>(&frame)) append(out, *flush);
  if (const auto* watch = std::get_if<WatchFrame>(&frame)) append(out, *watch);
  if (const auto* flushed = std::get_if<FlushedFrame>(&frame)) append(out, *flushed);
  if (const auto* news = std::get_if<NewsFrame>(&frame)) append(out, *news);
  if (const auto* log = std::get_if<LogFrame>(&frame)) append_log(out, log->level, log->message, log->time);
  if (const auto* create = std::get_if<CreateFrame>(&frame))
    append_create(out, create->id, create->description, create->total);
  if (const auto* push = std::get_if<PushFrame>(&frame)) append_push(out, push->id, push->value);
  if (const auto* finish = std::get_if<FinishFrame>(&frame)) append_finish(out, finish->id);
  return out;
}

void feed(Decoder& decoder, std::span<const std::byte> bytes) {
  const auto room = decoder.space(bytes.size());
  demand(room.size() >= bytes.size(), "there is the room that was asked for");
  std::copy(bytes.begin(), bytes.end(), room.begin());
  decoder.filled(bytes.size());
}

// Takes what is whole; false: the stream is broken.
bool take(Decoder& decoder, Decoded& to) {
  for (;;) {
    Frame frame;
    switch (decoder.next(frame)) {
      case Decoder::Step::frame: to.frames.push_back(encode(frame)); break;
      case Decoder::Step::need_more: to.pending = decoder.pending(); return true;
      case Decoder::Step::broken:
        demand(!decoder.fault().empty(), "a broken stream has a reason");
        demand(decoder.next(frame) == Decoder::Step::broken, "a broken stream stays broken");
        to.fault = decoder.fault();
        return false;
    }
  }
}

Decoded decode(std::span<const std::byte> bytes) {
  Decoder decoder;
  Decoded result;
  feed(decoder, bytes);
  take(decoder, result);
  return result;
}

Decoded decode_in_pieces(std::span<const std::byte> bytes, std::uint32_t seed) {
  Decoder decoder;
  Decoded result;
  for (dlog::fuzz::Pieces pieces(bytes, seed); pieces.more();) {
    feed(decoder, pieces.next());
    if (!take(decoder, result)) break;
    if (seed % 2 == 0) decoder.shrink();
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  const Decoded whole = decode(bytes);
  Decoded pieces = decode_in_pieces(bytes, data[0]);
  if (!whole.fault.empty()) pieces.pending = whole.pending;  // what stands behind the fault came in another measure
  demand(pieces == whole, "pieces decode as the whole does");

  for (const Bytes& frame : whole.frames) {
    if (frame.empty()) continue;
    const Decoded again = decode(frame);
    demand(again.fault.empty() && again.pending == 0, "what is encoded can be decoded");
    demand(again.frames.size() == 1 && again.frames[0] == frame, "a frame survives encoding");
  }
  return 0;
}
