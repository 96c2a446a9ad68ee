// A program of its own for each test of the runtime: see program.hpp.
#include "support/program.hpp"

#include <stdlib.h>

#include <cstdlib>
#include <string_view>

#include "support/catch.hpp"
#include "support/descriptors.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves the declaration to the program

namespace dlog::test {
namespace {

void set_environment(const Variables& variables) {
  std::vector<std::string> ours;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.starts_with("DLOG_")) ours.emplace_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : ours) ::unsetenv(name.c_str());
  for (const char* name : {"NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR"}) ::unsetenv(name);
  ::setenv("DLOG_NAME", "prog", 1);
  ::setenv("TERM", "xterm", 1);
  ::setenv("TZ", "UTC0", 1);
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
}

}  // namespace

Ended run_program(const Variables& variables, const std::function<void()>& body) {
  return in_child([&] {
    set_environment(variables);
    body();
  });
}

Words console_of(const Ended& ended) {
  Words out;
  for (std::string& line : lines_of(ended.err)) {
    constexpr std::size_t time_bytes = std::string_view("2026-11-21 04:16:40.727 ").size();
    const std::size_t open = line.find('[');
    const std::size_t close = line.find("]: ");
    if (line.size() > time_bytes && line[4] == '-' && open < close && close != std::string::npos) {
      line = line.substr(time_bytes, open - time_bytes) + line.substr(close + 1);
    }
    out.push_back(std::move(line));
  }
  return out;
}

const Ended& well(const Ended& ended) {
  INFO("stdout: " << ended.out << "stderr: " << ended.err);
  CHECK(ended.signal == 0);
  CHECK(ended.code == 0);
  return ended;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "unset" : "set " + std::string(value);
}

}  // namespace dlog::test
