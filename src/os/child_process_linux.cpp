// Starting a program with posix_spawn, and learning of its end by a pidfd: see child_process.hpp.
#include "os/child_process.hpp"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves the declaration to the program

namespace dlog::os {
namespace {

int open_pidfd(std::int64_t pid) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0U));  // close-on-exec by itself
}

bool has_name(std::string_view entry, std::string_view name) noexcept {
  return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
}

std::vector<std::string> environment_for(const StartPlan& plan) {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) entries.emplace_back(*entry);
  for (const auto& [name, value] : plan.environment) {
    std::erase_if(entries, [&](const std::string& entry) { return has_name(entry, name); });
    if (value) entries.push_back(name + "=" + *value);
  }
  return entries;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

class Actions {
 public:
  Actions() noexcept { failed_ = ::posix_spawn_file_actions_init(&actions_); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  void add(int result) noexcept {
    if (failed_ == 0) failed_ = result;
  }
  int failed() const noexcept { return failed_; }
  posix_spawn_file_actions_t* get() noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
  int failed_ = 0;
};

class Attributes {
 public:
  Attributes() noexcept {
    failed_ = ::posix_spawnattr_init(&attributes_);
    sigset_t none{};
    sigset_t pipe{};
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (failed_ == 0) failed_ = ::posix_spawnattr_setsigmask(&attributes_, &none);
    if (failed_ == 0) failed_ = ::posix_spawnattr_setsigdefault(&attributes_, &pipe);
    if (failed_ == 0)
      failed_ = ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  int failed() const noexcept { return failed_; }
  const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
  int failed_ = 0;
};

// A descriptor that is put in its place early must not overwrite one that still has to go elsewhere: all first move out of the way.
Result<std::vector<Descriptor>> above_all_places(const StartPlan& plan) {
  int floor = 3;
  for (const auto& [from, to] : plan.descriptors)
    if (to >= floor) floor = to + 1;
  std::vector<Descriptor> copies;
  for (const auto& [from, to] : plan.descriptors) {
    copies.emplace_back(::fcntl(from, F_DUPFD_CLOEXEC, floor));
    if (!copies.back()) return Error{"descriptor " + std::to_string(from) + ": " + std::strerror(errno)};
  }
  return copies;
}

}  // namespace

Result<StartedProcess> start_process(const StartPlan& plan) {
  // Asked of ourselves first: a child that nobody can wait for must not be started.
  const Descriptor probe(open_pidfd(::getpid()));
  if (!probe) return Error{std::string("pidfd_open: ") + std::strerror(errno)};
  Result<std::vector<Descriptor>> copies = above_all_places(plan);
  if (!copies) return Error{copies.reason()};

  Actions actions;
  for (std::size_t i = 0; i < plan.descriptors.size(); ++i)
    actions.add(::posix_spawn_file_actions_adddup2(actions.get(), (*copies)[i].get(), plan.descriptors[i].second));
  if (!plan.folder.empty()) actions.add(::posix_spawn_file_actions_addchdir_np(actions.get(), plan.folder.c_str()));
  const Attributes attributes;
  if (const int failed = actions.failed() != 0 ? actions.failed() : attributes.failed(); failed != 0)
    return Error{plan.program + ": " + std::strerror(failed)};

  std::vector<std::string> words{plan.program};
  words.insert(words.end(), plan.args.begin(), plan.args.end());
  std::vector<std::string> entries = environment_for(plan);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, plan.program.c_str(), actions.get(), attributes.get(),
                                    pointers_to(words).data(), pointers_to(entries).data());
  if (failed != 0) return Error{plan.program + ": " + std::strerror(failed)};

  StartedProcess started;
  started.pid = pid;
  started.ended = Descriptor(clear_of_standard(open_pidfd(pid)));
  // It has ended, and somebody else in this program has waited for it; its number may be another's.
  if (!started.ended && errno == ESRCH) started.ended = Descriptor(clear_of_standard(::eventfd(1, EFD_CLOEXEC)));
  if (started.ended) return started;
  const std::string reason = std::strerror(errno);
  kill_and_wait(started);
  return Error{"pidfd_open: " + reason};
}

std::optional<ProcessEnd> wait_for(std::int64_t pid) noexcept {
  int status = 0;
  constexpr int interruptions_max = 1000;
  pid_t got = ::waitpid(static_cast<pid_t>(pid), &status, WNOHANG);
  for (int i = 0; got < 0 && errno == EINTR && i < interruptions_max; ++i)
    got = ::waitpid(static_cast<pid_t>(pid), &status, WNOHANG);
  if (got == 0) return std::nullopt;
  ProcessEnd end;
  if (got < 0) {
    end.known = false;
  } else if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
  } else {
    end.code = WEXITSTATUS(status);
  }
  return end;
}

void kill_and_wait(const StartedProcess& process) noexcept {
  const pid_t pid = static_cast<pid_t>(process.pid);
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool send_signal(const StartedProcess& process, int signal) noexcept {
  return process.ended.is_ours() && ::syscall(SYS_pidfd_send_signal, process.ended.get(), signal, nullptr, 0U) == 0;
}

}  // namespace dlog::os
