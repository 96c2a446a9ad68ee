// What is wrong among numbered records: see tally.hpp.
#include "torture/tally.hpp"

#include <charconv>
#include <optional>

#include "torture/record_text.hpp"

namespace torture {
namespace {

constexpr std::size_t faults_max = 5;
constexpr std::size_t fault_bytes_max = 160;
// A number that is wrong by much is a torn one, and must not cost memory.
constexpr std::uint64_t number_max = 200'000'000;

constexpr std::string_view stamp_shape = "dddd-dd-dd dd:dd:dd.ddd ";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A line of the plain format, taken apart: its stamp and level are as they must be.
struct Head {
  std::string_view name;
  std::string_view message;
};

std::optional<Head> head_of(std::string_view line) {
  if (line.size() < stamp_shape.size() + 4) return std::nullopt;
  for (std::size_t i = 0; i < stamp_shape.size(); ++i) {
    if (stamp_shape[i] == 'd' ? !is_digit(line[i]) : line[i] != stamp_shape[i]) return std::nullopt;
  }
  line.remove_prefix(stamp_shape.size());
  constexpr std::string_view levels = "TRC DBG INF WRN ERR FTL ";
  const std::size_t level = levels.find(line.substr(0, 4));
  if (level == std::string_view::npos || level % 4 != 0) return std::nullopt;
  line.remove_prefix(4);
  const std::size_t bracket = line.find('[');
  const std::size_t end = line.find("]: ");
  if (bracket == std::string_view::npos || end == std::string_view::npos || bracket == 0 || end <= bracket + 1)
    return std::nullopt;
  for (const char c : line.substr(bracket + 1, end - bracket - 1)) {
    if (!is_digit(c)) return std::nullopt;
  }
  return Head{line.substr(0, bracket), line.substr(end + 3)};
}

// Takes a number and the space behind it off the front.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || digits == text.size() || text[digits] != ' ') return std::nullopt;
  text.remove_prefix(digits + 1);
  return number;
}

}  // namespace

void Tally::line(std::string_view line) {
  const std::optional<Head> head = head_of(line);
  if (!head) {
    const bool looks_like_ours =
        line.find("rec ") != std::string_view::npos || line.find("xxx") != std::string_view::npos;
    if (foreign_ == Foreign::torn || looks_like_ours) tear(line);
  } else if (head->name == "dlog") {
    notice(head->message);
  } else if (head->message.starts_with("rec ")) {
    numbered(head->message.substr(4), line);
  } else if (head->message.find("rec ") != std::string_view::npos ||
             head->message.find("xxx") != std::string_view::npos) {
    tear(line);
  }
}

void Tally::numbered(std::string_view message, std::string_view line) {
  const auto source = take_number(message);
  const auto number = source ? take_number(message) : std::nullopt;
  if (!number || *source >= sources_.size() || *number > number_max || message.empty() || message.back() != '|')
    return tear(line);
  message.remove_suffix(1);
  if (message != filler(*number)) return tear(line);
  count(sources_[*source], *number, line);
}

void Tally::count(Source& source, std::uint64_t number, std::string_view line) {
  if (number < source.seen.size()) {
    if (source.seen[number]) {
      ++source.doubled;
      return fault("double", line);
    }
    ++source.late;
    fault("out of order", line);
  } else {
    source.seen.resize(number + 1);
  }
  if (source.different == 0) source.first = number;
  source.seen[number] = true;
  ++source.different;
}

void Tally::notice(std::string_view message) {
  ++notices_;
  const std::size_t words = message.find(" records dropped");
  if (words == std::string_view::npos) return;
  std::size_t begin = words;
  while (begin > 0 && is_digit(message[begin - 1])) --begin;
  std::uint64_t number = 0;
  std::from_chars(message.data() + begin, message.data() + words, number);
  told_dropped_ += number;
}

void Tally::tear(std::string_view line) {
  ++torn_;
  fault("torn", line);
}

void Tally::fault(std::string_view what, std::string_view line) {
  if (faults_.size() >= faults_max) return;
  std::string text(what);
  text += ": ";
  for (const char c : line.substr(0, fault_bytes_max)) text += c < ' ' && c >= 0 ? '?' : c;
  faults_.push_back(std::move(text));
}

}  // namespace torture
