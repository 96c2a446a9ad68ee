// Tests of channel/spawn: children get their end of the channel and nothing else of ours, and how they ended is told last.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "channel/two_channels.hpp"
#include "channel/words.hpp"
#include "dlog/channel.hpp"
#include "os/child.hpp"
#include "support/catch.hpp"

namespace {

using namespace dlog::channel;
using namespace dlog::test;
using namespace std::chrono_literals;
using dlog::os::Descriptor;

constexpr auto long_enough = 30s;

Spawned started(Expected<Spawned>&& spawned) {
  if (!spawned) throw std::runtime_error(spawned.error().reason);
  return std::move(*spawned);
}
// Speaks and is spoken to through descriptor 3.
Spawned shell(const std::string& script, const SpawnOptions& options = {}) {
  return started(spawn("/bin/sh", {"-c", script}, options));
}
SpawnOptions with(Delivery delivery) {
  SpawnOptions options;
  options.delivery = delivery;
  return options;
}

std::string words_of(const std::optional<ExitStatus>& status) {
  if (!status) return "runs";
  if (!status->known) return "not known";
  return status->signal != 0 ? "signal " + std::to_string(status->signal) : "code " + std::to_string(status->code);
}

auto exit_words(Heard& heard) {
  return [&heard](ExitStatus status) { heard.add(words_of(status)); };
}

// What the child says in JSON, one after the other, and how it ended.
Words said(Spawned child) {
  Heard heard;
  child.channel.on_message(heard.messages());
  child.process.on_exit(exit_words(heard));
  child.process.wait(long_enough);
  child.channel = Channel();
  child.process = Process();
  return heard.words();
}

std::set<int> descriptors_of(const std::string& process) {
  std::set<int> numbers;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + process + "/fd"))
    numbers.insert(std::stoi(entry.path().filename()));
  return numbers;
}

// No zombie, and no process.
bool is_gone(std::int64_t pid) { return ::kill(static_cast<pid_t>(pid), 0) != 0; }

TEST_CASE("spawn: how a child ended is told, by code or by signal") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    for (const int code : {0, 3, 255}) {
      Spawned child = shell("exit " + std::to_string(code), with(delivery));
      CHECK(child.process.pid() > 0);
      CHECK(words_of(child.process.wait(long_enough)) == "code " + std::to_string(code));
      CHECK(words_of(child.process.exit_status()) == "code " + std::to_string(code));
      CHECK(words_of(child.process.wait(0ms)) == "code " + std::to_string(code));
    }
    Spawned child = shell("kill -TERM $$", with(delivery));
    CHECK(words_of(child.process.wait()) == "signal 15");
  }
}

TEST_CASE("spawn: a program is looked for in PATH, and what is not there is told by its name") {
  CHECK(words_of(started(spawn("true")).process.wait(long_enough)) == "code 0");
  const std::size_t before = open_descriptors();
  for (const char* program : {"/no/such/program", "dlog-no-such-program", "", "/etc/passwd"}) {
    CAPTURE(program);
    Expected<Spawned> child = spawn(program);
    REQUIRE_FALSE(child);
    CHECK(child.error().code == ErrorCode::system);
    CHECK(child.error().reason.find(program) != std::string::npos);
  }
  CHECK(until([&] { return open_descriptors() <= before; }));
}

TEST_CASE("spawn: a folder that is not there is told") {
  SpawnOptions options;
  options.folder = "/no/such/folder";
  Expected<Spawned> child = spawn("true", {}, options);
  REQUIRE_FALSE(child);
  CHECK(child.error().code == ErrorCode::system);
}

TEST_CASE("spawn: an empty process is none") {
  Heard heard;
  Process none;
  CHECK(none.pid() == 0);
  CHECK_FALSE(none.exit_status());
  CHECK_FALSE(none.wait(long_enough));
  none.on_exit(exit_words(heard));
  CHECK_FALSE(none.kill(SIGTERM));
  CHECK(heard.count() == 0);
}

TEST_CASE("spawn: while it runs there is no status, and a signal ends it") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Spawned child = shell("read line <&3", with(delivery));
    CHECK_FALSE(child.process.exit_status());
    CHECK_FALSE(child.process.wait(0ms));
    CHECK_FALSE(child.process.wait(10ms));
    CHECK(child.process.kill(0));
    CHECK(child.process.kill(SIGKILL));
    CHECK(words_of(child.process.wait(long_enough)) == "signal 9");
    CHECK_FALSE(child.process.kill(0));
    CHECK(is_gone(child.process.pid()));
  }
}

TEST_CASE("spawn: messages go both ways, then comes the end of the channel, then that of the child") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    Spawned child =
        shell(R"(echo '"ready"' >&3; read line <&3; echo "{\"got\":$line}" >&3; echo 2 >&3; exit 4)", with(delivery));
    heard.hear_all_of(child.channel);
    child.process.on_exit(exit_words(heard));
    CHECK(child.channel.send({1, "a"}));
    CHECK(words_of(child.process.wait(long_enough)) == "code 4");
    CHECK(until([&] {
      turn(child.channel);
      return heard.count() == 5;
    }));
    CHECK(heard.words() == Words{"\"ready\"", R"({"got":[1,"a"]})", "2", "disconnect", "code 4"});
    CHECK_FALSE(child.channel.connected());
    CHECK(child.channel.wait(long_enough));
  }
}

TEST_CASE("spawn: all that a child says before it ends is delivered") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    std::atomic<int> messages{0};
    Spawned child = shell("i=0; while [ $i -lt 2000 ]; do echo $i >&3; i=$((i+1)); done", with(delivery));
    child.channel.on_message([&](Json&& message) {
      if (message == messages.load()) ++messages;
    });
    child.process.on_exit([&](ExitStatus status) { heard.add(std::to_string(messages) + " " + words_of(status)); });
    CHECK(words_of(child.process.wait(long_enough)) == "code 0");
    CHECK(heard.words() == Words{"2000 code 0"});
  }
}

TEST_CASE("spawn: who asks late for the end of a child is told at once, and once") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    Spawned child = shell("exit 5", with(delivery));
    CHECK(child.process.wait(long_enough));
    child.process.on_exit(exit_words(heard));
    CHECK(until([&] {
      turn(child.channel);
      return heard.count() == 1;
    }));
    child.process.on_exit(exit_words(heard));
    child.channel.on_disconnect(heard.disconnect());
    CHECK(until([&] {
      turn(child.channel);
      return heard.count() == 2;
    }));
    CHECK(heard.words() == Words{"code 5", "disconnect"});
  }
}

TEST_CASE("spawn: a grandchild that holds the channel open does not keep the end back") {
  Heard heard;
  Spawned child = shell("sleep 100 & echo $! >&3; exit 2");
  child.channel.on_message(heard.messages());
  child.channel.on_disconnect(heard.disconnect());
  child.process.on_exit(exit_words(heard));
  CHECK(words_of(child.process.wait(long_enough)) == "code 2");
  CHECK(until([&] { return heard.count() == 3; }));
  REQUIRE(heard.count() == 3);
  CHECK(heard.words()[1] == "disconnect");
  CHECK(heard.words()[2] == "code 2");
  const int grandchild = std::stoi(heard.words()[0]);
  CHECK(::kill(grandchild, SIGKILL) == 0);
}

TEST_CASE("spawn: where somebody else has waited the end is not known") {
  Spawned child = shell("exit 4", with(Delivery::loop));
  const pid_t pid = static_cast<pid_t>(child.process.pid());
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
  CHECK(words_of(child.process.wait(long_enough)) == "not known");
}

// ---- what it is given

TEST_CASE("spawn: a child is told of its channel in its dialect, and of no other") {
  const std::string say =
      R"(echo "\"$NODE_CHANNEL_FD|$NODE_CHANNEL_SERIALIZATION_MODE|$DEKA_IPC_ENABLED|$DEKA_IPC_FD\"" >&3)";
  CHECK(said(shell(say)) == Words{"\"3|json||\"", "code 0"});
  SpawnOptions options;
  options.dialect = Dialect::deka;
  CHECK(said(shell(say, options)) == Words{"\"||1|3\"", "code 0"});
}

TEST_CASE("spawn: Deka's children are spoken to in Deka's dialect") {
  SpawnOptions options;
  options.dialect = Dialect::deka;
  Heard heard;
  Spawned child = shell(R"(read -r line <&3; echo "[$line]" >&3; echo '{"cmd":"NODE_HANDLE","msg":5}' >&3)", options);
  child.channel.on_message(heard.messages());
  child.channel.send({{"a", 1}});
  CHECK(words_of(child.process.wait(long_enough)) == "code 0");
  CHECK(until([&] { return heard.count() == 2; }));
  CHECK(heard.words() == Words{R"([{"cmd":"NODE_HANDLE","msg":{"a":1}}])", "5"});
}

TEST_CASE("spawn: the channel that this process has from its own parent is not handed down") {
  CHECK(said_in_child([] {
          ::setenv("NODE_CHANNEL_FD", "99", 1);
          ::setenv("NODE_CHANNEL_SERIALIZATION_MODE", "advanced", 1);
          ::setenv("DEKA_IPC_ENABLED", "1", 1);
          ::setenv("DEKA_IPC_FD", "98", 1);
          std::string all;
          for (const Dialect dialect : {Dialect::node, Dialect::deka}) {
            SpawnOptions options;
            options.dialect = dialect;
            for (const std::string& words : said(shell(
                     R"(echo "\"$(env | grep -E '^(NODE_CHANNEL|DEKA_IPC)_' | sort | tr '\n' ' ')\"" >&3)", options)))
              all += words + " ";
          }
          return all + ::getenv("NODE_CHANNEL_FD");
        }) ==
        "\"NODE_CHANNEL_FD=3 NODE_CHANNEL_SERIALIZATION_MODE=json \" code 0 \"DEKA_IPC_ENABLED=1 DEKA_IPC_FD=3 \" "
        "code 0 99");
}

TEST_CASE("spawn: variables are set and taken away for the child alone") {
  CHECK(said_in_child([] {
          ::setenv("DLOG_CASE_A", "a", 1);
          ::setenv("DLOG_CASE_B", "b", 1);
          ::setenv("DLOG_CASE_C", "c", 1);
          SpawnOptions options;
          options.environment = {{"DLOG_CASE_A", "new"}, {"DLOG_CASE_B", std::nullopt}, {"DLOG_CASE_D", "d e"}};
          const Words words =
              said(shell(R"(echo "\"$DLOG_CASE_A|${DLOG_CASE_B-none}|$DLOG_CASE_C|$DLOG_CASE_D\"" >&3)", options));
          return words.at(0) + " " + ::getenv("DLOG_CASE_A") + ::getenv("DLOG_CASE_B");
        }) == "\"new|none|c|d e\" ab");
}

TEST_CASE("spawn: a child begins in its folder") {
  SpawnOptions options;
  options.folder = "/usr";
  CHECK(said(shell(R"(echo "\"$(pwd)\"" >&3)", options)) == Words{"\"/usr\"", "code 0"});
  CHECK(said(shell(R"(echo "\"$(pwd)\"" >&3)")) ==
        Words{"\"" + std::filesystem::current_path().string() + "\"", "code 0"});
}

TEST_CASE("spawn: its arguments are its own") {
  CHECK(said(started(spawn("/bin/sh", {"-c", R"(echo "[\"$1\",\"$2\",$#]" >&3)", "name", "two words", "$HOME"}))) ==
        Words{R"(["two words","$HOME",2])", "code 0"});
}

TEST_CASE("spawn: its standard streams may be others than ours") {
  const Ends out = make_pipe();
  const Ends err = make_pipe();
  const TemporaryFile file;
  const Descriptor writing(::open(file.path().c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::write(writing.get(), "from the file", 13) == 13);
  const Descriptor in(::open(file.path().c_str(), O_RDONLY | O_CLOEXEC));
  SpawnOptions options;
  options.standard_input = in.get();
  options.standard_output = out.theirs.get();
  options.standard_error = err.theirs.get();
  CHECK(said(shell("cat; echo to stderr >&2; echo 1 >&3", options)) == Words{"1", "code 0"});
  CHECK(read_now(out.ours) == "from the file");
  CHECK(read_now(err.ours) == "to stderr\n");
  CHECK(dlog::os::is_open(out.theirs.get()));  // stays ours
}

TEST_CASE("spawn: both of its streams may be one of ours, and a stream that is none is told") {
  const Ends both = make_pipe();
  SpawnOptions options;
  options.standard_output = both.theirs.get();
  options.standard_error = both.theirs.get();
  CHECK(said(shell("echo out; echo err >&2", options)) == Words{"code 0"});
  CHECK(read_now(both.ours) == "out\nerr\n");
  options.standard_output = 1'000'000;
  Expected<Spawned> child = spawn("true", {}, options);
  REQUIRE_FALSE(child);
  CHECK(child.error().code == ErrorCode::system);
}

TEST_CASE("spawn: the channel's number may be another than 3, but none of the standard ones") {
  for (const int fd : {4, 7, 9}) {
    SpawnOptions options;
    options.channel_fd = fd;
    CHECK(said(shell("echo $NODE_CHANNEL_FD >&" + std::to_string(fd), options)) == Words{std::to_string(fd), "code 0"});
  }
  for (const int fd : {-1, 0, 2}) {
    SpawnOptions options;
    options.channel_fd = fd;
    Expected<Spawned> child = spawn("true", {}, options);
    REQUIRE_FALSE(child);
    CHECK(child.error().code == ErrorCode::bad_value);
  }
  SpawnOptions options;
  options.channel_fd = 100'000'000;
  Expected<Spawned> child = spawn("true", {}, options);
  REQUIRE_FALSE(child);
  CHECK(child.error().code == ErrorCode::bad_value);
}

TEST_CASE("spawn: of our descriptors a child has its standard streams and its channel, and no more") {
  std::set<int> expected{0, 1, 2, 3};
  // What this process was itself started with by somebody careless is not ours to close.
  for (const int fd : descriptors_of("self"))
    if (fd > 3 && dlog::os::is_open(fd) && !closes_on_exec(fd)) expected.insert(fd);
  TwoChannels others = two_channels(Dialect::node, options_of(Delivery::loop));
  const Descriptor listening = listening_socket();
  Spawned before = shell("read line <&3");
  const Ends pipe = make_pipe();
  ::fcntl(pipe.ours.get(), F_SETFL, 0);  // cat waits
  SpawnOptions options;
  options.standard_input = pipe.ours.get();
  Spawned child = started(spawn("/bin/cat", {}, options));
  const std::string pid = std::to_string(child.process.pid());
  // The kernel closes ours a moment after it let us go on, and the loader has a library open now and then.
  CHECK(until([&] { return descriptors_of(pid) == expected; }));
  child.process.kill(SIGKILL);
  before.process.kill(SIGKILL);
}

TEST_CASE("spawn: what this process opens for it is closed again") {
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 3; ++i) CHECK(words_of(shell("exit 0").process.wait(long_enough)) == "code 0");
  CHECK(until([&] { return open_descriptors() <= before; }));
}

// ---- ends

std::atomic<int> pipe_signals{0};

TEST_CASE("spawn: writing to a child that is gone raises no signal") {
  struct sigaction count {};
  struct sigaction old {};
  count.sa_handler = [](int) { ++pipe_signals; };
  REQUIRE(::sigaction(SIGPIPE, &count, &old) == 0);
  {
    Spawned child = shell("exec 3>&-; read line");
    child.channel.on_disconnect([] {});
    for (int i = 0; i < 1000; ++i) child.channel.send(std::string(1000, 'x'));
    CHECK(until([&] { return !child.channel.connected(); }));
    CHECK_FALSE(child.channel.send(1));
    child.process.kill(SIGKILL);
    CHECK(child.process.wait(long_enough));
  }
  CHECK(pipe_signals == 0);
  ::sigaction(SIGPIPE, &old, nullptr);
}

TEST_CASE("spawn: disconnecting is seen by the child, which may go on and is still waited for") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    Spawned child = shell("while read line <&3; do n=$line; done; exit $n", with(delivery));
    heard.hear_all_of(child.channel);
    child.process.on_exit(exit_words(heard));
    for (int i = 0; i < 10; ++i) child.channel.send(i);
    CHECK(child.channel.disconnect());
    CHECK(words_of(child.process.wait(long_enough)) == "code 9");
    CHECK(heard.words() == Words{"disconnect", "code 9"});
  }
}

TEST_CASE("spawn: a channel that is destroyed ends the talk, and the process is still known") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    Heard heard;
    Spawned child = shell("while read line <&3; do n=$line; done; exit $n", with(delivery));
    child.process.on_exit(exit_words(heard));
    child.channel.send(6);
    child.channel = Channel();
    CHECK(words_of(child.process.wait(long_enough)) == "code 6");
    CHECK(heard.words() == Words{"code 6"});
  }
}

TEST_CASE("spawn: a child whose process is let go of lives on, and its channel with it") {
  Heard heard;
  Spawned child = shell("read line <&3; echo $line >&3; read line <&3");
  const std::int64_t pid = child.process.pid();
  child.process.on_exit(exit_words(heard));
  child.process = Process();
  heard.hear_all_of(child.channel);
  CHECK(child.channel.send(7));
  CHECK(until([&] { return heard.count() == 1; }));
  CHECK_FALSE(is_gone(pid));
  child.channel.disconnect();
  CHECK(until([&] { return heard.count() == 2; }));
  CHECK(heard.words() == Words{"7", "disconnect"});
  CHECK(until([&] { return is_gone(pid); }));
}

TEST_CASE("spawn: a child that nobody holds any more is left alone, and waited for when it ends") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    const Ends pipe = make_pipe();
    Ends life = make_pipe();
    ::fcntl(life.ours.get(), F_SETFL, 0);
    std::int64_t pid = 0;
    {
      SpawnOptions options = with(delivery);
      options.standard_input = life.ours.get();
      options.standard_output = pipe.theirs.get();
      Spawned child = shell("cat <&3 > /dev/null; echo the channel has ended; cat > /dev/null", options);
      pid = child.process.pid();
    }
    CHECK(until([&] { return read_now(pipe.ours) == "the channel has ended\n"; }));
    CHECK_FALSE(is_gone(pid));
    life.theirs.reset();
    CHECK(until([&] { return is_gone(pid); }));
  }
}

TEST_CASE("spawn: whoever hears of the end may let go of all in that call") {
  for (const Delivery delivery : {Delivery::thread, Delivery::loop}) {
    for (int round = 0; round < 10; ++round) {
      std::atomic<bool> gone{false};
      auto child = std::make_unique<Spawned>(shell("exit 0", with(delivery)));
      child->process.on_exit([&](ExitStatus) {
        child.reset();
        gone = true;
      });
      CHECK(until([&] {
        if (delivery == Delivery::loop && !gone) turn(child->channel);
        return gone.load();
      }));
    }
  }
}

TEST_CASE("spawn: a moved process goes on") {
  Heard heard;
  Spawned child = shell("read line <&3; exit 3");
  const std::int64_t pid = child.process.pid();
  Process moved(std::move(child.process));
  CHECK(child.process.pid() == 0);  // NOLINT(bugprone-use-after-move): this is what is tested
  moved.on_exit(exit_words(heard));
  Process again;
  again = std::move(moved);
  CHECK(again.pid() == pid);
  Process& same = again;
  again = std::move(same);
  CHECK(again.pid() == pid);
  child.channel.send(1);
  CHECK(words_of(again.wait(long_enough)) == "code 3");
  CHECK(until([&] { return heard.count() == 1; }));
}

TEST_CASE("spawn: with a loop there is nothing more once the child has been told of") {
  Heard heard;
  Spawned child = shell("echo 1 >&3; exit 1", with(Delivery::loop));
  heard.hear_all_of(child.channel);
  child.process.on_exit(exit_words(heard));
  CHECK(until([&] { return !child.channel.process_ready(); }));
  CHECK(heard.words() == Words{"1", "disconnect", "code 1"});
  CHECK_FALSE(child.channel.process_ready());
}

TEST_CASE("spawn: a socket can be sent to a child that answers by hand") {
  Heard heard;
  // The shell takes no descriptors: the kernel drops what came with the bytes it read, and the child says no.
  Spawned child = shell(
      R"(n=0; while [ $n -lt 4 ] && read line <&3; do n=$((n+1)); echo '{"cmd":"NODE_HANDLE_NACK"}' >&3; done; echo $n >&3)");
  child.channel.on_message(heard.messages());
  child.channel.send("a", Handle(HandleKind::socket, stream_pair().first.release()), heard.sent("handle"));
  CHECK(until([&] { return heard.count() == 2; }));
  CHECK(heard.has("handle handle_lost"));
  CHECK(heard.has("4"));
}

TEST_CASE("spawn: many children at once, each with its own channel") {
  constexpr int count = 10;
  Heard heard;
  std::vector<Spawned> children;
  for (int i = 0; i < count; ++i) {
    children.push_back(shell("read line <&3; echo $line >&3; exit $line"));
    children.back().channel.on_message(heard.messages());
  }
  for (int i = 0; i < count; ++i) children[static_cast<std::size_t>(i)].channel.send(i);
  for (int i = 0; i < count; ++i)
    CHECK(words_of(children[static_cast<std::size_t>(i)].process.wait(long_enough)) == "code " + std::to_string(i));
  CHECK(until([&] { return heard.count() == count; }));
  for (int i = 0; i < count; ++i) CHECK(heard.has(std::to_string(i)));
  children.clear();
}

}  // namespace
