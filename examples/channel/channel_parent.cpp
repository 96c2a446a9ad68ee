// A C++ program whose child is a Node one, node_child.js, and serves on a socket that was opened here.
// build/release/bin/channel_parent examples/channel/node_child.js
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <dlog/channel.hpp>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

using namespace std::chrono_literals;
namespace channel = dlog::channel;
using channel::Json;

namespace {

int new_socket(sockaddr_in& address, bool listens) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  const bool done =
      listens ? ::bind(fd, generic, size) == 0 && ::listen(fd, 16) == 0 && ::getsockname(fd, generic, &size) == 0
              : ::connect(fd, generic, size) == 0;
  if (done) return fd;
  std::perror("channel_parent");
  ::close(fd);
  return -1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: channel_parent <path of node_child.js>\n");
    return 2;
  }
  auto started = channel::spawn("node", {argv[1]});
  if (!started) {
    std::fprintf(stderr, "channel_parent: %s\n", started.error().reason.c_str());
    return 1;
  }
  channel::Channel& child = started->channel;

  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int server = new_socket(address, true);

  child.on_error(
      [](const channel::Error& error) { std::fprintf(stderr, "channel_parent: %s\n", error.reason.c_str()); });
  child.on_message([&](Json&& message) {
    std::printf("the child says %s\n", message.dump().c_str());
    if (message.contains("listening")) {
      char text[128] = {};
      const int client = new_socket(address, false);
      if (::read(client, text, sizeof text - 1) > 0) std::printf("the client got: %s", text);
      ::close(client);
    }
    if (message.contains("served")) child.disconnect();
  });
  child.send({{"text", "ping"}});
  child.send({{"name", "dlog"}}, channel::Handle(channel::HandleKind::server, server));
  child.wait(30s);
  const auto status = started->process.wait(10s);
  std::printf("the child has ended with %d\n", status ? status->code : -1);
  return status && status->code == 0 ? 0 : 1;
}
