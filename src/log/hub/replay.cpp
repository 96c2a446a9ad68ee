// Frames shown as own events: see replay.hpp.
#include "log/hub/replay.hpp"

#include <algorithm>

#include "log/hub/connection.hpp"
#include "os/clock.hpp"

namespace dlog::hub {

void replay(std::span<const std::byte> frames, const std::string& name, std::uint32_t pid, event::Outlet& outlet) {
  if (frames.empty()) return;
  const Source self{0, name, pid, 0};
  Connection connection(1, self, 0);
  connection.introduce(name, pid);
  const std::int64_t now_ns = os::wall_ns();
  const auto room = connection.room(frames.size());
  std::copy(frames.begin(), frames.end(), room.begin());
  connection.received(frames.size(), now_ns, now_ns);
  Connection::Arrival arrival;
  while (connection.next(arrival)) {
    // Bars are told of by the sink, which knows their descriptions; what they come without is no fault here, and whatever else
    // the connection remarks on (as source 0) concerns nobody.
    const Record* const record = arrival.event.record;
    if (record == nullptr || arrival.event.source.id == 0) continue;
    arrival.event.source = self;
    if (record->notice) arrival.event.source.name = "dlog";
    outlet.accept(arrival.event);
  }
}

}  // namespace dlog::hub
