// Starting a child with a channel, and its end: see dlog/channel.hpp.
#include <utility>

#include "channel/link.hpp"
#include "channel/live_links.hpp"
#include "channel/variables.hpp"
#include "dlog/channel.hpp"
#include "os/child_process.hpp"
#include "os/message_socket.hpp"

namespace dlog::channel {
namespace {

constexpr int channel_fd_max = 65535;

}  // namespace

Process::Process() noexcept = default;
Process::Process(std::shared_ptr<Link> link) noexcept : link_(std::move(link)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  end();
  link_ = std::move(other.link_);
  return *this;
}
Process::~Process() { end(); }

void Process::end() noexcept {
  if (!link_) return;
  if (!link_->is_left_behind()) link_->release_process();
  Link::let_go(link_);
}

std::int64_t Process::pid() const noexcept { return link_ ? link_->pid() : 0; }
std::optional<ExitStatus> Process::exit_status() const { return link_ ? link_->exit_status() : std::nullopt; }
std::optional<ExitStatus> Process::wait(std::optional<std::chrono::milliseconds> limit) {
  const std::shared_ptr<Link> link = link_;  // a handler may destroy this
  return link ? link->wait_for_exit(limit) : std::nullopt;
}
void Process::on_exit(std::function<void(ExitStatus)> handler) {
  if (link_) link_->on_exit(std::move(handler));
}
bool Process::kill(int signal) noexcept { return link_ && link_->kill(signal); }

Expected<Spawned> spawn(const std::string& program, const std::vector<std::string>& args, const SpawnOptions& options) {
  if (options.channel_fd < 3)
    return Error{ErrorCode::bad_value, "channel_fd: 0, 1 and 2 are the child's standard streams"};
  if (options.channel_fd > channel_fd_max)
    return Error{ErrorCode::bad_value, "channel_fd: at most " + std::to_string(channel_fd_max)};
  const live_links::NoFork no_fork;
  Result<os::SocketPair> pair = os::socket_pair();
  if (!pair) return Error{ErrorCode::system, pair.reason()};
  Expected<std::shared_ptr<Link>> link = Link::create(pair->ours, {options.dialect, options.delivery, options.limits});
  if (!link) return link.error();

  os::StartPlan plan;
  plan.program = program;
  plan.args = args;
  plan.folder = options.folder;
  plan.environment = variables_for(options.dialect, options.channel_fd);
  plan.environment.insert(plan.environment.end(), options.environment.begin(), options.environment.end());
  plan.descriptors.emplace_back(pair->theirs.get(), options.channel_fd);
  const int standard[] = {options.standard_input, options.standard_output, options.standard_error};
  for (int i = 0; i < 3; ++i)
    if (standard[i] >= 0) plan.descriptors.emplace_back(standard[i], i);
  Result<os::StartedProcess> started = os::start_process(plan);
  if (!started) return Error{ErrorCode::system, started.reason()};
  pair->theirs.reset();

  std::optional<Error> error = (*link)->set_process(std::move(*started));
  if (!error) error = (*link)->start();
  if (error) {
    (*link)->kill_and_wait();  // nobody hears it
    return *error;
  }
  Spawned spawned;
  spawned.process = Process(*link);
  spawned.channel = Channel(std::move(*link));
  return spawned;
}

}  // namespace dlog::channel
