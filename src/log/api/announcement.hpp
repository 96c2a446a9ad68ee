// How children find a listener, and know what it understands: two variables of the environment.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "log/hub/log_thread.hpp"
#include "log/sink/event_encoder.hpp"
#include "os/socket.hpp"

namespace dlog::api {

inline constexpr const char* pipe_variable = "DLOG_PIPE";

// What DLOG_PIPE and DLOG_PIPE_ID hold for children; both empty: there is no listener. Without an id it speaks the seed protocol
// only.
struct Announcement {
  std::string address{};
  std::string id{};
};

// What proves to a listener that its children inherited it; empty: the system has nothing secret to give.
std::string new_token();

// Of a listener of this process.
Announcement announcement_of(std::uint16_t port, std::uint64_t cookie, const std::string& token);

// In the environment of this process. False: no memory.
bool announce(const Announcement& announcement) noexcept;

// The same for an environment that is built by hand: "NAME=value".
std::vector<std::string> variables_of(const Announcement& announcement);

// The id of the listener behind `port`, as it was inherited; empty: none that belongs to it. `notices` takes a remark where
// there is something else in its place.
std::string inherited_id(std::uint16_t port, std::vector<hub::Notice>& notices);

// Why what listens at an inherited address is not to be spoken to; empty: as far as can be known it is the parent that announced
// itself so. Asks the kernel, and says nothing to whoever listens.
std::string stranger_behind(os::LoopbackAddress address, const std::string& id);

// For a parent that was announced so.
std::unique_ptr<sink::EventEncoder> encoder_for(const Announcement& parent, const hub::Delivery::Self& self);

}  // namespace dlog::api
