// Pipes, pseudo terminals, loopback connections and files for tests: see descriptors.hpp.
#include "support/descriptors.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "os/socket.hpp"

namespace dlog::test {
namespace {

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

void stop_waiting(int fd) { must(::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) == 0, "fcntl"); }

void wait_for(int fd, short events) {
  pollfd entry{fd, events, 0};
  while (::poll(&entry, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace

Ends make_pipe() {
  int ends[2];
  must(::pipe2(ends, O_CLOEXEC) == 0, "pipe");
  stop_waiting(ends[0]);
  return {os::Descriptor(ends[0]), os::Descriptor(ends[1])};
}

Ends make_terminal(int columns, int rows) {
  int ours = -1;
  int theirs = -1;
  must(::openpty(&ours, &theirs, nullptr, nullptr, nullptr) == 0, "openpty");
  stop_waiting(ours);
  Ends ends{os::Descriptor(ours), os::Descriptor(theirs)};
  set_size(ends.theirs, columns, rows);
  return ends;
}

void set_size(const os::Descriptor& terminal, int columns, int rows) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  must(::ioctl(terminal.get(), TIOCSWINSZ, &size) == 0, "TIOCSWINSZ");
}

std::string read_now(const os::Descriptor& from) {
  std::string out;
  char bytes[4096];
  for (;;) {
    const ssize_t got = ::read(from.get(), bytes, sizeof bytes);
    if (got > 0) out.append(bytes, static_cast<std::size_t>(got));
    else if (got == 0 || errno != EINTR) return out;
  }
}

Ends make_connection(int receive_bytes) {
  auto listening = os::listen_on_loopback();
  must(static_cast<bool>(listening), "listen");
  if (receive_bytes != 0) {  // inherited by what is accepted
    must(::setsockopt(listening->socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes) == 0,
         "SO_RCVBUF");
  }
  auto theirs = os::connect_to({0x7F000001, listening->port}, std::chrono::milliseconds(60'000));
  must(static_cast<bool>(theirs), "connect");
  wait_for(listening->socket.get(), POLLIN);
  os::Accepted accepted = os::accept_connection(listening->socket);
  must(accepted.outcome == os::AcceptOutcome::accepted, "accept");
  return {std::move(accepted.socket), std::move(*theirs)};
}

std::uint16_t local_port(const os::Descriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  must(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
  return ntohs(address.sin_port);
}

void send_all(const os::Descriptor& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const os::Received sent = os::send(socket, std::as_bytes(std::span(bytes)));
    if (sent.outcome == os::Transfer::would_block) wait_for(socket.get(), POLLOUT);
    else must(sent.outcome == os::Transfer::done, "send");
    bytes.remove_prefix(sent.bytes);
  }
}

std::string receive_exactly(const os::Descriptor& socket, std::size_t bytes) {
  std::string out(bytes, '\0');
  std::size_t done = 0;
  while (done < bytes) {
    wait_for(socket.get(), POLLIN);
    const os::Received got = os::receive(socket, std::as_writable_bytes(std::span(out)).subspan(done));
    if (got.outcome == os::Transfer::would_block) continue;
    if (got.outcome != os::Transfer::done) break;
    done += got.bytes;
  }
  out.resize(done);
  return out;
}

std::string receive_to_end(const os::Descriptor& socket) {
  std::string out;
  for (;;) {
    const std::string piece = receive_exactly(socket, 1);
    if (piece.empty()) return out;
    out += piece + read_now(socket);
  }
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TemporaryFile::TemporaryFile() {
  path_ = std::filesystem::temp_directory_path() / "dlog_test_XXXXXX";
  const int fd = ::mkostemp(path_.data(), O_CLOEXEC);
  must(fd >= 0, "mkostemp");
  ::close(fd);
}

TemporaryFile::~TemporaryFile() { ::unlink(path_.c_str()); }

std::string TemporaryFile::content() const {
  std::ifstream file(path_, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace dlog::test
