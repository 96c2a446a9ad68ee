// Bytes of a hostile other side through the receiving half of a channel: in one piece and in many, the same comes out; what comes out can
// be written and read again; and no descriptor is left behind. The input's first byte seeds the pieces, and says whether descriptors come.
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

constexpr std::size_t line_bytes_max = 512;  // so that inputs come to it
constexpr std::uint8_t with_descriptors = 0x80;

class Seen final : public Inbound::Receiver {
 public:
  explicit Seen(bool thorough) : thorough_(thorough) {}
  void take_message(Json&& message) override { told.push_back("message " + written(message)); }
  void take_handle(Json&& message, Inbound::ArrivedHandle&& handle) override {
    demand(handle.kind != HandleKind::none && handle.descriptor, "a handle is one");
    told.push_back("handle " + written(message));
  }
  void refuse_handle() override { told.emplace_back("refused"); }
  void take_answer(bool acknowledged) override { told.emplace_back(acknowledged ? "ack" : "nack"); }
  void take_count_question(const std::string& key) override { told.push_back(count_line(key, 3)); }
  void take_close_question(const std::string& key) override { told.push_back(all_closed_line(key)); }
  void take_error(Error&& error) override {
    demand(!error.reason.empty(), "an error has a reason");
    told.push_back(std::to_string(static_cast<int>(error.code)) + error.reason);
  }

  std::vector<std::string> told;

 private:
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

std::vector<std::string> take(std::span<const std::byte> bytes, std::uint8_t seed, bool in_pieces) {
  static dlog::Result<dlog::os::SocketPair>& pair = *new auto(dlog::os::socket_pair());
  Seen seen(!in_pieces);
  Inbound inbound(line_bytes_max);
  std::vector<dlog::os::Descriptor> descriptors;
  const auto give = [&](std::span<const std::byte> piece) {
    if ((seed & with_descriptors) != 0 && piece.size() % 3 == 0)
      descriptors.emplace_back(dlog::os::duplicate(piece.size() % 2 == 0 ? pair->ours.get() : STDERR_FILENO));
    inbound.take({reinterpret_cast<const char*>(piece.data()), piece.size()}, descriptors, false, seen);
    demand(descriptors.empty(), "descriptors are taken over");
  };
  if (in_pieces) {
    for (dlog::fuzz::Pieces pieces(bytes, seed); pieces.more();) give(pieces.next());
  } else {
    give(bytes);
  }
  inbound.end(seen);
  return seen.told;
}

// The lowest number that is free.
int lowest() {
  const int fd = dlog::os::duplicate(STDERR_FILENO);
  dlog::os::close_descriptor(fd);
  return fd;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  const std::vector<std::string> whole = take(bytes, data[0], false);
  if ((data[0] & with_descriptors) == 0) {
    demand(take(bytes, data[0], true) == whole, "pieces are read as the whole is");
    return 0;
  }
  const int before = lowest();
  take(bytes, data[0], true);
  demand(lowest() == before, "no descriptor stays open");
  return 0;
}
