// The settings that took effect: see settings.hpp.
#include "log/api/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "base/number.hpp"
#include "log/event/bar_template.hpp"
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
  reader.word<BarTheme>("DLOG_BAR_THEME", config.bar_theme,
                        {{"auto", BarTheme::automatic},
                         {"blocks", BarTheme::blocks},
                         {"line", BarTheme::line},
                         {"dots", BarTheme::dots},
                         {"ascii", BarTheme::ascii}});
  reader.toggle("DLOG_TASKBAR", config.taskbar);
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
  reader.read("DLOG_CHILD_RECORDS_PER_SECOND", "a number of records", whole(std::numeric_limits<std::uint64_t>::max()),
              [&](std::uint64_t records) { config.child_records_per_second = records; });
  reader.read("DLOG_QUEUE_BYTES", "a number of bytes (K, M or G may follow)", parse_bytes,
              [&](std::uint64_t bytes) { config.queue_bytes = static_cast<std::size_t>(bytes); });
}

// A template that cannot be read is as none: the environment's, and then the program's.
void read_template(const Lookup& environment, Config& config, std::vector<hub::Notice>& notices) {
  const auto take = [&](const char* name, std::string text) {
    const std::string fault = event::BarTemplate::fault_in(text);
    if (!fault.empty())
      notices.push_back({Level::warn, fmt::format("{}=\"{}\" is not a bar template: {}; ignored", name, text, fault)});
    return fault.empty() ? text : std::string();
  };
  config.bar_template = take("Config::bar_template", config.bar_template);
  const auto text = environment("DLOG_BAR_TEMPLATE");
  if (!text || text->empty()) return;
  if (std::string taken = take("DLOG_BAR_TEMPLATE", *text); !taken.empty()) config.bar_template = std::move(taken);
}

// Variables of others. Each that is empty is as if unset.
class Surrounding {
 public:
  explicit Surrounding(const Lookup& environment) : environment_(environment) {}

  std::string text(const char* name) const { return environment_(name).value_or(std::string()); }
  bool is_set(const char* name) const { return !text(name).empty(); }
  // Set, and not to a word for no.
  bool is_on(const char* name) const {
    const std::string value = text(name);
    return !value.empty() && parse_switch(value).value_or(true);
  }
  bool is_off(const char* name) const { return is_set(name) && !is_on(name); }

 private:
  const Lookup& environment_;
};

sink::Colour colour_wanted(const Surrounding& around) {
  if (around.is_on("FORCE_COLOR") || around.is_on("CLICOLOR_FORCE")) return sink::Colour::always;
  if (around.is_set("NO_COLOR") || around.is_off("FORCE_COLOR") || around.is_off("CLICOLOR"))
    return sink::Colour::never;
  return sink::Colour::automatic;
}

bool in_ci(const Surrounding& around) {
  if (around.is_set("CI")) return around.is_on("CI");
  const auto names = {"GITHUB_ACTIONS", "GITLAB_CI",        "JENKINS_URL", "TEAMCITY_VERSION",   "TF_BUILD",
                      "BUILDKITE",      "CIRCLECI",         "TRAVIS",      "APPVEYOR",           "DRONE",
                      "SEMAPHORE",      "BITBUCKET_COMMIT", "CIRRUS_CI",   "CODEBUILD_BUILD_ID", "WOODPECKER_CI"};
  return std::any_of(names.begin(), names.end(), [&](const char* name) { return around.is_set(name); });
}

// The locale's characters, as setlocale() would find them, without calling it: that is the program's to do.
bool takes_utf8(const Surrounding& around) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string locale = around.text(name);
    if (locale.empty()) continue;
    std::erase(locale, '-');
    const std::size_t dot = locale.find('.');
    const std::string_view characters = dot == std::string::npos ? "" : std::string_view(locale).substr(dot + 1);
    return equal_ignoring_case(characters.substr(0, characters.find('@')), "utf8");
  }
  return false;
}

sink::Surroundings look_around(const Lookup& environment) {
  const Surrounding around(environment);
  sink::Surroundings found;
  const std::string terminal = around.text("TERM");
  found.dumb_terminal = terminal.empty() || terminal == "dumb";
  // The fonts of these know a few signs only.
  const bool few_signs = terminal == "linux" || terminal.starts_with("vt");
  found.unicode = takes_utf8(around) && !few_signs;
  found.in_ci = in_ci(around);
  found.colour = colour_wanted(around);
  return found;
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
  read_template(environment, config, settings.notices);
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
  settings.surroundings = look_around(environment);
  reader.toggle("DLOG_WIDE_AMBIGUOUS", settings.surroundings.wide_ambiguous);
  return settings;
}

}  // namespace dlog::api
