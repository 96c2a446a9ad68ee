// Judging what was counted: see row.hpp.
#include "torture/row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace torture {
namespace {

constexpr std::size_t faults_max = 5;

}  // namespace

void Result::fault(std::string text) {
  if (faults.size() < faults_max) faults.push_back(std::move(text));
}

std::uint64_t Session::magnitude(std::uint64_t least, std::uint64_t most) {
  std::uniform_real_distribution<double> exponent(std::log(static_cast<double>(least)),
                                                  std::log(static_cast<double>(most) + 1));
  return std::clamp(static_cast<std::uint64_t>(std::exp(exponent(random))), least, most);
}

std::uint64_t Session::between(std::uint64_t least, std::uint64_t most) {
  return std::uniform_int_distribution<std::uint64_t>(least, most)(random);
}

std::string Session::keep(std::string_view what) {
  if (options.keep_output.empty()) return {};
  return fmt::format("{}/{}-{:04}-{}.txt", options.keep_output, row, ++kept, what);
}

std::vector<std::string> Session::environment() const {
  if (options.sabotage.empty()) return {};
  return {fmt::format("{}={}", sabotage_variable, options.sabotage)};
}

void judge_source(Result& result, const Tally& tally, std::size_t source, std::uint64_t accepted) {
  const Tally::Source& shown = tally.source(source);
  result.accepted += accepted;
  result.doubled += shown.doubled;
  result.disorder += shown.late;
  if (shown.different >= accepted) return;
  const std::uint64_t lost = accepted - shown.different;
  result.lost += lost;
  const auto gap = std::find(shown.seen.begin(), shown.seen.end(), false) - shown.seen.begin();
  result.fault(fmt::format("source {}: {} of {} missing, the first is {}", source, lost, accepted, gap));
}

void judge_lines(Result& result, const Tally& tally) {
  result.torn += tally.torn();
  for (const std::string& fault : tally.faults()) result.fault(fault);
}

void judge_console(Result& result, const Tally& tally) {
  judge_lines(result, tally);
  if (tally.rest().empty()) return;
  ++result.torn;
  result.fault(fmt::format("the last line has no end: {}", tally.rest().substr(0, 100)));
}

void judge_ending(Result& result, std::string_view who, const Ending& ending, int expected) {
  ++result.deaths;
  if (ending.hung) ++result.hung;
  else if (expected == 0 ? ending.returned(0) : ending.killed_by(expected)) return;
  else ++result.failed;
  result.fault(fmt::format("{}: {}", who, ending.text()));
}

}  // namespace torture
