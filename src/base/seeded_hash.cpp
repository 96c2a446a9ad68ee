// A hash of numbers that others choose: see seeded_hash.hpp.
#include "base/seeded_hash.hpp"

#include <atomic>
#include <exception>
#include <random>

namespace dlog {
namespace {

std::uint64_t random_seed() noexcept {
  try {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  } catch (const std::exception&) {  // a system without randomness: where it placed us must do
    static const char here = 0;
    return reinterpret_cast<std::uintptr_t>(&here);
  }
}

// Without the compiler's lock of a first use, which a fork might meet. 0: not chosen yet.
constinit std::atomic<std::uint64_t> chosen{0};

std::uint64_t the_seed() noexcept {
  std::uint64_t known = chosen.load(std::memory_order_relaxed);
  if (known != 0) return known;
  const std::uint64_t fresh = random_seed() | 1;
  return chosen.compare_exchange_strong(known, fresh, std::memory_order_relaxed) ? fresh : known;
}

}  // namespace

std::uint64_t seeded_hash(std::uint64_t number) noexcept {
  // The finishing steps of splitmix64: each bit of the number changes half of the bits of the result.
  std::uint64_t n = number + the_seed();
  n = (n ^ (n >> 30)) * 0xBF58476D1CE4E5B9U;
  n = (n ^ (n >> 27)) * 0x94D049BB133111EBU;
  return n ^ (n >> 31);
}

}  // namespace dlog
