// The child of node_parent.js: it answers messages of a Node program, and takes over the connections that it is sent.
// node examples/channel/node_parent.js build/release/bin/channel_child
#include <unistd.h>
#include <dlog/channel.hpp>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

namespace channel = dlog::channel;
using channel::Json;

int main() {
  auto opened = channel::Channel::from_environment();
  if (!opened) {
    std::fprintf(stderr, "channel_child: %s\n", opened.error().reason.c_str());
    return 1;
  }
  channel::Channel parent = std::move(*opened);
  parent.on_error(
      [](const channel::Error& error) { std::fprintf(stderr, "channel_child: %s\n", error.reason.c_str()); });
  parent.on_message([&parent](Json&& message, channel::Handle&& handle) {
    if (handle.kind() == channel::HandleKind::socket) {
      // The connection was accepted over there; from here on it is ours.
      const std::string text = "served by process " + std::to_string(::getpid()) + "\n";
      if (::write(handle.fd(), text.data(), text.size()) < 0) std::perror("channel_child: write");
      return;
    }
    parent.send({{"echo", message}});
  });
  parent.wait();
  return 0;
}
