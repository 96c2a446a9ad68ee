// The receiving half of a channel: bytes and descriptors in, messages and commands out. No socket: what it decides is told to a Receiver.
//
// One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "channel/line_reader.hpp"
#include "dlog/channel.hpp"
#include "os/descriptor.hpp"

namespace dlog::channel {

class Inbound final : private LineReader::Receiver {
 public:
  explicit Inbound(std::size_t line_bytes_max) : lines_(line_bytes_max), line_bytes_max_(line_bytes_max) {}

  // A handle as it came: the sender waits for an answer, and has one of arrived or not when take_handle() returns.
  struct ArrivedHandle {
    HandleKind kind = HandleKind::none;
    os::Descriptor descriptor{};
    std::string key{};  // empty: nobody counts it
  };
  class Receiver {
   public:
    virtual void take_message(Json&& message) = 0;
    virtual void take_handle(Json&& message, ArrivedHandle&& handle) = 0;  // to be acknowledged
    virtual void refuse_handle() = 0;                                      // to be answered with NACK
    virtual void take_answer(bool acknowledged) = 0;                       // for the handle that this side has sent
    virtual void take_count_question(const std::string& key) = 0;
    virtual void take_close_question(const std::string& key) = 0;
    virtual void take_error(Error&& error) = 0;

   protected:
    ~Receiver() = default;
  };

  // `descriptors` came with these bytes, in one message of the kernel's. `lost`: some could not be taken.
  void take(std::string_view bytes, std::vector<os::Descriptor>& descriptors, bool lost, Receiver& receiver);
  // Within one of the receiver's functions: is the next line at hand as well?
  bool has_more() const noexcept { return lines_.has_more(); }
  // Within take_message() and take_handle(): of the line.
  std::size_t line_bytes() const noexcept { return line_bytes_; }
  // There are no more.
  void end(Receiver& receiver);
  // Nobody wants what is here any more.
  void forget() noexcept { waiting_.clear(); }

 private:
  void take_line(std::string_view line, std::uint64_t ends_at) override;
  void take_long_line(std::uint64_t begins_at) override;
  void long_line_ends(std::uint64_t ends_at) override;
  void take_handle_line(Json&& message, HandleKind kind, const std::string& type, const std::string& key);
  std::size_t close_strays(std::uint64_t ends_at);
  void tell_stray();
  void close_lost(std::uint64_t ends_at);

  // Descriptors belong to a line that ends behind `from`, and at the latest to the one that has the byte before `upto`.
  struct Waiting {
    os::Descriptor descriptor;
    std::uint64_t from;
    std::uint64_t upto;
  };
  LineReader lines_;
  std::size_t line_bytes_max_;
  std::deque<Waiting> waiting_{};
  class Inbound::Receiver* receiver_ = nullptr;  // during take() and end()
  std::uint64_t line_ends_at_ = 0;
  std::size_t line_bytes_ = 0;
};

}  // namespace dlog::channel
