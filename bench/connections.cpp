// What a connection costs a parent that hears nothing from it: many are made, each says one record and falls silent. The other
// ends are sockets of this process: they live in the kernel and do not show in its memory. Prints one line of JSON.
#include <dlog/dlog.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "options.hpp"
#include "peers/dlog.hpp"
#include "process.hpp"

namespace {

void append_u32(std::string& bytes, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
}

// One record of version 1, as docs/wire.md has it.
std::string log_frame(const std::string& message) {
  const std::string time = "2026-01-01T00:00:00.000Z";
  std::string payload{'\0', '\2'};
  append_u32(payload, message.size());
  payload += message;
  append_u32(payload, time.size());
  payload += time;
  std::string frame;
  append_u32(frame, payload.size());
  return frame + payload;
}

int connected_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
}

// Until the parent has taken them all in, then until it rests again.
void settle(std::uint64_t connections) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (dlog::stats().children < connections && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
}

}  // namespace

int main(int count, char** arguments) {
  const bench::Options options(count, arguments, {{"file", ""}, {"connections", "1000"}});
  const std::uint64_t wanted = options.number("connections");
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 2 * wanted + 100);
  setrlimit(RLIMIT_NOFILE, &files);

  bench::Peer().start(options.text("file"));
  dlog::info("up");
  const std::string address = dlog::pipe_address();
  const auto port = static_cast<std::uint16_t>(std::strtoul(address.c_str() + address.rfind(':') + 1, nullptr, 10));
  std::vector<int> clients;
  clients.reserve(wanted);
  settle(0);
  const std::uint64_t kib_before = bench::process_status("VmRSS");
  const std::uint64_t threads_before = bench::process_status("Threads");
  for (std::uint64_t i = 0; i < wanted; ++i) {
    const std::string frame = log_frame("connection " + std::to_string(i) + std::string(60, '.'));
    const int fd = connected_to(port);
    if (fd < 0 || send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) < 0) break;
    clients.push_back(fd);
  }
  settle(wanted);
  std::printf(
      "{\"bench\": \"connections\", \"connections\": %llu, \"kib_each\": %.2f, \"threads_before\": %llu, "
      "\"threads_after\": %llu, \"rss_before_mib\": %.1f, \"rss_after_mib\": %.1f}\n",
      static_cast<unsigned long long>(dlog::stats().children),
      (static_cast<double>(bench::process_status("VmRSS")) - static_cast<double>(kib_before)) /
          static_cast<double>(wanted),
      static_cast<unsigned long long>(threads_before),
      static_cast<unsigned long long>(bench::process_status("Threads")), static_cast<double>(kib_before) / 1024,
      static_cast<double>(bench::process_status("VmRSS")) / 1024);
  for (const int fd : clients) close(fd);
}
