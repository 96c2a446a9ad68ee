// The time stamp counter of x86: see counter.hpp. Others use the system's clock.
#include "os/counter.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "os/descriptor.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace dlog::os {
namespace {

bool processor_says_so() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  constexpr unsigned power_leaf = 0x8000'0007;
  constexpr unsigned invariant_bit = 8;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(power_leaf, &a, &b, &c, &d) != 0 && (d >> invariant_bit & 1) != 0;
#else
  return false;
#endif
}

// A kernel that found the counters of two cores apart, or one that stops, uses another clock.
bool kernel_says_so() noexcept {
  const Descriptor file(
      ::open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC));
  if (!file) return true;  // it says nothing
  char text[32];
  const ssize_t got = ::read(file.get(), text, sizeof text);
  const std::string_view name(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  return name.find("tsc") != std::string_view::npos || name.starts_with("kvm-clock") || name.starts_with("xen") ||
         name.empty();
}

}  // namespace

bool counter_is_steady() noexcept { return processor_says_so() && kernel_says_so(); }

}  // namespace dlog::os
