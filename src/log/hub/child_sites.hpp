// The places in a child's source, as the child numbered them.
//
// Threads: the log thread. Memory: bounded, whatever a child says. Lifetimes: the texts of a place are valid until it is defined
// anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dlog::hub {

inline constexpr std::uint32_t sites_per_connection_max = 16'384;
inline constexpr std::size_t site_bytes_per_connection_max = std::size_t{4} << 20;  // of all texts

class ChildSites {
 public:
  struct Site {
    std::string_view file{};
    std::string_view function{};
    std::uint32_t line = 0;
  };

  // In the place of what had this number before. False: over a limit, and not defined now.
  bool define(std::uint32_t number, const Site& site);

  // Empty where it is not defined.
  Site find(std::uint32_t number) const noexcept;

 private:
  struct Entry {
    std::string texts{};  // the file, then the function
    std::uint32_t file_bytes = 0;
    std::uint32_t line = 0;
  };
  std::vector<Entry> entries_;  // number 1 is the first
  std::size_t bytes_ = 0;       // of their texts
};

}  // namespace dlog::hub
