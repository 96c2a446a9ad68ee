// The words of the command line: see options.hpp.
#include "torture/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace torture {

const char* const usage =
    "usage: dlog-torture [--trials N] [--only ROW]... [--seconds-max N] [--deadline N] [--json] [--keep-output DIR]\n"
    "       dlog-torture --list\n"
    "\n"
    "Kills, forks, floods and starves processes that log with dlog, and counts what their consoles show.\n"
    "\n"
    "  --trials N         deaths in each row, from 1 to 1000000 (default 100); rows whose trials take long have fewer\n"
    "  --only ROW         this row only; may be given again\n"
    "  --seconds-max N    the whole run ends after this time (default 600); rows that were cut short say so\n"
    "  --deadline N       seconds after which a process counts as hung (default 20)\n"
    "  --json             one object a row, and one for the totals\n"
    "  --keep-output DIR  keep what the consoles showed, one file a console\n"
    "  --list             the rows, and what each does\n"
    "\n"
    "Exit status: 0 every promise was kept, 1 one was not (the row says which), 2 the command line is wrong.\n";

namespace {

class Parser {
 public:
  Parser(const std::vector<std::string>& words, const std::vector<std::string_view>& known)
      : words_(words), known_(known) {}

  Parsed parse() {
    for (place_ = 0; place_ < words_.size() && result_.error.empty(); ++place_) take(words_[place_]);
    return std::move(result_);
  }

 private:
  void take(const std::string& word) {
    Options& options = result_.options;
    if (word == "--help" || word == "-h") options.help = true;
    else if (word == "--list") options.list = true;
    else if (word == "--json") options.json = true;
    else if (word == "--trials") options.trials = number(word, trials_max).value_or(0);
    else if (word == "--seconds-max")
      options.seconds_max = std::chrono::seconds{number(word, seconds_max_max).value_or(0)};
    else if (word == "--deadline") options.deadline = std::chrono::seconds{number(word, deadline_s_max).value_or(0)};
    else if (word == "--only") take_row();
    else if (word == "--keep-output") options.keep_output = argument(word);
    else if (word == "--sabotage") take_sabotage();
    else fail(fmt::format("unknown argument '{}'", word));
  }

  void take_row() {
    const std::string row = argument("--only");
    if (!result_.error.empty()) return;
    if (std::find(known_.begin(), known_.end(), row) == known_.end())
      return fail(fmt::format("--only: there is no row '{}'; --list shows them", row));
    result_.options.only.push_back(row);
  }

  void take_sabotage() {
    result_.options.sabotage = argument("--sabotage");
    if (result_.error.empty() && !sabotage_named(result_.options.sabotage))
      fail(fmt::format("--sabotage: there is no mode '{}'", result_.options.sabotage));
  }

  std::string argument(std::string_view option) {
    if (place_ + 1 < words_.size() && !words_[place_ + 1].empty()) return words_[++place_];
    fail(fmt::format("{} wants an argument", option));
    return {};
  }

  std::optional<std::uint64_t> number(std::string_view option, std::uint64_t most) {
    const std::string text = argument(option);
    if (!result_.error.empty()) return std::nullopt;
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc{} && stopped == end && value >= 1 && value <= most) return value;
    fail(fmt::format("{}: '{}' is no number from 1 to {}", option, text, most));
    return std::nullopt;
  }

  void fail(std::string why) {
    if (result_.error.empty()) result_.error = std::move(why);
  }

  const std::vector<std::string>& words_;
  const std::vector<std::string_view>& known_;
  std::size_t place_ = 0;
  Parsed result_;
};

}  // namespace

Parsed parse(const std::vector<std::string>& words, const std::vector<std::string_view>& known) {
  return Parser(words, known).parse();
}

}  // namespace torture
