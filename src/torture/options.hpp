// What dlog-torture was asked for. Errors: values, with a sentence that names the bad word.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "torture/sabotage.hpp"

namespace torture {

inline constexpr std::uint64_t trials_max = 1'000'000;
inline constexpr std::uint64_t seconds_max_max = 7 * 86'400;
inline constexpr std::uint64_t deadline_s_max = 3'600;

struct Options {
  std::uint64_t trials = 100;
  std::vector<std::string> only;  // rows; empty: all
  std::chrono::seconds seconds_max{600};
  std::chrono::seconds deadline{20};  // of one trial
  std::string keep_output;            // a folder; empty: nothing is kept
  std::string sabotage;               // a mode's name, for the victims; empty: none
  bool list = false;
  bool help = false;
  bool json = false;
};

struct Parsed {
  Options options;
  std::string error;  // empty: all is well
};

// `known` are the names of the rows.
Parsed parse(const std::vector<std::string>& words, const std::vector<std::string_view>& known);

extern const char* const usage;

}  // namespace torture
