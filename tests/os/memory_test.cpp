// Tests of memory_linux.cpp.
#include "os/memory.hpp"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdlib>

#include "support/catch.hpp"

using namespace dlog;

namespace {

long faults() {
  rusage use{};
  ::getrusage(RUSAGE_THREAD, &use);
  return use.ru_minflt;
}

}  // namespace

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
