// The settings that took effect: see settings.hpp.
#include "log/api/settings.hpp"

#include <fmt/format.h>

#include <limits>
#include <string_view>
#include <utility>

#include "base/number.hpp"
#include "log/event/level_name.hpp"

namespace dlog::api {
namespace {

template <class T>
struct Word {
  std::string_view text;
  T value;
};

// Reads variables one by one and remembers what it could not read.
class Reader {
 public:
  Reader(const Lookup& environment, std::vector<hub::Notice>& notices) : environment_(environment), notices_(notices) {}

  // `parse` gives an optional; `expected` says in words what it takes.
  template <class Parse, class Apply>
  void read(const char* name, std::string_view expected, Parse parse, Apply apply) {
    const auto text = environment_(name);
    if (!text || text->empty()) return;
    if (const auto value = parse(std::string_view(*text))) return apply(*value);
    notices_.push_back({Level::warn, fmt::format("{}=\"{}\" is not {}; ignored", name, *text, expected)});
  }
  void level(const char* name, Level& into) {
    read(name, "a level (trace debug info warn error fatal off)", event::parse_level,
         [&](Level level) { into = level; });
  }
  void toggle(const char* name, bool& into) {
    read(name, "true or false", parse_switch, [&](bool on) { into = on; });
  }
  template <class T, std::size_t n>
  void word(const char* name, T& into, const Word<T> (&words)[n]) {
    std::string expected = "one of";
    for (const Word<T>& word : words) expected.append(" ").append(word.text);
    const auto parse = [&](std::string_view text) -> std::optional<T> {
      for (const Word<T>& word : words) {
        if (equal_ignoring_case(text, word.text)) return word.value;
      }
      return std::nullopt;
    };
    read(name, expected, parse, [&](T value) { into = value; });
  }
  void text(const char* name, std::string& into) {
    if (auto text = environment_(name); text && !text->empty()) into = std::move(*text);
  }

 private:
  const Lookup& environment_;
  std::vector<hub::Notice>& notices_;
};

void read_looks(Reader& reader, Config& config) {
  bool simple = false;
  reader.toggle("DLOG_SIMPLE", simple);
  if (simple) config.format = Format::simple;
  reader.word<Format>("DLOG_FORMAT", config.format,
                      {{"auto", Format::automatic},
                       {"terminal", Format::terminal},
                       {"plain", Format::plain},
                       {"simple", Format::simple},
                       {"json", Format::json}});
  reader.word<ProgressMode>("DLOG_PROGRESS", config.progress,
                            {{"auto", ProgressMode::automatic},
                             {"bar", ProgressMode::bar},
                             {"plain", ProgressMode::plain},
                             {"json", ProgressMode::json},
                             {"none", ProgressMode::none}});
  bool no_progress = false;
  reader.toggle("DLOG_NO_PROGRESS", no_progress);
  if (no_progress) config.progress = ProgressMode::none;
}

void read_numbers(Reader& reader, Config& config) {
  const auto whole = [](std::uint64_t most) {
    return [most](std::string_view text) {
      const auto number = parse_unsigned(text);
      return number && *number <= most ? number : std::nullopt;
    };
  };
  reader.read("DLOG_OUTPUT_FD", "a file descriptor", whole(std::numeric_limits<int>::max()),
              [&](std::uint64_t fd) { config.output_fd = static_cast<int>(fd); });
  reader.read("DLOG_BLOCK_LIMIT_MS", "a number of milliseconds up to 3600000", whole(3'600'000),
              [&](std::uint64_t ms) { config.block_limit = std::chrono::milliseconds(ms); });
  reader.read("DLOG_QUEUE_BYTES", "a number of bytes (K, M or G may follow)", parse_bytes,
              [&](std::uint64_t bytes) { config.queue_bytes = static_cast<std::size_t>(bytes); });
}

}  // namespace

Settings settle_settings(const Config& asked, const Lookup& environment) {
  Settings settings;
  settings.config = asked;
  Config& config = settings.config;
  Reader reader(environment, settings.notices);

  reader.level("DLOG_LEVEL", config.level);
  reader.level("DLOG_FLUSH_ON", config.flush_on);
  read_looks(reader, config);
  read_numbers(reader, config);
  reader.text("DLOG_FILE", config.file);
  reader.text("DLOG_NAME", config.process_name);
  reader.word<Overflow>("DLOG_OVERFLOW", config.overflow, {{"block", Overflow::block}, {"drop", Overflow::drop}});
  reader.word<Trust>("DLOG_TRUST", config.trust,
                     {{"same_user", Trust::same_user}, {"token", Trust::token}, {"open", Trust::open}});
  reader.toggle("DLOG_JOIN_PARENT", config.join_parent);
  reader.toggle("DLOG_LISTEN", config.listen);
  reader.toggle("DLOG_SET_ENVIRONMENT", config.set_environment);
  reader.toggle("DLOG_HANDLE_SIGNALS", config.handle_signals);

  reader.text("DLOG_PIPE", settings.pipe);
  const auto no_colour = environment("NO_COLOR");
  settings.no_colour = no_colour && !no_colour->empty();
  const auto terminal = environment("TERM");
  settings.dumb_terminal = !terminal || terminal->empty() || *terminal == "dumb";
  return settings;
}

}  // namespace dlog::api
