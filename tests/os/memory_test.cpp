// Tests of memory_linux.cpp.
#include "os/memory.hpp"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdlib>

#include "os/child.hpp"
#include "support/catch.hpp"

using namespace dlog;
using dlog::test::said_in_child;

namespace {

long faults() {
  rusage use{};
  ::getrusage(RUSAGE_THREAD, &use);
  return use.ru_minflt;
}

}  // namespace

TEST_CASE("memory: wiped pages are zero in a forked child, and as they were in its parent") {
  struct alignas(os::wiped_page_bytes) Page {
    int number = 0;
  };
  static Page page;
  static Page other;
  REQUIRE(os::wipe_in_forked_child(&page, sizeof page));
  page.number = other.number = 7;
  CHECK(said_in_child([] { return fmt::format("{} {}", page.number, other.number); }) == "0 7");
  CHECK(page.number == 7);
  // What stands in a file's pages cannot be wiped.
  void* const shared = ::mmap(nullptr, os::wiped_page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  CHECK_FALSE(os::wipe_in_forked_child(shared, os::wiped_page_bytes));
  ::munmap(shared, os::wiped_page_bytes);
}

TEST_CASE("memory: what was populated costs its writer no fault, and keeps what stood in it") {
  constexpr std::size_t page = 4096;
  constexpr std::size_t pages = 64;
  void* const memory = ::mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  auto* const bytes = static_cast<volatile char*>(memory);
  bytes[page] = 'x';
  // Neither begin nor end stands at a page's border.
  os::populate(static_cast<char*>(memory) + 100, (pages - 1) * page);
  CHECK(bytes[page] == 'x');
  const long before = faults();
  for (std::size_t i = 0; i < pages; ++i) bytes[i * page] = 'y';
  // A sanitizer has memory of its own for each page.
  if (std::getenv("DLOG_TEST_SANITIZE") == nullptr) CHECK(faults() == before);
  ::munmap(memory, pages * page);
}
