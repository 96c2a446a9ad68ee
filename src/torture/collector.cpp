// The tool's end of a victim's console: see collector.hpp.
#include "torture/collector.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace torture {
namespace {

constexpr std::chrono::milliseconds look_every{20};
constexpr std::size_t read_bytes = std::size_t{64} << 10;

}  // namespace

Collector::Collector(Tally& tally, const std::string& keep_in) : tally_(tally) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe for a victim's console");
  reader_ = ends[0];
  writer_ = ends[1];
  if (!keep_in.empty()) {
    copy_ = std::fopen(keep_in.c_str(), "we");
    if (copy_ == nullptr) throw std::runtime_error("cannot write " + keep_in);
  }
  thread_ = std::thread([this] { read_all(); });
}

Collector::~Collector() {
  close_writer();
  give_up_ = true;
  if (thread_.joinable()) thread_.join();
  close(reader_);
  if (copy_ != nullptr) std::fclose(copy_);
}

void Collector::close_writer() {
  if (writer_ >= 0) close(std::exchange(writer_, -1));
}

bool Collector::finish(std::chrono::milliseconds limit) {
  close_writer();
  paused_ = false;
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!ended_ && std::chrono::steady_clock::now() < until) {
    pollfd wait_for_data{-1, 0, 0};
    poll(&wait_for_data, 1, 1);
  }
  const bool whole = ended_;
  give_up_ = true;
  if (thread_.joinable()) thread_.join();
  tally_.rest(pending_);
  return whole;
}

void Collector::read_all() {
  std::vector<char> piece(read_bytes);
  while (!give_up_) {
    if (paused_) {
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
      continue;
    }
    pollfd readable{reader_, POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(look_every.count())) <= 0) continue;
    if (paused_) continue;
    const ssize_t size = read(reader_, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      ended_ = true;
      return;
    }
    take(piece.data(), static_cast<std::size_t>(size));
  }
}

void Collector::take(const char* bytes, std::size_t size) {
  if (copy_ != nullptr) std::fwrite(bytes, 1, size, copy_);
  std::string_view text(bytes, size);
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    if (pending_.empty()) {
      tally_.line(text.substr(0, end));
    } else {
      pending_ += text.substr(0, end);
      tally_.line(pending_);
      pending_.clear();
    }
  }
  pending_ += text;
}

}  // namespace torture
