// Bytes of a hostile other side through the receiving half of a channel: in one piece and in many, the same comes out; what comes out can
// be written and read again; and no descriptor is left behind. The input's first byte seeds the pieces, and chooses: one input in eight,
// and every seed, is read both ways and, where no descriptors come, compared; the others are read once, which takes a third of the time.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channel/envelope.hpp"
#include "channel/inbound.hpp"
#include "channel/json_text.hpp"
#include "channel/requests.hpp"
#include "demand.hpp"
#include "os/descriptor.hpp"
#include "os/message_socket.hpp"
#include "pieces.hpp"

namespace {

using namespace dlog::channel;
using dlog::fuzz::demand;

constexpr std::uint8_t with_descriptors = 0x80;
constexpr std::uint8_t short_lines = 0x10;  // so that small inputs too are longer than a line may be
constexpr std::uint8_t in_one_piece = 0x08;
constexpr std::uint8_t one_pass = 0x07;  // none of them: both ways, and compared

class Seen final : public Inbound::Receiver {
 public:
  explicit Seen(bool thorough) : thorough_(thorough) {}
  void take_message(Json&& message) override { tell("message", written(message)); }
  void take_handle(Json&& message, Inbound::ArrivedHandle&& handle) override {
    demand(handle.kind != HandleKind::none && handle.descriptor, "a handle is one");
    tell("handle", written(message));
  }
  void refuse_handle() override { tell("refused", ""); }
  void take_answer(bool acknowledged) override { tell(acknowledged ? "ack" : "nack", ""); }
  void take_count_question(const std::string& key) override { tell("count", count_line(key, 3)); }
  void take_close_question(const std::string& key) override { tell("close", all_closed_line(key)); }
  void take_error(Error&& error) override {
    demand(!error.reason.empty(), "an error has a reason");
    tell(to_string(error.code), error.reason);
  }

  std::string told;

 private:
  void tell(std::string_view what, std::string_view detail) {
    told.append(what).append(" ").append(detail).append("\n");
  }
  // What came can be sent on, and comes again as it was.
  std::string written(const Json& message) const {
    Expected<std::string> text = json_text(message);
    demand(text.has_value(), "what came can be written");
    if (!thorough_) return std::move(*text);
    const std::string once = *text;
    Expected<Json> again = parse_json(*text);
    demand(again.has_value() && *again == message, "what is written can be read");
    std::string line = message_line(Dialect::deka, std::string(*text));
    line.pop_back();
    Expected<Json> enveloped = parse_json(line);
    if (enveloped) {  // the envelope may be one level too many
      const Line read = read_line(std::move(*enveloped));
      demand(read.kind == LineKind::message && *read.value == message, "the envelope can be taken off");
    }
    const Call call = read_call(message);
    if (call.kind == CallKind::request) take_params(Json(message));
    if (call.kind == CallKind::reply) take_reply(Json(message));
    return once;
  }

  bool thorough_;
};

int socket_to_send() {
  static dlog::Result<dlog::os::SocketPair>& pair = *new auto(dlog::os::socket_pair());
  return pair->ours.get();
}

std::string take(std::span<const std::byte> bytes, std::uint8_t seed, bool in_pieces, bool thorough) {
  Seen seen(thorough);
  Inbound inbound((seed & short_lines) != 0 ? 48 : 512);
  std::vector<dlog::os::Descriptor> descriptors;
  const auto give = [&](std::span<const std::byte> piece) {
    if ((seed & with_descriptors) != 0 && piece.size() % 3 == 0)
      descriptors.emplace_back(dlog::os::duplicate(piece.size() % 2 == 0 ? socket_to_send() : STDERR_FILENO));
    inbound.take({reinterpret_cast<const char*>(piece.data()), piece.size()}, descriptors, false, seen);
    demand(descriptors.empty(), "descriptors are taken over");
  };
  if (in_pieces) {
    for (dlog::fuzz::Pieces pieces(bytes, seed); pieces.more();) give(pieces.next());
  } else {
    give(bytes);
  }
  inbound.end(seen);
  return std::move(seen.told);
}

// The lowest number that is free.
int lowest() {
  socket_to_send();  // open from now on
  const int fd = dlog::os::duplicate(STDERR_FILENO);
  dlog::os::close_descriptor(fd);
  return fd;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t seed = data[0];
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  const bool with = (seed & with_descriptors) != 0;
  const int before = with ? lowest() : 0;
  if ((seed & one_pass) != 0) {
    take(bytes, seed, (seed & in_one_piece) == 0, false);
  } else {
    const std::string whole = take(bytes, seed, false, true);
    const std::string in_pieces = take(bytes, seed, true, false);
    demand(with || in_pieces == whole,
           "pieces are read as the whole is");  // which descriptor comes with which byte differs
  }
  demand(!with || lowest() == before, "no descriptor stays open");
  return 0;
}
