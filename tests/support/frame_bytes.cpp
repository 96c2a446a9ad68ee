// The grammar of what a frame may emit: see frame_bytes.hpp.
#include "support/frame_bytes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.hpp"

namespace dlog::test {
namespace {

constexpr std::array<std::string_view, 7> colours{"2", "31", "32", "33", "36", "1;31", "0"};

bool is_digits(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Bidirectional controls, and separators that some take for newlines.
bool reorders(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::string FrameBytes::read(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    const std::size_t plain = utf8::printable_ascii(bytes);
    taken_ = 1;
    if (plain != 0) {
      taken_ = plain;
      if (!autowrap_ && !rows_.empty()) rows_.back().append(bytes.substr(0, plain));
    } else if (byte == 0x1B) {
      std::string fault = read_sequence(bytes);
      if (!fault.empty()) return fault;
    } else if (byte == '\n') {
      if (!autowrap_) rows_.emplace_back();
    } else if (byte < 0x20 || byte == 0x7F) {
      if (byte != '\r') return fmt::format("control byte {:#04x}", byte);
    } else {
      const utf8::CodePoint point = utf8::first(bytes);
      const auto value = static_cast<unsigned>(point.value);
      if (!point.valid) return fmt::format("byte {:#04x} is not UTF-8", byte);
      if (value < 0xA0) return fmt::format("C1 control U+{:04x}", value);
      if (reorders(point.value)) return fmt::format("U+{:04x} reorders text", value);
      taken_ = point.bytes;
      if (!autowrap_ && !rows_.empty()) rows_.back().append(bytes.substr(0, point.bytes));
    }
    newlines_ = byte == '\n' ? newlines_ + 1 : 0;
    bytes.remove_prefix(taken_);
  }
  return {};
}

// The sequence at the front of `bytes`.
std::string FrameBytes::read_sequence(std::string_view bytes) {
  if (bytes.starts_with("\x1b]")) return read_command(bytes);
  const std::size_t end = bytes.find_first_not_of("0123456789;?", 2);
  if (bytes.size() < 3 || bytes[1] != '[' || end == std::string_view::npos) return "an escape that is no CSI sequence";
  taken_ = end + 1;
  const std::string_view given = bytes.substr(2, end - 2);
  const char final = bytes[end];
  const bool is_switch = final == 'h' || final == 'l';

  if (given.empty() && (final == 'J' || final == 'K' || final == 'C' || final == 'D')) return {};
  if (final == 'C' && is_digits(given, 10)) return {};
  if (final == 'B' && given.empty() && !autowrap_) {
    rows_.emplace_back();
    return {};
  }
  if (final == 'A' && is_digits(given, 5)) {
    // Back from the room that was made for rows, or from the rows.
    if (newlines_ != 0) {
      room_ = std::stoul(std::string(given));
      return autowrap_ && room_ <= newlines_ ? "" : fmt::format("{} up, of {} newlines", given, newlines_);
    }
    return given == fmt::format("{}", rows_.size()) ? "" : fmt::format("{} up, of {} rows", given, rows_.size());
  }
  if (final == 'm' && std::find(colours.begin(), colours.end(), given) != colours.end()) {
    coloured_ = given != "0";
    return {};
  }
  if (given == "?7" && is_switch) return set_autowrap(final == 'h');
  if (given == "?2026" && is_switch) return synchronize(final == 'h');
  return fmt::format("sequence CSI {} {}", given, final);
}

// A command to the terminal's taskbar: 0 takes it away, 1 is a percentage, 3 says that something goes on.
std::string FrameBytes::read_command(std::string_view bytes) {
  constexpr std::string_view end_of_command = "\x1b\\";
  const std::size_t end = bytes.find(end_of_command, 2);
  if (end == std::string_view::npos) return "a command without an end";
  taken_ = end + end_of_command.size();
  const std::string_view command = bytes.substr(2, end - 2);
  constexpr std::string_view percentage = "9;4;1;";
  if (command == "9;4;0" || command == "9;4;3") return {};
  if (command.starts_with(percentage) && is_digits(command.substr(percentage.size()), 3)) return {};
  return fmt::format("command {}", command);
}

std::string FrameBytes::set_autowrap(bool on) {
  if (on == autowrap_) return "autowrap is switched twice";
  autowrap_ = on;
  if (!on) return rows_.clear(), std::string();
  const std::size_t room = std::exchange(room_, 0);
  return room == 0 || room == rows_.size() ? "" : fmt::format("{} rows in the room for {}", rows_.size(), room);
}

std::string FrameBytes::synchronize(bool on) {
  if (on == synchronized_) return "a synchronized update begins or ends twice";
  synchronized_ = on;
  return {};
}

}  // namespace dlog::test
