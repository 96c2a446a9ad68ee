// Tests of os/environment: what is set is seen by this process, its children and its threads, and nothing else changes.
#include "os/environment.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "os/child.hpp"
#include "support/catch.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves the declaration to the program

namespace {

using namespace dlog;
using test::said_in_child;

// All entries whose beginning is this, in their order.
std::string entries(std::string_view beginning) {
  std::string out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (std::string_view(*entry).starts_with(beginning)) out.append(out.empty() ? "" : " ").append(*entry);
  }
  return out;
}

std::size_t entry_count() {
  std::size_t count = 0;
  while (environ != nullptr && environ[count] != nullptr) ++count;
  return count;
}

TEST_CASE("environment: a variable is read, an empty one too, a missing one not") {
  CHECK(said_in_child([] {
          ::setenv("DLOG_CASE_A", "a value", 1);
          ::setenv("DLOG_CASE_B", "", 1);
          const auto shown = [](const char* name) { return os::environment(name).value_or("(none)"); };
          return shown("DLOG_CASE_A") + "|" + shown("DLOG_CASE_B") + "|" + shown("DLOG_CASE_C");
        }) == "a value||(none)");
}

TEST_CASE("environment: a variable is set beside the others") {
  CHECK(said_in_child([] {
          ::setenv("DLOG_CASE_A", "before", 1);
          const std::size_t before = entry_count();
          const bool done = os::set_environment("DLOG_CASE_B", "127.0.0.1:4711");
          return fmt::format("{} {} {}", done, entry_count() - before, entries("DLOG_CASE_"));
        }) == "true 1 DLOG_CASE_A=before DLOG_CASE_B=127.0.0.1:4711");
}

TEST_CASE("environment: a variable that is set again is replaced, not doubled") {
  CHECK(said_in_child([] {
          ::setenv("DLOG_CASE_A", "first", 1);
          const std::size_t before = entry_count();
          os::set_environment("DLOG_CASE_A", "second, and longer than the first");
          os::set_environment("DLOG_CASE_A", "third");
          return fmt::format("{} {}", entry_count() - before, entries("DLOG_CASE_"));
        }) == "0 DLOG_CASE_A=third");
}

TEST_CASE("environment: of a variable that stands there twice nothing old is left") {
  CHECK(said_in_child([] {
          static char first[] = "DLOG_CASE_A=first";
          static char other[] = "DLOG_CASE_B=other";
          static char second[] = "DLOG_CASE_A=second";
          static char* twice[] = {first, other, second, nullptr};
          environ = twice;
          os::set_environment("DLOG_CASE_A", "third");
          return entries("");
        }) == "DLOG_CASE_B=other DLOG_CASE_A=third");
}

TEST_CASE("environment: names that begin alike are different names") {
  CHECK(said_in_child([] {
          os::set_environment("DLOG_CASE_AB", "longer");
          os::set_environment("DLOG_CASE_", "shorter");
          os::set_environment("DLOG_CASE_A", "between");
          os::set_environment("DLOG_CASE_A", "again");
          return entries("DLOG_CASE_");
        }) == "DLOG_CASE_AB=longer DLOG_CASE_=shorter DLOG_CASE_A=again");
}

TEST_CASE("environment: a value may be empty, or hold what stands between name and value") {
  CHECK(said_in_child([] {
          os::set_environment("DLOG_CASE_A", "");
          os::set_environment("DLOG_CASE_B", "=x=y z");
          return fmt::format("[{}] [{}]", ::getenv("DLOG_CASE_A"), ::getenv("DLOG_CASE_B"));
        }) == "[] [=x=y z]");
}

TEST_CASE("environment: names and values need not end with a NUL") {
  CHECK(said_in_child([] {
          os::set_environment(std::string_view("DLOG_CASE_ABC").substr(0, 11), std::string_view("12345").substr(1, 3));
          return entries("DLOG_CASE_");
        }) == "DLOG_CASE_A=234");
}

TEST_CASE("environment: the first variable of an empty environment") {
  CHECK(said_in_child([] {
          ::clearenv();
          const bool done = os::set_environment("DLOG_CASE_A", "alone");
          return fmt::format("{} {}", done, entries(""));
        }) == "true DLOG_CASE_A=alone");
}

TEST_CASE("environment: a child process sees what was set") {
  CHECK(said_in_child([] {
          os::set_environment("DLOG_CASE_A", "first");
          os::set_environment("DLOG_CASE_A", "a b=c");
          const int ended = std::system("test \"$DLOG_CASE_A\" = 'a b=c' && test -n \"$PATH\"");
          return fmt::format("{}", ended);
        }) == "0");
}

TEST_CASE("environment: the program may go on with setenv, putenv and unsetenv") {
  CHECK(said_in_child([] {
          static char put[] = "DLOG_CASE_C=put";
          ::setenv("DLOG_CASE_A", "set", 1);
          os::set_environment("DLOG_CASE_B", "ours");
          ::putenv(put);
          ::setenv("DLOG_CASE_A", "set again", 1);
          ::setenv("DLOG_CASE_B", "theirs", 1);
          os::set_environment("DLOG_CASE_D", "ours");
          ::unsetenv("DLOG_CASE_C");
          os::set_environment("DLOG_CASE_E", "ours");
          ::unsetenv("DLOG_CASE_E");
          return entries("DLOG_CASE_");
        }) == "DLOG_CASE_A=set again DLOG_CASE_B=theirs DLOG_CASE_D=ours");
}

TEST_CASE("environment: threads that read meanwhile see the old value or the new, and never none") {
  CHECK(said_in_child([] {
          const std::string old_value(100, 'o');
          const std::string new_value(200, 'n');
          os::set_environment("DLOG_CASE_A", old_value);
          ::setenv("DLOG_CASE_B", "stays", 1);
          std::atomic<bool> stop{false};
          std::atomic<int> wrong{0};
          std::atomic<int> reads{0};
          const auto read = [&] {
            while (!stop) {
              const char* changing = ::getenv("DLOG_CASE_A");
              const char* steady = ::getenv("DLOG_CASE_B");
              // The C library looked the values up; this orders what they point to for tools that see races.
              static_cast<void>(__atomic_load_n(&environ, __ATOMIC_ACQUIRE));
              const bool right = changing != nullptr && (changing == old_value || changing == new_value) &&
                                 steady != nullptr && std::string_view(steady) == "stays";
              if (!right) ++wrong;
              ++reads;
            }
          };
          std::vector<std::thread> readers;
          for (int i = 0; i < 3; ++i) readers.emplace_back(read);
          for (int i = 0; i < 3000 || reads < 3000; ++i) {
            os::set_environment("DLOG_CASE_A", i % 2 == 0 ? new_value : old_value);
          }
          stop = true;
          for (std::thread& reader : readers) reader.join();
          return fmt::format("{} wrong", wrong.load());
        }) == "0 wrong");
}

// ---- taking away

TEST_CASE("environment: variables are taken away, and the others stay in their order") {
  CHECK(said_in_child([] {
          for (const char* name : {"DLOG_CASE_A", "DLOG_CASE_B", "DLOG_CASE_C", "DLOG_CASE_D"}) ::setenv(name, "x", 1);
          const std::size_t before = entry_count();
          const std::array<std::string_view, 2> names{"DLOG_CASE_C", "DLOG_CASE_A"};
          const bool done = os::remove_from_environment(names);
          return fmt::format("{} {} {}", done, before - entry_count(), entries("DLOG_CASE_"));
        }) == "true 2 DLOG_CASE_B=x DLOG_CASE_D=x");
}

TEST_CASE("environment: of a variable that stands there twice both are taken away") {
  CHECK(said_in_child([] {
          static char first[] = "DLOG_CASE_A=first";
          static char other[] = "DLOG_CASE_B=other";
          static char second[] = "DLOG_CASE_A=second";
          static char* twice[] = {first, other, second, nullptr};
          environ = twice;
          const std::array<std::string_view, 1> names{"DLOG_CASE_A"};
          os::remove_from_environment(names);
          return entries("");
        }) == "DLOG_CASE_B=other");
}

TEST_CASE("environment: names that begin alike are not taken away") {
  CHECK(said_in_child([] {
          for (const char* name : {"DLOG_CASE_AB", "DLOG_CASE_", "DLOG_CASE_A"}) ::setenv(name, "", 1);
          const std::array<std::string_view, 2> names{std::string_view("DLOG_CASE_ABC").substr(0, 11), "DLOG_CAS"};
          os::remove_from_environment(names);
          return entries("DLOG_CAS");
        }) == "DLOG_CASE_AB= DLOG_CASE_=");
}

TEST_CASE("environment: where there is nothing to take away the array stays as it is") {
  CHECK(said_in_child([] {
          ::setenv("DLOG_CASE_A", "x", 1);
          char** const before = environ;
          const std::array<std::string_view, 3> names{"DLOG_CASE_B", "DLOG_CASE_", "DLOG_CASE_AA"};
          const bool some = os::remove_from_environment(names);
          const bool none = os::remove_from_environment({});
          return fmt::format("{} {} {} {}", some, none, environ == before, entries("DLOG_CASE_"));
        }) == "true true true DLOG_CASE_A=x");
}

TEST_CASE("environment: of an empty one nothing is taken away") {
  CHECK(said_in_child([] {
          const std::array<std::string_view, 1> names{"DLOG_CASE_A"};
          ::clearenv();
          const bool cleared = os::remove_from_environment(names);
          static char* none[] = {nullptr};
          environ = none;
          const bool empty = os::remove_from_environment(names);
          return fmt::format("{} {} {}", cleared, empty, environ == none);
        }) == "true true true");
}

TEST_CASE("environment: a child process does not see what was taken away") {
  CHECK(said_in_child([] {
          ::setenv("DLOG_CASE_A", "x", 1);
          const std::array<std::string_view, 1> names{"DLOG_CASE_A"};
          os::remove_from_environment(names);
          return fmt::format("{}", std::system("test -z \"${DLOG_CASE_A+set}\" && test -n \"$PATH\""));
        }) == "0");
}

TEST_CASE("environment: the program may go on with setenv after something was taken away") {
  CHECK(said_in_child([] {
          ::setenv("DLOG_CASE_A", "x", 1);
          ::setenv("DLOG_CASE_B", "x", 1);
          const std::array<std::string_view, 1> names{"DLOG_CASE_A"};
          os::remove_from_environment(names);
          ::setenv("DLOG_CASE_C", "new", 1);
          ::setenv("DLOG_CASE_A", "again", 1);
          ::unsetenv("DLOG_CASE_B");
          return entries("DLOG_CASE_");
        }) == "DLOG_CASE_C=new DLOG_CASE_A=again");
}

TEST_CASE("environment: threads that read meanwhile see all that is to go, or none of it") {
  CHECK(said_in_child([] {
          constexpr int rounds = 2000;
          os::set_environment("DLOG_CASE_B", "stays");
          os::set_environment("DLOG_CASE_A", "goes");
          std::atomic<bool> stop{false};
          std::atomic<int> wrong{0};
          std::atomic<int> reads{0};
          const auto read = [&] {
            while (!stop) {
              const char* going = ::getenv("DLOG_CASE_A");
              const char* steady = ::getenv("DLOG_CASE_B");
              // The C library looked the values up; this orders what they point to for tools that see races.
              static_cast<void>(__atomic_load_n(&environ, __ATOMIC_ACQUIRE));
              const bool right = (going == nullptr || std::string_view(going) == "goes") && steady != nullptr &&
                                 std::string_view(steady) == "stays";
              if (!right) ++wrong;
              ++reads;
            }
          };
          std::vector<std::thread> readers;
          for (int i = 0; i < 3; ++i) readers.emplace_back(read);
          const std::array<std::string_view, 1> names{"DLOG_CASE_A"};
          for (int i = 0; i < rounds || reads < rounds; ++i) {
            os::remove_from_environment(names);
            os::set_environment("DLOG_CASE_A", "goes");
          }
          stop = true;
          for (std::thread& reader : readers) reader.join();
          return fmt::format("{} wrong", wrong.load());
        }) == "0 wrong");
}

}  // namespace
