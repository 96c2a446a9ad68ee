// Victims as processes: see process.hpp.
#include "torture/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "torture/ledger.hpp"

namespace torture {
namespace {

// Descriptors of the victim: where each comes from is moved up first, so that none is overwritten before it is used.
constexpr int first_free_fd = 16;

class Actions {
 public:
  Actions() { posix_spawn_file_actions_init(&actions_); }
  ~Actions() {
    posix_spawn_file_actions_destroy(&actions_);
    for (const int fd : copies_) close(fd);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  void place(int from, int to, int flags) {
    if (from == Start::closed) return;  // close_all() has done it
    if (from < 0) {
      posix_spawn_file_actions_addopen(&actions_, to, "/dev/null", flags, 0);
      return;
    }
    const int copy = fcntl(from, F_DUPFD_CLOEXEC, first_free_fd);
    if (copy < 0) throw std::runtime_error("no descriptor for a victim");
    copies_.push_back(copy);
    posix_spawn_file_actions_adddup2(&actions_, copy, to);
  }
  void leave_closed(int to) { posix_spawn_file_actions_addclose(&actions_, to); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
  std::vector<int> copies_;
};

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

std::vector<std::string> clean_environment() {
  constexpr std::string_view changes_words[] = {
      "NO_COLOR=", "CLICOLOR=", "CLICOLOR_FORCE=", "FORCE_COLOR=", "CI=",   "TERM=",           "TZ=",     "LANG=",
      "LC_ALL=",   "LC_CTYPE=", "COLUMNS=",        "LINES=",       "DLOG_", "GITHUB_ACTIONS=", "TORTURE_"};
  std::vector<std::string> result{"TERM=dumb", "TZ=UTC0", "LC_ALL=C.UTF-8", "DLOG_FORMAT=plain"};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (std::none_of(std::begin(changes_words), std::end(changes_words),
                     [&](auto start) { return text.starts_with(start); }))
      result.emplace_back(text);
  }
  return result;
}

bool Ending::returned(int code) const { return !hung && WIFEXITED(status) && WEXITSTATUS(status) == code; }
bool Ending::killed_by(int signal) const { return !hung && WIFSIGNALED(status) && WTERMSIG(status) == signal; }

std::string Ending::text() const {
  if (hung) return "hung";
  if (WIFSIGNALED(status)) return fmt::format("killed by signal {}", WTERMSIG(status));
  return fmt::format("exit status {}", WEXITSTATUS(status));
}

Process::Process(const Start& start) {
  Actions actions;
  if (start.err == Start::closed) actions.leave_closed(STDERR_FILENO);
  actions.place(start.in, STDIN_FILENO, O_RDONLY);
  actions.place(start.out, STDOUT_FILENO, O_WRONLY);
  actions.place(start.err, STDERR_FILENO, O_WRONLY);
  actions.place(start.ledger, ledger_fd, O_RDONLY);

  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  // Whoever started this tool may ignore some: a victim dies of each.
  sigset_t signals{};
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);

  std::vector<std::string> words{"dlog-torture", "victim"};
  words.insert(words.end(), start.words.begin(), start.words.end());
  std::vector<std::string> environment = clean_environment();
  environment.insert(environment.end(), start.environment.begin(), start.environment.end());
  const int failed = posix_spawn(&pid_, "/proc/self/exe", actions.get(), &attributes, pointers(words).data(),
                                 pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) throw std::runtime_error(fmt::format("cannot start a victim: error {}", failed));
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), over_(other.over_), ending_(other.ending_) {}

Process::~Process() {
  if (pid_ < 0 || over_) return;
  kill_at_once();
  waitpid(pid_, nullptr, 0);
}

void Process::kill_at_once() {
  if (!over_) kill(pid_, SIGKILL);
}

bool Process::ended(int& status) { return waitpid(pid_, &status, WNOHANG) == pid_; }

Ending Process::wait(std::chrono::milliseconds limit) {
  if (over_) return ending_;
  const auto until = std::chrono::steady_clock::now() + limit;
  std::chrono::microseconds nap{50};
  while (!ended(ending_.status)) {
    if (std::chrono::steady_clock::now() >= until) {
      ending_.hung = true;
      kill(-pid_, SIGKILL);  // its own group: what it started goes with it
      waitpid(pid_, &ending_.status, 0);
      break;
    }
    std::this_thread::sleep_for(nap);
    nap = std::min<std::chrono::microseconds>(nap * 2, std::chrono::milliseconds{2});
  }
  over_ = true;
  return ending_;
}

}  // namespace torture
