// The table in words: see report.hpp.
#include "torture/report.hpp"

#include <fmt/format.h>

#include <string_view>

namespace torture {
namespace {

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t place = text.size(); place > 3;) text.insert(place -= 3, 1, ',');
  return text;
}

// Quoted, and with nothing that JSON does not take; bytes that are not ASCII become question marks.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c >= ' ' && c < '\x7f' ? c : '?';
  }
  return result + '"';
}

std::string list(const std::vector<std::string>& words, bool quotes) {
  std::string result;
  for (const std::string& word : words) {
    if (!result.empty()) result += quotes ? "," : ", ";
    result += quotes ? quoted(word) : word;
  }
  return result;
}

const char* verdict(const Result& result) {
  if (!result.skipped.empty()) return "skipped";
  if (result.trials == 0) return "not run";
  return result.held() ? "held" : "BROKEN";
}

std::string milliseconds(const Result& result) {
  if (!result.longest) return "-";
  return fmt::format("{:.1f} ms", static_cast<double>(result.longest->count()) / 1e6);
}

}  // namespace

void Totals::add(const Row& row, const Result& result) {
  if (!result.skipped.empty()) return skipped.push_back(row.name);
  if (result.trials == 0) return not_run.push_back(row.name);
  ++rows;
  deaths += result.deaths;
  accepted += result.accepted;
  lost += result.lost;
  doubled += result.doubled;
  torn += result.torn;
  disorder += result.disorder;
  hung += result.hung;
  unpromised += result.unpromised;
  if (!result.held()) broken.push_back(row.name);
}

std::string heading() {
  return fmt::format("{:<22}{:>8}{:>12}{:>7}{:>8}{:>6}{:>10}{:>6}{:>8}{:>9}{:>12}\n", "row", "trials", "accepted",
                     "lost", "doubled", "torn", "disorder", "hung", "failed", "blocked", "longest");
}

std::string table_row(const Row& row, const Result& result) {
  std::string text = fmt::format("{:<22}{:>8}{:>12}{:>7}{:>8}{:>6}{:>10}{:>6}{:>8}{:>9}{:>12}  {}", row.name,
                                 grouped(result.trials), grouped(result.accepted), grouped(result.lost),
                                 grouped(result.doubled), grouped(result.torn), grouped(result.disorder), result.hung,
                                 result.failed, result.blocked, milliseconds(result), verdict(result));
  if (result.cut_short) text += ", cut short";
  if (!result.skipped.empty()) text += ": " + result.skipped;
  text += '\n';
  if (result.unpromised > 0)
    text += fmt::format("    not promised: {} more {}\n", grouped(result.unpromised), result.unpromised_words);
  for (const std::string& fault : result.faults) text += fmt::format("    {}\n", fault);
  return text;
}

std::string totals_text(const Totals& totals) {
  std::string text =
      fmt::format("\n{} lost of {} accepted over {} deaths; {} doubled, {} torn, {} out of order, {} hung\n",
                  grouped(totals.lost), grouped(totals.accepted), grouped(totals.deaths), grouped(totals.doubled),
                  grouped(totals.torn), grouped(totals.disorder), grouped(totals.hung));
  text += fmt::format("{} rows, {} broken", totals.rows, totals.broken.size());
  if (!totals.broken.empty()) text += ": " + list(totals.broken, false);
  if (!totals.skipped.empty()) text += "; skipped: " + list(totals.skipped, false);
  if (!totals.not_run.empty()) text += "; not run for want of time: " + list(totals.not_run, false);
  return text + '\n';
}

std::string json_row(const Row& row, const Result& result) {
  return fmt::format(
      R"({{"row":{},"verdict":{},"trials":{},"deaths":{},"accepted":{},"lost":{},"doubled":{},"torn":{},"disorder":{},)"
      R"("hung":{},"failed":{},"blocked":{},"longest_ns":{},"unpromised":{},"cut_short":{},"faults":[{}]}})"
      "\n",
      quoted(row.name), quoted(verdict(result)), result.trials, result.deaths, result.accepted, result.lost,
      result.doubled, result.torn, result.disorder, result.hung, result.failed, result.blocked,
      result.longest ? std::to_string(result.longest->count()) : "null", result.unpromised, result.cut_short,
      list(result.faults, true));
}

std::string totals_json(const Totals& totals) {
  return fmt::format(
      R"({{"totals":{{"rows":{},"deaths":{},"accepted":{},"lost":{},"doubled":{},"torn":{},"disorder":{},"hung":{},)"
      R"("unpromised":{},"broken":[{}],"skipped":[{}],"not_run":[{}]}}}})"
      "\n",
      totals.rows, totals.deaths, totals.accepted, totals.lost, totals.doubled, totals.torn, totals.disorder,
      totals.hung, totals.unpromised, list(totals.broken, true), list(totals.skipped, true),
      list(totals.not_run, true));
}

}  // namespace torture
