// What the loopback interface carries at best: frames of 100 bytes, sent 64 KiB at a time, received as they come. No logger.
// Prints one line of JSON.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "options.hpp"
#include "ticks.hpp"

namespace {

constexpr std::size_t frame_bytes = 100;
constexpr std::size_t batch_bytes = std::size_t{64} << 10;

void send_all(std::uint16_t port, std::uint64_t bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
  const std::vector<char> batch(batch_bytes, 'x');
  while (bytes > 0) {
    const ssize_t sent = send(fd, batch.data(), std::min<std::uint64_t>(bytes, batch.size()), 0);
    if (sent <= 0) std::abort();
    bytes -= static_cast<std::uint64_t>(sent);
  }
  close(fd);
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(count, arguments, {{"frames", "5000000"}});
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(listener, 1) != 0) return 1;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);

  const std::uint64_t bytes = options.number("frames") * frame_bytes;
  std::thread sender(send_all, ntohs(address.sin_port), bytes);
  const int fd = accept(listener, nullptr, nullptr);
  const std::int64_t start = bench::steady_ns();
  std::vector<char> buffer(2 * batch_bytes);
  std::uint64_t received = 0;
  for (ssize_t got; (got = recv(fd, buffer.data(), buffer.size(), 0)) > 0;) received += static_cast<std::uint64_t>(got);
  const double seconds = static_cast<double>(bench::steady_ns() - start) / 1e9;
  sender.join();
  std::printf("{\"bench\": \"loopback_tcp\", \"million_per_s\": %.2f}\n",
              static_cast<double>(received) / frame_bytes / seconds / 1e6);
}
