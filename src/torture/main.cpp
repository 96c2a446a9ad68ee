// dlog-torture: kills, forks, floods and starves processes that log with dlog, and counts what their consoles show. Started by
// itself with `victim` as its first word it is one of those processes.
#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "torture/options.hpp"
#include "torture/report.hpp"
#include "torture/row.hpp"
#include "torture/victim.hpp"

namespace torture {
namespace {

constexpr int bad_usage = 2;
// A row in which this many hang is broken, and each one costs its deadline.
constexpr std::uint64_t hung_max = 3;

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const auto& some : {death_rows(), kill_rows(), load_rows(), fault_rows()})
    rows.insert(rows.end(), some.begin(), some.end());
  return rows;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_error(const std::string& text) {
  fmt::print(stderr, "dlog-torture: {}\ndlog-torture --help says more\n", text);
}

// `end`: when this row shall be over, so that the rows behind it have their time.
Result run_row(Session& session, const Row& row, std::chrono::steady_clock::time_point end) {
  Result result;
  const std::uint64_t trials = std::max<std::uint64_t>(1, session.options.trials / row.rarity);
  while (result.trials < trials && result.hung < hung_max && result.skipped.empty()) {
    if (session.over() || (result.trials > 0 && std::chrono::steady_clock::now() >= end)) {
      result.cut_short = true;
      break;
    }
    try {
      result.trials += row.run(session, result, trials - result.trials);
    } catch (const std::exception& error) {  // the tool's own want: nothing can be said of dlog
      ++result.trials;
      ++result.failed;
      result.fault(error.what());
      break;
    }
  }
  if (result.hung >= hung_max) result.cut_short = true;
  return result;
}

bool wanted(const Options& options, const Row& row) {
  return options.only.empty() || std::find(options.only.begin(), options.only.end(), row.name) != options.only.end();
}

int run_rows(const Options& options, std::vector<Row> rows) {
  std::erase_if(rows, [&](const Row& row) { return !wanted(options, row); });
  Session session;
  session.options = options;
  session.end = std::chrono::steady_clock::now() + options.seconds_max;
  Totals totals;
  if (!options.json) print(heading());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    session.row = rows[i].name;
    session.kept = 0;
    const auto now = std::chrono::steady_clock::now();
    const Result result = run_row(session, rows[i], now + (session.end - now) / (rows.size() - i));
    totals.add(rows[i], result);
    print(options.json ? json_row(rows[i], result) : table_row(rows[i], result));
  }
  print(options.json ? totals_json(totals) : totals_text(totals));
  return totals.held() ? 0 : 1;
}

// A thousand children are a thousand connections.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  constexpr rlim_t enough = 4096;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, enough));
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Made where it is not there; else errno says why.
bool is_writable_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return false;
  return access((path + "/.").c_str(), W_OK | X_OK) == 0;
}

int run(const std::vector<std::string>& words) {
  const std::vector<Row> rows = all_rows();
  std::vector<std::string_view> names;
  for (const Row& row : rows) names.push_back(row.name);
  const Parsed parsed = parse(words, names);
  if (!parsed.error.empty()) {
    print_error(parsed.error);
    return bad_usage;
  }
  const Options& options = parsed.options;
  if (options.help) {
    print(usage);
    return 0;
  }
  if (options.list) {
    for (const Row& row : rows) print(fmt::format("{:<22}  {}\n", row.name, row.meaning));
    return 0;
  }
  if (!options.keep_output.empty() && !is_writable_folder(options.keep_output)) {
    print_error(fmt::format("--keep-output: '{}': {}", options.keep_output, std::strerror(errno)));
    return bad_usage;
  }
  raise_descriptor_limit();
  signal(SIGCHLD, SIG_DFL);  // where it is ignored nobody can be waited for
  return run_rows(options, rows);
}

}  // namespace
}  // namespace torture

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  // Not within the try: what a victim throws nobody shall catch.
  if (!words.empty() && words[0] == "victim") return torture::run_victim({words.begin() + 1, words.end()});
  try {
    return torture::run(words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dlog-torture: %s\n", error.what());
    return 1;
  }
}
