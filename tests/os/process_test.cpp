// Tests of os/process: who this process and its threads are, also behind a fork.
#include "os/process.hpp"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "os/child.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog;
using test::said_in_child;

TEST_CASE("process: a process has its id, and a forked child another") {
  CHECK(os::process_id() == static_cast<std::uint32_t>(::getpid()));
  const std::string in_child =
      said_in_child([] { return fmt::format("{}", os::process_id() == static_cast<std::uint32_t>(::getpid())); });
  CHECK(in_child == "true");
}

TEST_CASE("process: every thread has an id of its own, the same each time, and the system's") {
  constexpr int thread_count = 8;
  std::vector<std::uint64_t> first(thread_count);
  std::vector<std::uint64_t> second(thread_count);
  std::vector<std::uint64_t> system(thread_count);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < thread_count; ++i) {
    threads.emplace_back([&, i] {
      first[i] = os::thread_id();
      second[i] = os::thread_id();
      system[i] = static_cast<std::uint64_t>(::gettid());
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(first == second);
  CHECK(first == system);
  CHECK(os::thread_id() == static_cast<std::uint64_t>(::gettid()));
  CHECK(os::thread_id_in_handler() == os::thread_id());
  for (const std::uint64_t id : first) CHECK(id != os::thread_id());
}

TEST_CASE("process: after a fork the thread has another id, and the process another generation") {
  const std::uint64_t thread = os::thread_id();  // it is known before the fork
  const std::uint32_t generation = os::process_generation();
  CHECK(generation != 0);
  CHECK(said_in_child([&] {
          return fmt::format("{} {} {}", os::thread_id() == static_cast<std::uint64_t>(::gettid()),
                             os::process_generation() != generation,
                             os::process_generation() == os::process_generation());
        }) == "true true true");
  CHECK(os::process_generation() == generation);
  CHECK(os::thread_id() == thread);
}

TEST_CASE("process: a fork that runs no handlers is another generation too, and so are its own") {
  if (std::getenv("DLOG_TEST_SANITIZE") != nullptr) return;  // it knows fork() alone
  const auto fork_bare = [] {
    return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  };
  const std::uint32_t first = os::process_generation();
  const pid_t child = fork_bare();
  if (child == 0) {
    const std::uint32_t second = os::process_generation();
    const pid_t grandchild = fork_bare();
    if (grandchild == 0) {
      const std::uint32_t third = os::process_generation();
      ::_exit(third != second && third != first ? 3 : 0);
    }
    int status = 0;
    ::waitpid(grandchild, &status, 0);
    ::_exit(second != first ? 10 + WEXITSTATUS(status) : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 13);
  CHECK(os::process_generation() == first);
}

TEST_CASE("process: the main thread knows that it is") {
  CHECK(os::is_main_thread());
  bool other = true;
  std::thread([&] { other = os::is_main_thread(); }).join();
  CHECK_FALSE(other);
}

TEST_CASE("process: the program's name is its file's") {
  char path[4096];
  const ssize_t bytes = ::readlink("/proc/self/exe", path, sizeof path);
  REQUIRE(bytes > 0);
  const std::string whole(path, static_cast<std::size_t>(bytes));
  CHECK(os::program_name() == whole.substr(whole.rfind('/') + 1));
}

TEST_CASE("process: a program that nobody named has a name all the same") {
  CHECK(said_in_child([] {
          static char empty[] = "";
          ::program_invocation_short_name = empty;
          const std::string without = os::program_name();
          ::program_invocation_short_name = nullptr;
          return without + " " + os::program_name();
        }) == "program program");
}

TEST_CASE("process: random bits are all used, and never come twice") {
  std::set<std::uint64_t> seen;
  std::uint64_t ever_set = 0;
  std::uint64_t ever_clear = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t bits = os::random_bits();
    seen.insert(bits);
    ever_set |= bits;
    ever_clear |= ~bits;
  }
  CHECK(seen.size() == 1000);
  CHECK(ever_set == ~std::uint64_t{0});
  CHECK(ever_clear == ~std::uint64_t{0});
}

TEST_CASE("process: random bits differ in parent and child") {
  const std::string in_child = said_in_child([] { return fmt::format("{}", os::random_bits()); });
  CHECK(in_child != fmt::format("{}", os::random_bits()));
}

TEST_CASE("process: the program itself needs nobody to keep it loaded") { CHECK_FALSE(os::keep_loaded()); }

int forks_seen = 0;
int forks_begun = 0;
int forks_ended = 0;

TEST_CASE("process: calls are made around every fork, each where it belongs") {
  // In a child, because a call cannot be taken back.
  CHECK(said_in_child([] {
          if (!os::around_forks([] { ++forks_begun; }, [] { ++forks_ended; }, [] { ++forks_seen; }))
            return std::string("not taken");
          if (forks_seen != 0) return std::string("called without a fork");
          const pid_t child = ::fork();
          if (child == 0) {
            const pid_t grandchild = ::fork();
            if (grandchild == 0) ::_exit(forks_seen);
            int status = 0;
            ::waitpid(grandchild, &status, 0);
            ::_exit(10 * forks_seen + WEXITSTATUS(status));
          }
          int status = 0;
          ::waitpid(child, &status, 0);
          return fmt::format("parent {} {} {}, child and grandchild {}", forks_begun, forks_ended, forks_seen,
                             WEXITSTATUS(status));
        }) == "parent 1 1 0, child and grandchild 12");
}

}  // namespace
