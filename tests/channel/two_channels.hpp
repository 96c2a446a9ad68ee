// Two channels of one process that talk to each other, or one with an end that a test reads and writes by hand.
#pragma once

#include <poll.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channel/sockets.hpp"
#include "channel/words.hpp"
#include "dlog/channel.hpp"
#include "os/descriptor.hpp"
#include "os/message_socket.hpp"
#include "support/descriptors.hpp"

namespace dlog::test {

inline channel::Channel opened(os::Descriptor end, channel::Dialect dialect, const channel::Options& options = {}) {
  auto channel = channel::Channel::from_descriptor(end.release(), dialect, options);
  if (!channel) throw std::runtime_error(channel.error().reason);
  return std::move(*channel);
}

inline channel::Options options_of(channel::Delivery delivery) {
  channel::Options options;
  options.delivery = delivery;
  return options;
}

// Where it has no thread of its own this one is it.
inline void turn(channel::Channel& channel) {
  if (channel.fd() >= 0) channel.process_ready();
}

struct TwoChannels {
  channel::Channel ours{};
  channel::Channel theirs{};

  // Waits until the condition holds, and turns meanwhile what does not turn by itself.
  template <class Condition>
  bool reach(Condition condition) {
    return until([&] {
      turn(ours);
      turn(theirs);
      return condition();
    });
  }
};

inline TwoChannels two_channels(channel::Dialect dialect = channel::Dialect::node, const channel::Options& ours = {},
                                const channel::Options& theirs = {}) {
  StreamPair pair = stream_pair();
  TwoChannels both;
  both.ours = opened(std::move(pair.first), dialect, ours);
  both.theirs = opened(std::move(pair.second), dialect, theirs);
  return both;
}

// The other end of a channel, by hand.
class Peer {
 public:
  explicit Peer(os::Descriptor end) : end_(std::move(end)) {}

  // All of it, with a descriptor beside the first byte.
  void write(std::string_view bytes, int descriptor = -1) {
    while (!bytes.empty()) {
      const os::Received sent = os::send_message(end_, {&bytes, 1}, descriptor);
      if (sent.outcome == os::Transfer::would_block) {
        wait_for(POLLOUT);
        continue;
      }
      if (sent.outcome != os::Transfer::done) throw std::runtime_error("the channel takes no more");
      bytes.remove_prefix(sent.bytes);
      descriptor = -1;
    }
  }
  // As much as is taken now.
  std::size_t write_now(std::string_view bytes) { return os::send_message(end_, {&bytes, 1}, -1).bytes; }
  // Waits for the next line, and returns it without its end; "(end)" where none comes.
  std::string line() {
    for (;;) {
      if (const std::size_t end = came_.find('\n'); end != std::string::npos) {
        std::string out = came_.substr(0, end);
        came_.erase(0, end + 1);
        return out;
      }
      if (!wait_for(POLLIN)) return "(nothing for half a minute)";
      if (!read_some()) return "(end)";
    }
  }
  // All that is there now; also to its end.
  std::string read_now() {
    while (read_some()) {
    }
    return std::exchange(came_, {});
  }
  bool has_something() {
    pollfd entry{end_.get(), POLLIN, 0};
    return !came_.empty() || ::poll(&entry, 1, 0) == 1;
  }
  std::vector<os::Descriptor>& descriptors() { return descriptors_; }
  void close() { end_.reset(); }

 private:
  bool wait_for(short events) {
    pollfd entry{end_.get(), events, 0};
    return ::poll(&entry, 1, 30'000) == 1;
  }
  // False: there is nothing now, or never again.
  bool read_some() {
    char bytes[65536];
    const os::ReceivedMessage got = os::receive_message(end_, bytes, descriptors_);
    came_.append(bytes, got.bytes);
    return got.outcome == os::Transfer::done;
  }

  os::Descriptor end_;
  std::string came_{};
  std::vector<os::Descriptor> descriptors_{};
};

struct ChannelAndPeer {
  channel::Channel channel{};
  Peer peer;
};
inline ChannelAndPeer channel_and_peer(channel::Dialect dialect = channel::Dialect::node,
                                       const channel::Options& options = {}) {
  StreamPair pair = stream_pair();
  return {opened(std::move(pair.first), dialect, options), Peer(std::move(pair.second))};
}

}  // namespace dlog::test
