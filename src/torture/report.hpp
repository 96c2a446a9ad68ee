// The table: a row as it ends, the totals at the end; for people, or as JSON, one object a line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "torture/row.hpp"

namespace torture {

struct Totals {
  std::uint64_t rows = 0;
  std::uint64_t deaths = 0;
  std::uint64_t accepted = 0;
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t torn = 0;
  std::uint64_t disorder = 0;
  std::uint64_t hung = 0;
  std::uint64_t unpromised = 0;
  std::vector<std::string> broken;  // rows
  std::vector<std::string> skipped;
  std::vector<std::string> not_run;  // there was no time

  void add(const Row& row, const Result& result);
  bool held() const { return rows > 0 && broken.empty() && not_run.empty(); }
};

// Lines, each with its end.
std::string heading();
std::string table_row(const Row& row, const Result& result);
std::string totals_text(const Totals& totals);
std::string json_row(const Row& row, const Result& result);
std::string totals_json(const Totals& totals);

}  // namespace torture
