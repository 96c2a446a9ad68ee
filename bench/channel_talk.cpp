// A parent and a child of one program that talk over dlog::channel: round trips of one message at a time, beside the same lines over a bare
// pair of sockets, and requests that are sent while many wait for their answers. Either side can be node/talk_*.js.
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <dlog/channel.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "child_process.hpp"
#include "options.hpp"
#include "ticks.hpp"

namespace {

using namespace std::chrono_literals;
namespace channel = dlog::channel;
using channel::Json;

Json message(std::uint64_t number) {
  return {
      {"id", number}, {"method", "resize"}, {"params", {{"file", "image_0042.png"}, {"width", 640}, {"height", 480}}}};
}

double at(const std::vector<std::int64_t>& sorted, double share) {
  return static_cast<double>(sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * share)]) / 1e3;
}

// One waits, another says that it is done.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 60s, [&] { return is_open_; })) {
      std::fputs("no answer within 60 s\n", stderr);
      std::_Exit(1);
    }
    is_open_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
};

// The child: what it is sent it sends back; requests are answered with their parameters.
int answer(channel::Channel parent) {
  parent.on_request("echo", [](Json&& params, channel::Responder&& responder) { responder.reply(params); });
  parent.on_message([&parent](Json&& one) { parent.send(one); });
  parent.wait();
  return 0;
}

int answer_bare(int fd) {
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) return 0;
    if (::send(fd, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) return 1;
  }
}

// What a process has used until now, all its threads together; 0: this one.
double cpu_us(std::int64_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(static_cast<pid_t>(pid), &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
    std::fputs("the CPU time cannot be read\n", stderr);
    std::_Exit(1);
  }
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

std::vector<std::int64_t> round_trips(channel::Channel& child, std::size_t count) {
  std::vector<std::int64_t> times;
  times.reserve(count);
  Gate done;
  std::int64_t sent = 0;
  std::uint64_t number = 0;
  child.on_message([&](Json&&) {
    const std::int64_t now = bench::steady_ns();
    times.push_back(now - sent);
    if (times.size() == count) return done.open();
    sent = bench::steady_ns();
    child.send(message(++number));
  });
  sent = bench::steady_ns();
  child.send(message(0));
  done.wait();
  return times;
}

std::vector<std::int64_t> bare_round_trips(std::size_t count) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    std::_Exit(answer_bare(ends[1]));
  }
  ::close(ends[1]);
  std::vector<std::int64_t> times;
  times.reserve(count);
  const std::string line = message(4711).dump() + "\n";
  std::vector<char> buffer(1 << 16);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t sent = bench::steady_ns();
    if (::send(ends[0], line.data(), line.size(), MSG_NOSIGNAL) < 0 ||
        ::read(ends[0], buffer.data(), buffer.size()) <= 0)
      std::abort();
    times.push_back(bench::steady_ns() - sent);
  }
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  return times;
}

// Of one round trip: each side writes and reads the text once.
double json_us(std::size_t count) {
  std::size_t bytes = 0;
  const std::int64_t start = bench::steady_ns();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string there = message(i).dump();
    const std::string back = Json::parse(there).dump();
    bytes += Json::parse(back).size();
  }
  const double took = static_cast<double>(bench::steady_ns() - start);
  return bytes > 0 ? took / 1e3 / static_cast<double>(count) : 0;
}

double requests_a_second(channel::Channel& child, std::uint64_t count, std::uint64_t window) {
  Gate done;
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::function<void()> ask;
  const channel::ReplyHandler take = [&](channel::Reply&& reply) {
    if (!reply) {
      std::fprintf(stderr, "%s\n", reply.error().reason.c_str());
      std::_Exit(1);
    }
    if (++answered == count) return done.open();
    if (sent < count) ask();
  };
  ask = [&] { child.request("echo", {{"number", sent++}}, 30s, take); };
  child.on_message([&](Json&&) {
    for (std::uint64_t i = 0; i < window; ++i) ask();
  });
  const std::int64_t start = bench::steady_ns();
  child.send("go");  // comes back, so that the first requests too are made on the channel's thread
  done.wait();
  return static_cast<double>(count) / (static_cast<double>(bench::steady_ns() - start) / 1e9);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(
      argc, argv,
      {{"round_trips", "20000"}, {"requests", "500000"}, {"window", "256"}, {"spin_us", "default"}, {"node", ""}});
  channel::Limits limits;
  const bool has_spin = options.text("spin_us") != "default";
  if (has_spin) limits.spin = std::chrono::microseconds(options.number("spin_us"));
  if (auto parent = channel::Channel::from_environment({channel::Delivery::thread, limits}))
    return answer(std::move(*parent));
  const std::size_t count = options.number("round_trips");

  std::vector<std::int64_t> bare = bare_round_trips(count);
  const std::string& script = options.text("node");
  std::vector<std::string> args;
  if (!script.empty()) args.push_back(script);
  if (script.empty() && has_spin) args.push_back("--spin_us=" + options.text("spin_us"));
  channel::SpawnOptions how;
  how.limits = limits;
  auto started = channel::spawn(script.empty() ? "/proc/self/exe" : "node", args, how);
  if (!started) {
    std::fprintf(stderr, "%s\n", started.error().reason.c_str());
    return 1;
  }
  channel::Channel& child = started->channel;
  round_trips(child, count / 10);
  const double used_before = cpu_us(0) + cpu_us(started->process.pid());
  std::vector<std::int64_t> times = round_trips(child, count);
  const double used = cpu_us(0) + cpu_us(started->process.pid()) - used_before;
  std::vector<std::int64_t> bare_again = bare_round_trips(count);
  bare.insert(bare.end(), bare_again.begin(), bare_again.end());
  const double json = json_us(count);
  const double requests = requests_a_second(child, options.number("requests"), options.number("window"));
  child.disconnect();
  const auto status = started->process.wait(10s);
  if (!status || status->code != 0) {
    std::fputs("the child did not end well\n", stderr);
    return 1;
  }
  std::sort(times.begin(), times.end());
  std::sort(bare.begin(), bare.end());
  std::printf(
      "{\"bench\": \"channel_talk\", \"p50_us\": %.2f, \"p99_us\": %.2f, \"cpu_us\": %.2f, \"bare_p50_us\": %.2f, "
      "\"bare_p99_us\": %.2f, \"json_us\": %.2f, \"requests_a_second\": %.0f}\n",
      at(times, 0.5), at(times, 0.99), used / static_cast<double>(count), at(bare, 0.5), at(bare, 0.99), json,
      requests);
  return 0;
}
