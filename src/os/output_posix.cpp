// Writing to a console or a file: see output.hpp.
#include "os/output.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "os/thread.hpp"

namespace dlog::os {
namespace {

bool is_stream(int fd) noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && (type == SOCK_STREAM || type == SOCK_SEQPACKET);
}

// The other end of a pseudo terminal says that it is a terminal, too; opened once more it would be a new one.
bool is_terminal_to_open(int fd) noexcept {
  unsigned number = 0;
  return ::isatty(fd) == 1 && ::ioctl(fd, TIOCGPTN, &number) != 0;
}

// Where the system does not know such names, or the file may not be opened: none.
Descriptor open_again(int fd) noexcept {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return Descriptor(clear_of_standard(::open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)));
}

// Who has been interrupted so often without a byte is as good as refused.
constexpr int interruptions_max = 1000;
// A descriptor that does not block, and takes nothing, is given up after so long.
constexpr int stall_ms_max = 2000;

// As much as `write` takes; fewer bytes without an error: no more now.
template <class Write>
Written write_some(std::string_view bytes, Write write) noexcept {
  std::size_t done = 0;
  for (int interruptions = 0; done < bytes.size() && interruptions < interruptions_max;) {
    const ssize_t wrote = write(bytes.data() + done, bytes.size() - done);
    if (wrote > 0) {
      done += static_cast<std::size_t>(wrote);
      interruptions = 0;
    } else if (wrote == 0 || errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      return {done, errno};
    } else {
      ++interruptions;
    }
  }
  return {done, 0};
}

}  // namespace

Written write_all(int fd, std::string_view bytes) noexcept {
  std::size_t done = 0;
  for (int stalled_ms = 0; done < bytes.size() && stalled_ms < stall_ms_max;) {
    const Written more =
        write_some(bytes.substr(done), [fd](const char* from, std::size_t left) { return ::write(fd, from, left); });
    done += more.bytes;
    if (more.error != 0) return {done, more.error};
    if (more.bytes != 0) stalled_ms = 0;
    // A file says that it takes more, whatever it does: so a millisecond in any case.
    pollfd entry{fd, POLLOUT, 0};
    if (done < bytes.size() && ::poll(&entry, 1, 1) != 0) ::usleep(more.bytes == 0 ? 1000 : 0);
    ++stalled_ms;
  }
  return {done, done < bytes.size() ? EAGAIN : 0};
}

void say_in_handler(int fd, std::string_view first, std::string_view second) noexcept {
  const SigpipeBlocked no_sigpipe;
  const auto part = [](std::string_view text) { return iovec{const_cast<char*>(text.data()), text.size()}; };
  const iovec parts[] = {part(first), part(" "), part(second), part("\n")};
  static_cast<void>(::writev(fd, parts, 4) >= 0);  // there is nobody else to tell
}

bool write_last_words(int fd, std::string text, std::chrono::milliseconds wait) {
  struct Words {
    int fd;
    std::string text;
    std::atomic<bool> written{false};
  };
  using Shared = std::shared_ptr<Words>;
  const auto words = std::make_shared<Words>(fd, std::move(text));
  auto theirs = std::make_unique<Shared>(words);
  const auto write = [](void* given) noexcept {
    const std::unique_ptr<Shared> shared(static_cast<Shared*>(given));
    Words& its = **shared;
    write_all(its.fd, its.text);  // the thread takes no signals: SIGPIPE does not reach it
    its.written.store(true, std::memory_order_release);
  };
  if (!start_thread("dlog_last_words", write, theirs.get()).empty()) return false;
  static_cast<void>(theirs.release());  // the thread owns it
  for (const auto end = std::chrono::steady_clock::now() + wait; std::chrono::steady_clock::now() < end;) {
    if (words->written.load(std::memory_order_acquire)) return true;
    ::usleep(200);
  }
  return words->written.load(std::memory_order_acquire);
}

Output::Way Output::way() noexcept {
  struct stat is {};
  if (::fstat(fd_, &is) != 0) return again_.reset(), Way::plain;
  const Identity now{is.st_dev, is.st_ino, std::uint64_t{is.st_rdev} << 32 | is.st_mode};
  if (again_.is_ours() && opened_ == now) return Way::again;
  again_.reset();
  if (S_ISSOCK(is.st_mode)) return is_stream(fd_) ? Way::socket : Way::plain;
  if (!S_ISFIFO(is.st_mode) && !(S_ISCHR(is.st_mode) && is_terminal_to_open(fd_))) return Way::plain;
  again_ = open_again(fd_);
  opened_ = now;
  return again_ ? Way::again : Way::plain;
}

// False: what was closed beneath us is not to be had again.
bool Output::keep_open() {
  if (!owned_ || owned_.is_ours()) return true;
  if (path_.empty()) return false;
  auto file = open_for_appending(path_);
  if (!file) return false;
  owned_ = std::move(*file);
  fd_ = owned_.get();
  opened_again_ = true;
  return true;
}

Written Output::write(std::string_view bytes) {
  Written written = write_once(bytes);
  if (written.error != EBADF || (!owned_ && !is_open(fd_))) return written;
  // It was closed beneath us after we had looked.
  const std::size_t before = written.bytes;
  written = write_once(bytes.substr(before));
  written.bytes += before;
  return written;
}

Written Output::write_once(std::string_view bytes) {
  if (!keep_open()) return {0, EBADF};
  const Way by = way();
  const Written written = write_some(bytes, [&](const char* from, std::size_t left) {
    if (by == Way::socket) return ::send(fd_, from, left, MSG_DONTWAIT | MSG_NOSIGNAL);
    return ::write(by == Way::again ? again_.get() : fd_, from, left);
  });
  if (by == Way::plain || (written.error == 0 && written.bytes < bytes.size())) return written;
  if (written.error != 0 || !stays_open_) again_.reset();
  return written;
}

bool Output::wait(std::chrono::milliseconds wait) noexcept {
  pollfd entry{again_.is_ours() ? again_.get() : fd_, POLLOUT, 0};
  return ::poll(&entry, 1, static_cast<int>(wait.count())) > 0;
}

std::string error_text(int number) { return std::strerror(number); }

std::string absolute_path(const std::string& path) {
  if (path.empty()) return path;
  std::error_code failed;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  return failed ? path : absolute.string();
}

Result<Descriptor> open_for_appending(const std::string& path) {
  int fd = -1;
  // Without waiting: a pipe's open would wait for a reader.
  for (int i = 0; i < interruptions_max && fd < 0 && (i == 0 || errno == EINTR); ++i)
    fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
  Descriptor file(clear_of_standard(fd));
  if (!file) return Error{errno == ENXIO ? "nobody reads it" : std::strerror(errno)};
  return file;
}

}  // namespace dlog::os
