// Who listens behind a DLOG_PIPE, as DLOG_PIPE_ID says it: `<port>:<pid>:<cookie>:<token>`.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dlog {

struct PipeId {
  std::uint16_t port =
      0;  // that of DLOG_PIPE: an id that was inherited beside another parent's pipe does not belong to it
  std::uint32_t pid = 0;     // of the parent
  std::uint64_t cookie = 0;  // the kernel's number of the listener's socket, never used twice; 0: not known
  std::string token{};       // token_digits hex digits: 128 bits that nobody can guess
  bool operator==(const PipeId&) const = default;

  static constexpr std::size_t token_digits = 32;
};

std::string token_of(std::uint64_t high, std::uint64_t low);

std::string format_pipe_id(const PipeId& id);

// Nothing where the text is anything else than what format_pipe_id() writes.
std::optional<PipeId> parse_pipe_id(std::string_view text);

}  // namespace dlog
