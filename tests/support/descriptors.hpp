// Pipes, pseudo terminals, loopback connections and files for tests, and waiting for what another thread does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "os/descriptor.hpp"

namespace dlog::test {

// Both ends; reading returns what is there now, without waiting.
struct Ends {
  os::Descriptor ours{};
  os::Descriptor theirs{};
};
Ends make_pipe();                           // `ours` is read
Ends make_terminal(int columns, int rows);  // `theirs` is the terminal; its size can be changed with set_size
void set_size(const os::Descriptor& terminal, int columns, int rows);
std::string read_now(const os::Descriptor& from);

// Connected over the loopback interface. `receive_bytes` is the room that the kernel keeps for `ours`; 0: its default.
Ends make_connection(int receive_bytes = 0);
std::uint16_t local_port(const os::Descriptor& socket);
void send_all(const os::Descriptor& socket, std::string_view bytes);
// Waits for exactly so many bytes, or for the end of the stream.
std::string receive_exactly(const os::Descriptor& socket, std::size_t bytes);
std::string receive_to_end(const os::Descriptor& socket);

std::string text_of(std::span<const std::byte> bytes);

// A file that goes with the object.
class TemporaryFile {
 public:
  TemporaryFile();
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }
  std::string content() const;

 private:
  std::string path_;
};

// Waits until `condition` holds; false: it never did, as far as a minute shows. No test depends on how long it takes.
template <class Condition>
bool until(Condition condition) {
  for (int i = 0; i < 60'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

std::vector<std::string> lines_of(std::string_view text);

}  // namespace dlog::test
