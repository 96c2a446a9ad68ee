// Test program: does what its arguments say, one after the other, and answers on stdout; the tests write their scenes with it.
#include <dlog/dlog.hpp>

#include <dirent.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace {

std::map<std::string, dlog::ProgressBar> bars;

// Takes the first word off `rest`.
std::string word(std::string& rest) {
  const auto space = rest.find(' ');
  std::string first = rest.substr(0, space);
  rest = space == std::string::npos ? std::string() : rest.substr(space + 1);
  return first;
}

std::uint64_t number(std::string& rest) { return std::stoull(word(rest)); }

dlog::ProgressBar& bar(std::string& rest) { return bars.at(word(rest)); }

void answer(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

dlog::Level level_of(const std::string& name) {
  static const std::map<std::string, dlog::Level> levels{{"trace", dlog::Level::trace}, {"debug", dlog::Level::debug},
                                                         {"info", dlog::Level::info},   {"warn", dlog::Level::warn},
                                                         {"error", dlog::Level::error}, {"fatal", dlog::Level::fatal},
                                                         {"off", dlog::Level::off}};
  return levels.at(name);
}

// "init level=error name=x": the settings named, the others as they are by default.
void init(const std::string& settings) {
  dlog::Config config;
  std::istringstream words(settings);
  for (std::string setting; words >> setting;) {
    const auto equals = setting.find('=');
    const std::string key = setting.substr(0, equals);
    const std::string value = setting.substr(equals + 1);
    if (key == "level") config.level = level_of(value);
    else if (key == "format" && value == "json") config.format = dlog::Format::json;
    else if (key == "format" && value == "simple") config.format = dlog::Format::simple;
    else if (key == "format" && value == "plain") config.format = dlog::Format::plain;
    else if (key == "progress" && value == "none") config.progress = dlog::ProgressMode::none;
    else if (key == "output_fd") config.output_fd = std::stoi(value);
    else if (key == "file") config.file = value;
    else if (key == "name") config.process_name = value;
    else if (key == "queue_bytes") config.queue_bytes = std::stoull(value);
    else if (key == "overflow" && value == "drop") config.overflow = dlog::Overflow::drop;
    else if (key == "join_parent") config.join_parent = value == "true";
    else if (key == "listen") config.listen = value == "true";
    else if (key == "set_environment") config.set_environment = value == "true";
    else throw std::invalid_argument("no setting " + setting);
  }
  answer(std::string("init ") + (dlog::init(config) ? "true" : "false"));
}

void answer_level() {
  for (const char* name : {"trace", "debug", "info", "warn", "error", "fatal", "off"}) {
    if (level_of(name) == dlog::level()) answer(std::string("level ") + name);
  }
}

// "flush" or "flush 300": the deadline, in milliseconds.
void answer_flush(const std::string& milliseconds) {
  const std::chrono::milliseconds deadline(milliseconds.empty() ? 30'000 : std::stoi(milliseconds));
  const dlog::FlushResult result = dlog::flush(deadline);
  answer(std::string("flush ") + (result ? "true" : "false") + " lost=" + std::to_string(result.lost));
}

void answer_stats() {
  const dlog::Stats s = dlog::stats();
  std::ostringstream line;
  line << "stats enqueued=" << s.enqueued << " shown=" << s.shown << " dropped=" << s.dropped
       << " undeliverable=" << s.undeliverable << " children=" << s.children << " refused=" << s.refused;
  answer(line.str());
}

void answer_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  answer("getenv " + name + "=" + (value == nullptr ? "(unset)" : value));
}

void answer_child_environment() {
  for (const std::string& line : dlog::child_environment()) answer("childenv " + line);
}

// One line for each open descriptor; the one that reads the folder is not the program's.
void answer_descriptors() {
  DIR* folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == std::to_string(dirfd(folder))) continue;
    char target[512] = "";
    [[maybe_unused]] const auto size = readlink(("/proc/self/fd/" + name).c_str(), target, sizeof target - 1);
    answer("fd " + name + " " + target);
  }
  closedir(folder);
  answer("fds end");
}

void answer_sigpipe() {
  struct sigaction now {};
  sigaction(SIGPIPE, nullptr, &now);
  answer(std::string("sigpipe ") + (now.sa_handler == SIG_DFL   ? "default"
                                    : now.sa_handler == SIG_IGN ? "ignored"
                                                                : "handled"));
}

void wait_for_line() {
  answer("waiting");
  for (int c = std::getchar(); c != '\n' && c != EOF;) c = std::getchar();
}

// The program again, in this process, with one thing to do.
void exec_self(std::string& rest) { execl("/proc/self/exe", "t_do", rest.c_str(), static_cast<char*>(nullptr)); }

using Verb = std::function<void(std::string&)>;

std::map<std::string, Verb> record_verbs() {
  return {
      {"trace", [](std::string& rest) { dlog::trace("{}", rest); }},
      {"debug", [](std::string& rest) { dlog::debug("{}", rest); }},
      {"info", [](std::string& rest) { dlog::info("{}", rest); }},
      {"warn", [](std::string& rest) { dlog::warn("{}", rest); }},
      {"error", [](std::string& rest) { dlog::error("{}", rest); }},
      {"fatal", [](std::string& rest) { dlog::fatal("{}", rest); }},
      // Text given alone: its braces are not parsed.
      {"text",
       [](std::string& rest) {
         const auto level = level_of(word(rest));
         dlog::log(level, rest);
       }},
      {"view", [](std::string& rest) { dlog::info(std::string_view(rest)); }},
      // "many 1000 name": numbered records that the tests can check for gaps.
      {"many",
       [](std::string& rest) {
         const auto count = number(rest);
         for (std::uint64_t i = 0; i < count; ++i) dlog::info("rec {}/0 {} {}|", rest, i, std::string(i % 97, 'x'));
       }},
      // "big 2000000 x": one message of so many bytes.
      {"big",
       [](std::string& rest) {
         const auto bytes = number(rest);
         dlog::info(std::string(bytes, rest.at(0)));
       }},
  };
}

std::map<std::string, Verb> bar_verbs() {
  return {
      {"bar",
       [](std::string& rest) {
         auto key = word(rest);
         auto total = number(rest);
         bars.insert_or_assign(key, dlog::ProgressBar(rest, total));
       }},
      {"push",
       [](std::string& rest) {
         auto& b = bar(rest);
         b.push(number(rest));
       }},
      {"add",
       [](std::string& rest) {
         auto& b = bar(rest);
         b += number(rest);
       }},
      {"total",
       [](std::string& rest) {
         auto& b = bar(rest);
         b.set_total(number(rest));
       }},
      {"message",
       [](std::string& rest) {
         auto& b = bar(rest);
         b.set_message(rest);
       }},
      {"done", [](std::string& rest) { bar(rest).finish(); }},
      {"fail",
       [](std::string& rest) {
         auto& b = bar(rest);
         b.fail(rest);
       }},
      {"abandon", [](std::string& rest) { bar(rest).abandon(); }},
      {"clear", [](std::string& rest) { bar(rest).clear(); }},
      {"drop", [](std::string& rest) { bars.erase(rest); }},
      {"suspend", [](std::string& rest) { dlog::suspend([&] { answer(rest); }); }},
  };
}

std::map<std::string, Verb> other_verbs() {
  return {
      {"init", [](std::string& rest) { init(rest); }},
      {"set_level", [](std::string& rest) { dlog::set_level(level_of(rest)); }},
      {"level", [](std::string&) { answer_level(); }},
      {"flush", [](std::string& rest) { answer_flush(rest); }},
      {"finish", [](std::string&) { dlog::finish(); }},
      {"stats", [](std::string&) { answer_stats(); }},
      {"role", [](std::string&) { answer(dlog::role() == dlog::Role::child ? "role child" : "role aggregator"); }},
      {"address", [](std::string&) { answer("address " + dlog::pipe_address()); }},
      {"childenv", [](std::string&) { answer_child_environment(); }},
      {"getenv", [](std::string& rest) { answer_variable(rest); }},
      {"fds", [](std::string&) { answer_descriptors(); }},
      {"sigpipe", [](std::string&) { answer_sigpipe(); }},
      {"say", [](std::string& rest) { answer(rest); }},
      {"wait", [](std::string&) { wait_for_line(); }},
      {"sleep", [](std::string& rest) { std::this_thread::sleep_for(std::chrono::milliseconds(number(rest))); }},
      {"exec", [](std::string& rest) { exec_self(rest); }},
      {"exit", [](std::string& rest) { std::exit(std::stoi(rest)); }},
      {"quick_exit", [](std::string& rest) { std::quick_exit(std::stoi(rest)); }},
      {"raise", [](std::string& rest) { std::raise(static_cast<int>(number(rest))); }},
      {"abort", [](std::string&) { std::abort(); }},
      {"throw", [](std::string& rest) { throw std::runtime_error(rest); }},
      {"at_exit", [](std::string&) { std::atexit([] { dlog::info("logged by an exit handler"); }); }},
  };
}

// False: there is no such verb.
bool act(const std::map<std::string, Verb>& verbs, std::string rest) {
  const std::string verb = word(rest);
  const auto found = verbs.find(verb);
  if (found == verbs.end()) {
    std::printf("no verb %s\n", verb.c_str());
    return false;
  }
  found->second(rest);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, Verb> verbs = record_verbs();
  verbs.merge(bar_verbs());
  verbs.merge(other_verbs());
  // What the lines of stdin say, until they end: for tests that do not know beforehand what comes next.
  verbs["obey"] = [&](std::string&) {
    answer("obeying");
    for (std::string line; std::getline(std::cin, line);) act(verbs, line);
  };
  for (int i = 1; i < argc; ++i) {
    if (!act(verbs, argv[i])) return 64;
  }
}
