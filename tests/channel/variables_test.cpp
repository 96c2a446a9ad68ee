// Tests of channel/variables: what a child is told of its channel, by Node or by Deka, and that it is told once.
#include "channel/variables.hpp"

#include <stdlib.h>

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "os/child.hpp"
#include "support/catch.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves the declaration to the program

namespace {

using namespace dlog::channel;

using Variables = std::map<std::string, std::string>;

void set_only(const Variables& variables) {
  for (const char* name : {"NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "DEKA_IPC_ENABLED", "DEKA_IPC_FD"})
    ::unsetenv(name);
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
}

// In a child of its own, for the environment is the whole process's.
std::string announced(const Variables& variables) {
  return dlog::test::said_in_child([&]() -> std::string {
    set_only(variables);
    Expected<Announced> told = read_variables();
    if (told) return (told->dialect == Dialect::node ? "node " : "deka ") + std::to_string(told->fd);
    if (told.error().reason.empty()) return "no reason";
    if (told.error().code == ErrorCode::no_channel) return "no channel";
    return told.error().code == ErrorCode::bad_environment ? "bad" : "another error";
  });
}

TEST_CASE("variables: Node's") {
  CHECK(announced({{"NODE_CHANNEL_FD", "3"}}) == "node 3");
  CHECK(announced({{"NODE_CHANNEL_FD", "2147483647"}}) == "node 2147483647");
  CHECK(announced({{"NODE_CHANNEL_FD", "0"}, {"NODE_CHANNEL_SERIALIZATION_MODE", "json"}}) == "node 0");
}

TEST_CASE("variables: Deka's") { CHECK(announced({{"DEKA_IPC_ENABLED", "1"}, {"DEKA_IPC_FD", "7"}}) == "deka 7"); }

TEST_CASE("variables: where there are both Node's count") {
  CHECK(announced({{"NODE_CHANNEL_FD", "3"}, {"DEKA_IPC_ENABLED", "1"}, {"DEKA_IPC_FD", "7"}}) == "node 3");
}

TEST_CASE("variables: none is no channel") {
  CHECK(announced({}) == "no channel");
  CHECK(announced({{"NODE_CHANNEL_SERIALIZATION_MODE", "json"}}) == "no channel");
  CHECK(announced({{"DEKA_IPC_FD", "7"}}) == "no channel");
}

TEST_CASE("variables: Deka's channel is on where it says 1, and else off") {
  for (const char* enabled : {"0", "", "true", "01", "1 ", "2"}) {
    CAPTURE(enabled);
    CHECK(announced({{"DEKA_IPC_ENABLED", enabled}, {"DEKA_IPC_FD", "7"}}) == "no channel");
  }
}

TEST_CASE("variables: on, but without a descriptor, is told") {
  CHECK(announced({{"DEKA_IPC_ENABLED", "1"}}) == "bad");
}

TEST_CASE("variables: what is no descriptor is told") {
  for (const char* text : {"", "-1", "+3", " 3", "3 ", "3x", "0x3", "three", "2147483648", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK(announced({{"NODE_CHANNEL_FD", text}}) == "bad");
    CHECK(announced({{"DEKA_IPC_ENABLED", "1"}, {"DEKA_IPC_FD", text}}) == "bad");
  }
}

TEST_CASE("variables: of Node's serializations json is spoken alone") {
  CHECK(announced({{"NODE_CHANNEL_FD", "3"}, {"NODE_CHANNEL_SERIALIZATION_MODE", "advanced"}}) == "bad");
  CHECK(announced({{"NODE_CHANNEL_FD", "3"}, {"NODE_CHANNEL_SERIALIZATION_MODE", ""}}) == "bad");
}

TEST_CASE("variables: reading takes none away") {
  CHECK(dlog::test::said_in_child([] {
          set_only({{"NODE_CHANNEL_FD", "3"}});
          static_cast<void>(read_variables());
          return std::string(::getenv("NODE_CHANNEL_FD"));
        }) == "3");
}

TEST_CASE("variables: all four are taken away in one step, and no other") {
  CHECK(dlog::test::said_in_child([] {
          ::setenv("NODE_CHANNEL_FDX", "stays", 1);
          set_only({{"NODE_CHANNEL_FD", "3"},
                    {"NODE_CHANNEL_SERIALIZATION_MODE", "json"},
                    {"DEKA_IPC_ENABLED", "1"},
                    {"DEKA_IPC_FD", "3"}});
          // One array in the place of another, which is left as it was: whoever reads it sees all or none of them.
          char** const before = environ;
          std::size_t count = 0;
          while (before[count] != nullptr) ++count;
          const bool done = remove_variables();
          std::size_t count_before = 0;
          while (before[count_before] != nullptr) ++count_before;
          std::size_t count_after = 0;
          while (environ[count_after] != nullptr) ++count_after;
          Expected<Announced> told = read_variables();
          return fmt::format("{} {} {} {} {} {}", done, environ != before, count_before == count, count - count_after,
                             ::getenv("NODE_CHANNEL_FDX"), told.has_value());
        }) == "true true true 4 stays false");
}

TEST_CASE("variables: where there are none the environment stays as it is") {
  CHECK(dlog::test::said_in_child([] {
          set_only({});
          char** const before = environ;
          return fmt::format("{} {}", remove_variables(), environ == before);
        }) == "true true");
}

// In the order in which they are given, the last one of a name counts.
std::map<std::string, std::optional<std::string>> given(Dialect dialect, int fd) {
  std::map<std::string, std::optional<std::string>> out;
  for (const auto& [name, value] : variables_for(dialect, fd)) out[name] = value;
  return out;
}

TEST_CASE("variables: a child of either dialect is given its own, and none of the other's") {
  using Given = std::map<std::string, std::optional<std::string>>;
  CHECK((given(Dialect::node, 3) == Given{{"NODE_CHANNEL_FD", "3"},
                                          {"NODE_CHANNEL_SERIALIZATION_MODE", "json"},
                                          {"DEKA_IPC_ENABLED", std::nullopt},
                                          {"DEKA_IPC_FD", std::nullopt}}));
  CHECK((given(Dialect::deka, 10) == Given{{"NODE_CHANNEL_FD", std::nullopt},
                                           {"NODE_CHANNEL_SERIALIZATION_MODE", std::nullopt},
                                           {"DEKA_IPC_ENABLED", "1"},
                                           {"DEKA_IPC_FD", "10"}}));
}

TEST_CASE("variables: what is given is what is read") {
  for (const Dialect dialect : {Dialect::node, Dialect::deka}) {
    Variables variables;
    for (const auto& [name, value] : given(dialect, 12))
      if (value) variables[name] = *value;
    CHECK(announced(variables) == (dialect == Dialect::node ? "node 12" : "deka 12"));
  }
}

}  // namespace
