// Tests of settings.cpp: every variable with good, bad and empty values; the environment wins; one notice for each bad one.
#include "log/api/settings.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace dlog;
using api::Settings;
using Variables = std::map<std::string, std::string>;

Settings settle(const Variables& variables, const Config& asked = {}) {
  return api::settle_settings(asked, [&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

bool same(const Config& a, const Config& b) {
  const auto all = [](const Config& c) {
    return std::tie(c.level, c.format, c.progress, c.output_fd, c.file, c.process_name, c.queue_bytes, c.overflow,
                    c.block_limit, c.flush_on, c.trust, c.join_parent, c.listen, c.set_environment, c.handle_signals,
                    c.bar_template, c.bar_theme, c.taskbar, c.child_records_per_second);
  };
  return all(a) == all(b);
}

// A program's own settings, none of them a default.
Config asked_for() {
  Config config;
  config.level = Level::debug;
  config.format = Format::json;
  config.progress = ProgressMode::json;
  config.output_fd = 17;
  config.file = "asked.log";
  config.process_name = "asked";
  config.queue_bytes = 12'345;
  config.overflow = Overflow::drop;
  config.block_limit = std::chrono::milliseconds(77);
  config.flush_on = Level::fatal;
  config.trust = Trust::open;
  config.child_records_per_second = 78;
  config.join_parent = false;
  config.listen = false;
  config.set_environment = false;
  config.handle_signals = true;
  config.bar_template = "{desc}";
  config.bar_theme = BarTheme::dots;
  config.taskbar = true;
  return config;
}

struct Good {
  const char* name;
  const char* value;
  std::function<void(Config&)> sets;
};

template <class T>
std::function<void(Config&)> to(T Config::*member, T value) {
  return [=](Config& config) { config.*member = value; };
}

const Good good_values[] = {
    {"DLOG_LEVEL", "trace", to(&Config::level, Level::trace)},
    {"DLOG_LEVEL", "debug", to(&Config::level, Level::debug)},
    {"DLOG_LEVEL", "info", to(&Config::level, Level::info)},
    {"DLOG_LEVEL", "warn", to(&Config::level, Level::warn)},
    {"DLOG_LEVEL", "ERROR", to(&Config::level, Level::error)},
    {"DLOG_LEVEL", "Fatal", to(&Config::level, Level::fatal)},
    {"DLOG_LEVEL", "oFF", to(&Config::level, Level::off)},
    {"DLOG_FLUSH_ON", "warn", to(&Config::flush_on, Level::warn)},
    {"DLOG_FLUSH_ON", "OFF", to(&Config::flush_on, Level::off)},
    {"DLOG_FORMAT", "auto", to(&Config::format, Format::automatic)},
    {"DLOG_FORMAT", "terminal", to(&Config::format, Format::terminal)},
    {"DLOG_FORMAT", "Plain", to(&Config::format, Format::plain)},
    {"DLOG_FORMAT", "SIMPLE", to(&Config::format, Format::simple)},
    {"DLOG_FORMAT", "json", to(&Config::format, Format::json)},
    {"DLOG_SIMPLE", "true", to(&Config::format, Format::simple)},
    {"DLOG_SIMPLE", "1", to(&Config::format, Format::simple)},
    {"DLOG_SIMPLE", "false", [](Config&) {}},
    {"DLOG_PROGRESS", "auto", to(&Config::progress, ProgressMode::automatic)},
    {"DLOG_PROGRESS", "bar", to(&Config::progress, ProgressMode::bar)},
    {"DLOG_PROGRESS", "PLAIN", to(&Config::progress, ProgressMode::plain)},
    {"DLOG_PROGRESS", "json", to(&Config::progress, ProgressMode::json)},
    {"DLOG_PROGRESS", "none", to(&Config::progress, ProgressMode::none)},
    {"DLOG_NO_PROGRESS", "true", to(&Config::progress, ProgressMode::none)},
    {"DLOG_NO_PROGRESS", "Yes", to(&Config::progress, ProgressMode::none)},
    {"DLOG_NO_PROGRESS", "off", [](Config&) {}},
    {"DLOG_OUTPUT_FD", "0", to(&Config::output_fd, 0)},
    {"DLOG_OUTPUT_FD", "2147483647", to(&Config::output_fd, 2'147'483'647)},
    {"DLOG_FILE", "/tmp/a b.log", to(&Config::file, std::string("/tmp/a b.log"))},
    {"DLOG_NAME", "worker 7", to(&Config::process_name, std::string("worker 7"))},
    {"DLOG_QUEUE_BYTES", "0", to(&Config::queue_bytes, std::size_t{0})},
    {"DLOG_QUEUE_BYTES", "65536", to(&Config::queue_bytes, std::size_t{65'536})},
    {"DLOG_QUEUE_BYTES", "16k", to(&Config::queue_bytes, std::size_t{16} << 10)},
    {"DLOG_QUEUE_BYTES", "8M", to(&Config::queue_bytes, std::size_t{8} << 20)},
    {"DLOG_QUEUE_BYTES", "1G", to(&Config::queue_bytes, std::size_t{1} << 30)},
    {"DLOG_OVERFLOW", "block", to(&Config::overflow, Overflow::block)},
    {"DLOG_OVERFLOW", "Drop", to(&Config::overflow, Overflow::drop)},
    {"DLOG_BLOCK_LIMIT_MS", "0", to(&Config::block_limit, std::chrono::milliseconds(0))},
    {"DLOG_BLOCK_LIMIT_MS", "3600000", to(&Config::block_limit, std::chrono::milliseconds(3'600'000))},
    {"DLOG_CHILD_RECORDS_PER_SECOND", "1000", to(&Config::child_records_per_second, std::uint64_t{1000})},
    {"DLOG_CHILD_RECORDS_PER_SECOND", "0", to(&Config::child_records_per_second, std::uint64_t{0})},
    {"DLOG_TRUST", "same_user", to(&Config::trust, Trust::same_user)},
    {"DLOG_TRUST", "TOKEN", to(&Config::trust, Trust::token)},
    {"DLOG_TRUST", "open", to(&Config::trust, Trust::open)},
    {"DLOG_JOIN_PARENT", "true", to(&Config::join_parent, true)},
    {"DLOG_JOIN_PARENT", "no", to(&Config::join_parent, false)},
    {"DLOG_LISTEN", "on", to(&Config::listen, true)},
    {"DLOG_LISTEN", "0", to(&Config::listen, false)},
    {"DLOG_SET_ENVIRONMENT", "1", to(&Config::set_environment, true)},
    {"DLOG_SET_ENVIRONMENT", "FALSE", to(&Config::set_environment, false)},
    {"DLOG_HANDLE_SIGNALS", "yes", to(&Config::handle_signals, true)},
    {"DLOG_HANDLE_SIGNALS", "off", to(&Config::handle_signals, false)},
    {"DLOG_BAR_TEMPLATE", "{desc} {bar:30} {percent}",
     to(&Config::bar_template, std::string("{desc} {bar:30} {percent}"))},
    {"DLOG_BAR_THEME", "auto", to(&Config::bar_theme, BarTheme::automatic)},
    {"DLOG_BAR_THEME", "Blocks", to(&Config::bar_theme, BarTheme::blocks)},
    {"DLOG_BAR_THEME", "line", to(&Config::bar_theme, BarTheme::line)},
    {"DLOG_BAR_THEME", "dots", to(&Config::bar_theme, BarTheme::dots)},
    {"DLOG_BAR_THEME", "ASCII", to(&Config::bar_theme, BarTheme::ascii)},
    {"DLOG_TASKBAR", "true", to(&Config::taskbar, true)},
    {"DLOG_TASKBAR", "no", to(&Config::taskbar, false)},
    {"DLOG_WIDE_AMBIGUOUS", "no", [](Config&) {}},
};

const char* const ci_names[] = {
    "GITHUB_ACTIONS", "GITLAB_CI",        "JENKINS_URL", "TEAMCITY_VERSION",   "TF_BUILD",
    "BUILDKITE",      "CIRCLECI",         "TRAVIS",      "APPVEYOR",           "DRONE",
    "SEMAPHORE",      "BITBUCKET_COMMIT", "CIRRUS_CI",   "CODEBUILD_BUILD_ID", "WOODPECKER_CI"};

struct Bad {
  const char* name;
  std::vector<const char*> values;
};

const Bad bad_values[] = {
    {"DLOG_LEVEL", {"warning", "INF", "2", " info", "info ", "infoo", "nothing"}},
    {"DLOG_FLUSH_ON", {"always", "-"}},
    {"DLOG_FORMAT", {"text", "automatic", "json ", "terminal,plain"}},
    {"DLOG_SIMPLE", {"maybe", "2", "tru"}},
    {"DLOG_PROGRESS", {"bars", "off", "false"}},
    {"DLOG_NO_PROGRESS", {"nope", "10"}},
    {"DLOG_OUTPUT_FD", {"-1", "stderr", "2147483648", "1.0", "0x2", " 2", "+2"}},
    {"DLOG_QUEUE_BYTES", {"-1", "K", "1KB", "8 M", "1.5M", "99999999999999999999", "18446744073709551615G"}},
    {"DLOG_OVERFLOW", {"wait", "dropp"}},
    {"DLOG_BLOCK_LIMIT_MS", {"-5", "3600001", "1s", "18446744073709551615"}},
    {"DLOG_TRUST", {"same-user", "everybody"}},
    {"DLOG_CHILD_RECORDS_PER_SECOND", {"-1", "10/s", "1.5", "18446744073709551616"}},
    {"DLOG_JOIN_PARENT", {"maybe", "-1"}},
    {"DLOG_LISTEN", {"ja", "y"}},
    {"DLOG_SET_ENVIRONMENT", {"t", "11"}},
    {"DLOG_HANDLE_SIGNALS", {"SIGTERM", "all"}},
    {"DLOG_BAR_TEMPLATE", {"{", "}", "{dsc}", "{bar:0}", "{bar:x}"}},
    {"DLOG_BAR_THEME", {"block", "#"}},
    {"DLOG_TASKBAR", {"maybe", "9;4"}},
    {"DLOG_WIDE_AMBIGUOUS", {"2", "wide"}},
};

}  // namespace

TEST_CASE("settings: without an environment a program gets what it asks for") {
  CHECK(same(settle({}).config, Config{}));
  CHECK(same(settle({}, asked_for()).config, asked_for()));
  CHECK(settle({}).notices.empty());
  CHECK(settle({}).pipe == "");
}

TEST_CASE("settings: the environment wins over what a program asks for, in this one setting") {
  for (const Good& good : good_values) {
    INFO(good.name << "=" << good.value);
    for (const Config& asked : {Config{}, asked_for()}) {
      Config expected = asked;
      good.sets(expected);
      const Settings settings = settle({{good.name, good.value}}, asked);
      CHECK(same(settings.config, expected));
      CHECK(settings.notices.empty());
    }
  }
}

TEST_CASE("settings: a value that cannot be used is one notice, and as if unset") {
  for (const Bad& bad : bad_values) {
    for (const char* value : bad.values) {
      INFO(bad.name << "=\"" << value << "\"");
      const Settings settings = settle({{bad.name, value}}, asked_for());
      CHECK(same(settings.config, asked_for()));
      REQUIRE(settings.notices.size() == 1);
      CHECK(settings.notices[0].level == Level::warn);
      const std::string start = std::string(bad.name) + "=\"" + value + "\" is not ";
      CHECK(settings.notices[0].text.substr(0, start.size()) == start);
      CHECK(settings.notices[0].text.ends_with("; ignored"));
    }
  }
}

TEST_CASE("settings: every variable has bad values here, but those that take any text") {
  std::set<std::string> with_bad;
  for (const Bad& bad : bad_values) with_bad.insert(bad.name);
  std::set<std::string> with_good;
  for (const Good& good : good_values) with_good.insert(good.name);
  with_bad.insert({"DLOG_FILE", "DLOG_NAME"});
  CHECK(with_bad == with_good);

  std::set<std::string> asked;
  api::settle_settings({}, [&](const char* name) -> std::optional<std::string> {
    asked.insert(name);
    return std::nullopt;
  });
  with_good.insert({"DLOG_PIPE", "NO_COLOR", "TERM", "LANG", "LC_ALL", "LC_CTYPE", "CI", "CLICOLOR", "CLICOLOR_FORCE",
                    "FORCE_COLOR"});
  std::erase_if(asked, [](const std::string& name) {
    return std::find(std::begin(ci_names), std::end(ci_names), name) != std::end(ci_names);
  });
  CHECK(asked == with_good);
}

TEST_CASE("settings: an empty variable is as if unset") {
  for (const Good& good : good_values) {
    INFO(good.name);
    const Settings settings = settle({{good.name, ""}}, asked_for());
    CHECK(same(settings.config, asked_for()));
    CHECK(settings.notices.empty());
  }
}

TEST_CASE("settings: a notice says what would be taken") {
  const auto notice = [](const char* name, const char* value) { return settle({{name, value}}).notices.at(0).text; };
  CHECK(notice("DLOG_LEVEL", "warning") ==
        "DLOG_LEVEL=\"warning\" is not a level (trace debug info warn error fatal off); ignored");
  CHECK(notice("DLOG_FORMAT", "x") == "DLOG_FORMAT=\"x\" is not one of auto terminal plain simple json; ignored");
  CHECK(notice("DLOG_PROGRESS", "x") == "DLOG_PROGRESS=\"x\" is not one of auto bar plain json none; ignored");
  CHECK(notice("DLOG_LISTEN", "x") == "DLOG_LISTEN=\"x\" is not true or false; ignored");
  CHECK(notice("DLOG_OUTPUT_FD", "x") == "DLOG_OUTPUT_FD=\"x\" is not a file descriptor; ignored");
  CHECK(notice("DLOG_BLOCK_LIMIT_MS", "x") ==
        "DLOG_BLOCK_LIMIT_MS=\"x\" is not a number of milliseconds up to 3600000; ignored");
  CHECK(notice("DLOG_QUEUE_BYTES", "x") ==
        "DLOG_QUEUE_BYTES=\"x\" is not a number of bytes (K, M or G may follow); ignored");
}

TEST_CASE("settings: several bad variables are told one by one, the good ones beside them count") {
  Variables variables;
  for (const Bad& bad : bad_values) variables[bad.name] = bad.values.front();
  variables["DLOG_NAME"] = "good";
  const Settings settings = settle(variables);
  CHECK(settings.config.process_name == "good");
  REQUIRE(settings.notices.size() == std::size(bad_values));
  for (const Bad& bad : bad_values) {
    int told = 0;
    for (const auto& notice : settings.notices) told += notice.text.starts_with(std::string(bad.name) + "=") ? 1 : 0;
    INFO(bad.name);
    CHECK(told == 1);
  }
}

TEST_CASE("settings: which variable wins") {
  CHECK(settle({{"DLOG_SIMPLE", "true"}, {"DLOG_FORMAT", "json"}}).config.format == Format::json);
  CHECK(settle({{"DLOG_SIMPLE", "true"}, {"DLOG_FORMAT", "auto"}}).config.format == Format::automatic);
  CHECK(settle({{"DLOG_SIMPLE", "true"}, {"DLOG_FORMAT", "nonsense"}}).config.format == Format::simple);
  CHECK(settle({{"DLOG_NO_PROGRESS", "true"}, {"DLOG_PROGRESS", "bar"}}).config.progress == ProgressMode::none);
  CHECK(settle({{"DLOG_NO_PROGRESS", "false"}, {"DLOG_PROGRESS", "bar"}}).config.progress == ProgressMode::bar);
}

TEST_CASE("settings: the parent's address is handed on as it is") {
  CHECK(settle({{"DLOG_PIPE", "127.0.0.1:4711"}}).pipe == "127.0.0.1:4711");
  CHECK(settle({{"DLOG_PIPE", "nonsense"}}).pipe == "nonsense");
  CHECK(settle({{"DLOG_PIPE", "nonsense"}}).notices.empty());
  CHECK(settle({{"DLOG_PIPE", ""}}).pipe == "");
}

TEST_CASE("settings: what is honoured of others") {
  using enum sink::Colour;
  const auto colour = [](const Variables& variables) { return settle(variables).surroundings.colour; };
  CHECK(colour({}) == automatic);
  CHECK(colour({{"NO_COLOR", "1"}}) == never);
  CHECK(colour({{"NO_COLOR", "false"}}) == never);  // any text, says no-color.org
  CHECK(colour({{"NO_COLOR", ""}}) == automatic);
  CHECK(colour({{"CLICOLOR", "0"}}) == never);
  CHECK(colour({{"CLICOLOR", "1"}}) == automatic);
  CHECK(colour({{"CLICOLOR_FORCE", "1"}}) == always);
  CHECK(colour({{"CLICOLOR_FORCE", "0"}}) == automatic);
  CHECK(colour({{"FORCE_COLOR", "3"}}) == always);
  CHECK(colour({{"FORCE_COLOR", "0"}}) == never);
  CHECK(colour({{"NO_COLOR", "1"}, {"FORCE_COLOR", "1"}}) == always);
  CHECK(colour({{"NO_COLOR", "1"}, {"CLICOLOR_FORCE", "1"}}) == always);

  const auto dumb = [](const Variables& variables) { return settle(variables).surroundings.dumb_terminal; };
  CHECK(dumb({}));
  CHECK(dumb({{"TERM", ""}}));
  CHECK(dumb({{"TERM", "dumb"}}));
  CHECK_FALSE(dumb({{"TERM", "xterm-256color"}}));
  CHECK_FALSE(dumb({{"TERM", "dumber"}}));
}

TEST_CASE("settings: more than ASCII where the locale and the terminal take it") {
  const auto unicode = [](Variables variables) {
    variables.try_emplace("TERM", "xterm");
    return settle(variables).surroundings.unicode;
  };
  CHECK_FALSE(unicode({}));
  CHECK(unicode({{"LANG", "de_DE.UTF-8"}}));
  CHECK(unicode({{"LANG", "C.utf8"}}));
  CHECK(unicode({{"LC_CTYPE", "en_US.UTF-8@euro"}}));
  CHECK_FALSE(unicode({{"LANG", "C"}}));
  CHECK_FALSE(unicode({{"LANG", "de_DE.ISO-8859-1"}}));
  CHECK_FALSE(unicode({{"LC_ALL", "C"}, {"LANG", "de_DE.UTF-8"}}));
  CHECK(unicode({{"LC_ALL", ""}, {"LC_CTYPE", "C.UTF-8"}, {"LANG", "C"}}));
  CHECK_FALSE(unicode({{"LANG", "de_DE.UTF-8"}, {"TERM", "linux"}}));
  CHECK_FALSE(unicode({{"LANG", "de_DE.UTF-8"}, {"TERM", "vt220"}}));
  CHECK(settle({{"DLOG_WIDE_AMBIGUOUS", "true"}}).surroundings.wide_ambiguous);
}

TEST_CASE("settings: systems that keep what they are told are known") {
  const auto in_ci = [](const Variables& variables) { return settle(variables).surroundings.in_ci; };
  CHECK_FALSE(in_ci({}));
  CHECK(in_ci({{"CI", "true"}}));
  CHECK(in_ci({{"CI", "woodpecker"}}));
  CHECK_FALSE(in_ci({{"CI", "false"}}));
  CHECK_FALSE(in_ci({{"CI", "0"}, {"GITHUB_ACTIONS", "true"}}));
  for (const char* name : ci_names) CHECK(in_ci({{name, "yes"}}));
}

TEST_CASE("settings: a template that cannot be read is told with the reason, wherever it came from") {
  const auto wrong = settle({{"DLOG_BAR_TEMPLATE", "{dsc}"}});
  REQUIRE(wrong.notices.size() == 1);
  CHECK(wrong.notices[0].text.find("there is no field {dsc} (fields: source desc") != std::string::npos);

  Config asked;
  asked.bar_template = "{bar}";
  CHECK(settle({{"DLOG_BAR_TEMPLATE", "{"}}, asked).config.bar_template == "{bar}");
  asked.bar_template = "}";
  const auto bad = settle({}, asked);
  CHECK(bad.config.bar_template.empty());
  REQUIRE(bad.notices.size() == 1);
  CHECK(bad.notices[0].text.starts_with("Config::bar_template=\"}\" is not a bar template: "));
}
