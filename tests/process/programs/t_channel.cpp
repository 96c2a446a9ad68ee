// Test program: one end of a channel. What it does it is told by lines of its stdin and by messages, {"do":...}; what comes to pass it
// says in lines of JSON, a child on stderr, a parent on stdout. tests/process/node/peer.js is the same in Node's words.
//   t_channel child [option...]
//   t_channel parent [option...] <program> [arguments...]
// Options: deka (a parent's dialect), loop (Delivery::loop), late (no handler of messages until it is told "hear"),
// line=<bytes> and queue=<bytes> (Limits).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <dlog/channel.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace channel = dlog::channel;
using channel::Error;
using channel::ErrorCode;
using channel::Handle;
using channel::HandleKind;
using channel::Json;

namespace {

HandleKind kind_named(const std::string& name) {
  for (const HandleKind kind : {HandleKind::server, HandleKind::socket, HandleKind::datagram, HandleKind::native})
    if (name == to_string(kind)) return kind;
  return HandleKind::none;
}

Json told(const Error& error) { return {{"code", to_string(error.code)}, {"reason", error.reason}}; }

void write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t put = ::write(fd, text.data() + done, text.size() - done);
    if (put <= 0) return;
    done += static_cast<std::size_t>(put);
  }
}

int loopback_socket(int type, int port_to_connect, int& port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_to_connect));
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  const bool done = port_to_connect != 0
                        ? ::connect(fd, generic, size) == 0
                        : ::bind(fd, generic, size) == 0 && (type != SOCK_STREAM || ::listen(fd, 512) == 0);
  if (!done) std::abort();
  ::getsockname(fd, generic, &size);
  port = ntohs(address.sin_port);
  return fd;
}

class Peer {
 public:
  explicit Peer(bool is_child) : is_child_(is_child) {}

  void say(const Json& what) {
    const std::string line = what.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    const std::lock_guard lock(saying_);
    write_all(is_child_ ? 2 : 1, line);
  }

  void set(channel::Channel opened, channel::Process started) {
    channel_ = std::move(opened);
    process_ = std::move(started);
  }
  void start(bool late) {
    channel_.on_error([this](const Error& error) { take_error(error); });
    channel_.on_disconnect([this] { say({{"disconnect", true}}); });
    channel_.on_drain([this] { say({{"drain", {{"sent", sent_.load()}, {"refused", refused()}}}}); });
    if (!is_child_) {
      process_.on_exit([this](channel::ExitStatus status) {
        say({{"exit", {{"code", status.code}, {"signal", status.signal}, {"known", status.known}}}});
      });
    }
    if (!late) hear();
    std::thread([this] { read_commands(); }).detach();
  }
  int run(bool by_loop) {
    if (by_loop) turn_loop();
    channel_.wait();
    if (!leaves_ && !is_child_) process_.wait();
    const std::lock_guard lock(obeying_);
    channel_ = {};
    return leaves_ ? code_.load() : 0;
  }

 private:
  void hear() {
    channel_.on_message([this](Json&& message, Handle&& handle) { take(std::move(message), std::move(handle)); });
  }

  void turn_loop() {
    while (!leaves_) {
      pollfd waits[2] = {{channel_.fd(), POLLIN, 0}, {woken_[0], POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0) continue;
      if (!channel_.process_ready()) return;
    }
  }

  void read_commands() {
    std::string kept;
    std::vector<char> piece(1 << 16);
    for (;;) {
      const ssize_t got = ::read(0, piece.data(), piece.size());
      if (got <= 0) return;
      kept.append(piece.data(), static_cast<std::size_t>(got));
      const std::lock_guard lock(obeying_);  // what came together is done before the end
      for (std::size_t end = kept.find('\n'); end != std::string::npos; end = kept.find('\n')) {
        if (end > 0) obey(Json::parse(kept.substr(0, end)), false);
        kept.erase(0, end + 1);
      }
    }
  }

  void take_error(const Error& error) {
    if (error.code == ErrorCode::handle_lost && error.reason.find("without") != std::string::npos && losses_left_ > 0 &&
        --losses_left_ == 0)
      set_descriptor_limit(limit_before_);
    say({{"error", told(error)}});
  }

  void take(Json&& message, Handle&& handle) {
    if (message.is_object() && message.contains("do")) {
      obey(message, true);
      return;
    }
    if (expected_ > 0 && message.is_object() && message.contains("n")) {
      take_numbered(message.at("n").get<int>());
      if (handle) serve(std::move(handle));
      return;
    }
    if (handle) {
      say({{"handle", to_string(handle.kind())}, {"message", message}});
      serve(std::move(handle));
    } else if (echoes_) {
      channel_.send(message);
    } else {
      say({{"message", message}});
    }
  }

  void take_numbered(int number) {
    if (number != next_) say({{"disorder", {{"due", next_.load()}, {"came", number}}}});
    next_ = number + 1;
    if (next_ < expected_) return;
    expected_ = 0;
    say({{"got_all", next_.load()}});
  }

  // ---- open sockets

  // Node's sockets do not wait; and it is not for one of those that share a socket to change that.
  static void await_readable(const Handle& handle) {
    pollfd waits{handle.fd(), POLLIN, 0};
    while (::poll(&waits, 1, -1) < 0) {
    }
  }

  // Answers who sends something, until he ends.
  void serve(Handle handle) {
    std::thread([this, held = std::move(handle)]() mutable {
      const std::string name = is_child_ ? "cpp child " : "cpp parent ";
      std::vector<char> piece(1 << 16);
      if (held.kind() == HandleKind::datagram) {
        sockaddr_storage from{};
        for (;;) {
          socklen_t size = sizeof from;
          auto* generic = reinterpret_cast<sockaddr*>(&from);
          await_readable(held);
          const ssize_t got = ::recvfrom(held.fd(), piece.data(), piece.size(), 0, generic, &size);
          if (got < 0) continue;  // somebody else has read it
          const std::string text = name + std::string(piece.data(), static_cast<std::size_t>(got));
          ::sendto(held.fd(), text.data(), text.size(), MSG_NOSIGNAL, generic, size);
        }
      }
      int listens = 0;
      socklen_t option_size = sizeof listens;
      ::getsockopt(held.fd(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &option_size);
      if (listens != 0) {
        for (;;) {
          await_readable(held);
          Handle connection(HandleKind::socket, ::accept4(held.fd(), nullptr, nullptr, SOCK_CLOEXEC));
          if (!connection) continue;  // somebody else has it
          serve(std::move(connection));
        }
      }
      for (;;) {
        await_readable(held);
        const ssize_t got = ::recv(held.fd(), piece.data(), piece.size(), 0);
        if (got <= 0) return;
        const std::string text = name + std::string(piece.data(), static_cast<std::size_t>(got));
        if (::send(held.fd(), text.data(), text.size(), MSG_NOSIGNAL) < 0) return;
      }
    }).detach();
  }

  // Hands every connection to the other side, each after a plain message; both are numbered.
  void pass_on(int server) {
    std::thread([this, server] {
      for (int number = 0;; number += 2) {
        const int connection = ::accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) return;
        channel_.send({{"n", number}});
        channel_.send({{"n", number + 1}}, Handle(HandleKind::socket, connection));
      }
    }).detach();
  }

  // ---- commands

  void obey(const Json& command, bool by_message) {
    Json answer{{"id", command.value("id", 0)}};
    if (!obey_named(command.at("do").get<std::string>(), command, answer)) return;
    if (by_message) {
      channel_.send(answer);
    } else {
      say({{"reply", answer}});
    }
  }

  // False: there is no answer to it.
  bool obey_named(const std::string& name, const Json& command, Json& answer) {
    if (name == "send") {
      send(command);
      return false;
    }
    if (name == "flood") {
      const std::string pad(command.value("size", std::size_t{0}), 'x');
      const int count = command.at("count");
      for (int i = 0; i < count && channel_.connected(); ++i)
        pad.empty() ? channel_.send({{"n", i}}) : channel_.send({{"n", i}, {"pad", pad}});
      say({{"flooded", count}});
      return false;
    }
    if (name == "fill") {
      std::thread([this, command] { fill(command); }).detach();
      return false;
    }
    if (name == "expect") {
      next_ = 0;
      expected_ = command.at("count");
    } else if (name == "echo") {
      echoes_ = command.at("on");
    } else if (name == "hear") {
      hear();
    } else if (name == "disconnect") {
      channel_.disconnect();
      return false;
    } else if (name == "exit") {
      code_ = command.value("code", 0);
      leave();
      return false;
    } else if (name == "kill") {
      ::kill(::getpid(), command.at("signal").get<int>());
      return false;
    } else if (name == "kill_child") {
      answer["done"] = process_.kill(command.at("signal").get<int>());
    } else if (name == "pid") {
      answer["pid"] = is_child_ ? ::getpid() : process_.pid();
    } else if (name == "connected") {
      answer["connected"] = channel_.connected();
    } else if (name == "listen" || name == "udp" || name == "connect") {
      open_socket(name, command, answer);
    } else if (name == "limit") {
      limit_descriptors(command);
    } else if (name == "unlimit") {
      set_descriptor_limit(limit_before_);
    } else if (name == "block") {
      say({{"blocks", true}});  // until somebody opens the other end
      ::close(::open(command.at("path").get<std::string>().c_str(), O_RDONLY | O_CLOEXEC));
    } else if (name == "look") {
      look(answer);
    } else if (name == "fork") {
      answer["pid"] = fork_and_stay();
    } else if (name == "spawn") {
      spawn_other(command, answer);
    } else {
      answer["unknown"] = name;
    }
    return true;
  }

  void send(const Json& command) {
    channel::SendCallback done;
    if (command.contains("tell")) {
      done = [this, word = command["tell"]](const std::optional<Error>& error) {
        say({{"sent", word}, {"failure", error ? told(*error) : Json()}});
      };
    }
    if (!command.contains("handle")) {
      channel_.send(command.at("message"), std::move(done));
      return;
    }
    const auto [kind, fd] = open_.at(command["handle"].get<std::string>());
    const bool keeps = command.value("keepOpen", false);
    if (!keeps) open_.erase(command["handle"].get<std::string>());
    const std::string as = command.value("as", std::string());
    Handle handle(as.empty() ? kind : kind_named(as), keeps ? ::fcntl(fd, F_DUPFD_CLOEXEC, 3) : fd);
    channel_.send(command.at("message"), std::move(handle), std::move(done));
  }

  // Sends until a message is not taken, or so many are.
  void fill(const Json& command) {
    Json answer;
    const std::string pad(command.at("size").get<std::size_t>(), 'x');
    const int count_max = command.at("count");
    sent_ = 0;
    bool had_room = true;
    std::size_t most = 0;
    int number = 0;
    for (; number < count_max && refused().empty(); ++number) {
      const bool room = channel_.send({{"n", number}, {"pad", pad}}, [this, number](const std::optional<Error>& error) {
        ++sent_;
        if (!error) return;
        const std::lock_guard lock(mutex_);
        refused_.push_back({{"n", number}, {"code", to_string(error->code)}});
      });
      most = std::max(most, channel_.queued_bytes());
      if (had_room && !room) answer["no_room"] = {{"n", number}, {"queued", channel_.queued_bytes()}};
      had_room = had_room && room;
    }
    answer["most"] = most;
    answer["count"] = number;
    say({{"filled", answer}});
  }

  Json refused() {
    const std::lock_guard lock(mutex_);
    return refused_;
  }

  void leave() {
    leaves_ = true;
    channel_.unref();
    write_all(woken_[1], "x");
  }

  void open_socket(const std::string& name, const Json& command, Json& answer) {
    int port = 0;
    const int fd = loopback_socket(name == "udp" ? SOCK_DGRAM : SOCK_STREAM, command.value("port", 0), port);
    answer["port"] = port;
    if (name == "listen" && command.value("as", std::string()) == "pass") {
      pass_on(fd);
      return;
    }
    const HandleKind kind = name == "udp"      ? HandleKind::datagram
                            : name == "listen" ? HandleKind::server
                                               : HandleKind::socket;
    open_[command.at("name")] = {kind, fd};
  }

  // The next descriptor that is opened here is one too many; until so many handles did not arrive.
  void limit_descriptors(const Json& command) {
    losses_left_ = command.value("losses", 0);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit_before_ = limit.rlim_cur;
    const int next = ::dup(0);
    ::close(next);
    set_descriptor_limit(static_cast<rlim_t>(next));
  }
  static void set_descriptor_limit(rlim_t now) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = now;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) std::abort();
  }

  // What a program that is started here finds.
  static void look(Json& answer) {
    std::string text;
    if (FILE* pipe = ::popen("env; ls -l /proc/self/fd", "r")) {
      std::array<char, 4096> piece{};
      for (std::size_t got = 0; (got = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
        text.append(piece.data(), got);
      ::pclose(pipe);
    }
    answer["text"] = text;
  }

  // A child without exec that outlives this program.
  int fork_and_stay() {
    const int pid = ::fork();
    if (pid != 0) return pid;
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
    // It has no channel, whatever it asks of it.
    if (channel_.send("from a fork") || channel_.connected() || channel_.disconnect()) ::_exit(1);
    for (;;) ::pause();
  }

  // A second child, which is left alone.
  static void spawn_other(const Json& command, Json& answer) {
    static std::map<std::int64_t, channel::Spawned> others;
    auto started = channel::spawn(command.at("program"), command.at("args").get<std::vector<std::string>>());
    if (!started) {
      answer["error"] = told(started.error());
      return;
    }
    answer["pid"] = started->process.pid();
    others.emplace(started->process.pid(), std::move(*started));
  }

  const bool is_child_;
  channel::Channel channel_{};
  channel::Process process_{};
  std::mutex saying_{};
  std::mutex obeying_{};
  std::mutex mutex_{};
  std::map<std::string, std::pair<HandleKind, int>> open_{};
  Json refused_ = Json::array();
  std::atomic<int> sent_{0};
  std::atomic<bool> echoes_{is_child_};
  std::atomic<int> expected_{0};
  std::atomic<int> next_{0};
  std::atomic<int> losses_left_{0};
  std::atomic<rlim_t> limit_before_{0};
  std::atomic<bool> leaves_{false};
  std::atomic<int> code_{0};
  const std::array<int, 2> woken_ = [] {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    return ends;
  }();
};

bool take_word(std::vector<std::string>& words, const std::string& word) { return std::erase(words, word) > 0; }

std::size_t take_number(std::vector<std::string>& words, const std::string& name, std::size_t otherwise) {
  const auto found =
      std::find_if(words.begin(), words.end(), [&](const std::string& w) { return w.starts_with(name); });
  if (found == words.end()) return otherwise;
  const std::size_t number = std::stoull(found->substr(name.size()));
  words.erase(found);
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::puts("t_channel child|parent [deka|loop|late|line=<bytes>|queue=<bytes>...] [<program> [arguments...]]");
    return 64;
  }
  const bool is_child = std::string(argv[1]) == "child";
  // Options stand before the program.
  std::vector<std::string> words(argv + 2, argv + argc);
  const auto is_option = [](const std::string& word) {
    return word == "deka" || word == "loop" || word == "late" || word.starts_with("line=") ||
           word.starts_with("queue=");
  };
  const auto after = std::find_if_not(words.begin(), words.end(), is_option);
  std::vector<std::string> command(after, words.end());
  words.erase(after, words.end());

  channel::SpawnOptions options;
  if (take_word(words, "deka")) options.dialect = channel::Dialect::deka;
  const bool by_loop = take_word(words, "loop");
  const bool late = take_word(words, "late");
  if (by_loop) options.delivery = channel::Delivery::loop;
  options.limits.line_bytes_max = take_number(words, "line=", options.limits.line_bytes_max);
  options.limits.queue_bytes_max = take_number(words, "queue=", options.limits.queue_bytes_max);

  Peer& peer = *new Peer(is_child);  // the threads that serve may be at work when main() returns
  if (is_child) {
    auto opened = channel::Channel::from_environment({options.delivery, options.limits});
    if (!opened) {
      peer.say({{"open", told(opened.error())}, {"variable", std::getenv("NODE_CHANNEL_FD") != nullptr}});
      return 3;
    }
    peer.set(std::move(*opened), {});
  } else {
    const std::string program = command.at(0);
    command.erase(command.begin());
    options.standard_input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    auto started = channel::spawn(program, command, options);
    ::close(options.standard_input);
    if (!started) {
      peer.say({{"open", told(started.error())}});
      return 3;
    }
    peer.set(std::move(started->channel), std::move(started->process));
  }
  peer.start(late);
  return peer.run(by_loop);
}
