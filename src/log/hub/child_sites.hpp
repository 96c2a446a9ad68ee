// The places in a child's source, as the child numbered them.
//
// Threads: the log thread. Memory: bounded, whatever a child says. Lifetimes: the texts of a place are valid until it is defined
// anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/seeded_hash.hpp"

namespace dlog::hub {

inline constexpr std::uint32_t sites_per_connection_max = 16'384;
inline constexpr std::size_t site_bytes_per_connection_max = std::size_t{4} << 20;  // of all places

class ChildSites {
 public:
  struct Site {
    std::string_view file{};
    std::string_view function{};
    std::uint32_t line = 0;
  };

  // In the place of what had this number before. False: over a limit, or over `bytes_max` for all, and not defined now.
  bool define(std::uint32_t number, const Site& site, std::size_t bytes_max = site_bytes_per_connection_max);
  // What all take, nearly.
  std::size_t bytes() const noexcept { return bytes_; }

  // Empty where it is not defined.
  Site find(std::uint32_t number) const noexcept;

 private:
  struct Entry {
    std::string texts{};  // the file, then the function
    std::uint32_t file_bytes = 0;
    std::uint32_t line = 0;
  };
  static constexpr std::size_t entry_bytes = 96;  // beside its texts
  std::unordered_map<std::uint32_t, Entry, SeededHash> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace dlog::hub
