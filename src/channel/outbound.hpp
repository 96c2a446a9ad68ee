// The sending half of a channel: lines wait here until the kernel takes them, one handle at a time is on its way, and each is answered for.
// No socket: it says what is to be written next.
//
// Threads: one at a time; the owner's lock.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dlog/channel.hpp"

namespace dlog::channel {

class Outbound {
 public:
  // What is to be told to whom, outside of the lock; and the handle that was sent, to be closed there.
  struct Told {
    SendCallback done{};
    std::optional<Error> error{};
    Handle handle{};
  };

  void add(std::string&& line, SendCallback&& done);
  void add(std::string&& line, Handle&& handle, SendCallback&& done);
  // Before all that waits, but for what was begun: answers to the other side's handles.
  void add_urgent(std::string_view line);

  struct Next {
    std::string_view bytes{};
    int descriptor = -1;  // goes with the first byte
  };
  // Empty: there is nothing, or it waits for an answer.
  Next next() const noexcept;
  // So many bytes of next() were taken.
  void written(std::size_t bytes, std::vector<Told>& told);
  // The other side has the handle, or does not. False: none is on its way. A handle that did not arrive is sent again three times.
  bool answered(bool acknowledged, std::vector<Told>& told);
  // The handle that is next cannot be sent.
  void drop_handle(Error&& error, std::vector<Told>& told);
  // Nothing more will be written. Returns how many messages that have nobody to be told were not.
  std::size_t give_up(const Error& error, std::vector<Told>& told);

  std::size_t bytes() const noexcept { return bytes_; }  // that wait
  std::size_t urgent_bytes() const noexcept { return urgent_.size() - urgent_taken_; }
  // Is anything still to be written or to be answered?
  bool is_idle() const noexcept { return urgent_.empty() && pieces_.empty(); }

 private:
  // Lines that may be written together, or one with a handle.
  struct Piece {
    std::string bytes{};
    std::size_t taken = 0;
    Handle handle{};
    bool has_handle = false;
    bool awaits_answer = false;
    int sent_again = 0;
    std::vector<std::pair<std::size_t, SendCallback>>
        done{};  // each with the number of bytes at which its message ends
    std::size_t told = 0;
  };
  bool urgent_is_next() const noexcept;

  std::string urgent_{};
  std::size_t urgent_taken_ = 0;
  std::deque<Piece> pieces_{};
  std::size_t bytes_ = 0;
};

}  // namespace dlog::channel
