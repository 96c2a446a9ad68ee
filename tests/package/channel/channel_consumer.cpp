// A program outside dlog's build that has both libraries in it and uses every public name of the channel once. Started by itself it is its
// own child.
#include <sys/socket.h>
#include <unistd.h>
#include <dlog/channel.hpp>
#include <dlog/dlog.hpp>

#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "../check.hpp"

namespace {

using namespace std::chrono_literals;
using namespace dlog::channel;

using consumer::checks;
using consumer::failures;

int child(Channel parent) {
  dlog::info("a child with both libraries");
  parent.on_request("half", [](Json&& params, Responder&& responder) {
    if (params.is_number_integer()) {
      responder.reply(params.get<int>() / 2);
    } else {
      responder.fail(7, responder.cancelled() ? "cancelled" : "no number");
    }
  });
  parent.on_message([&parent](Json&& message, Handle&& handle) {
    if (handle && handle.kind() == HandleKind::socket) {
      [[maybe_unused]] const ssize_t put = ::write(handle.fd(), "x", 1);
    }
    parent.send(message);
  });
  return parent.wait() ? 4 : 1;
}

void talk(Channel& channel) {
  std::promise<Json> echoed;
  channel.on_message([&](Json&& message) { echoed.set_value(std::move(message)); });
  channel.on_error([](const Error& error) { std::fprintf(stderr, "%s\n", error.reason.c_str()); });
  channel.on_drain([] {});
  int ends[2];
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  Handle handle(HandleKind::socket, ends[0]);
  Handle copy = handle.duplicate();
  CHECK(copy && copy.kind() == HandleKind::socket);
  ::close(copy.release());
  std::promise<bool> sent;
  CHECK(channel.send({{"text", "both"}, {"n", 1}}, std::move(handle),
                     [&](const std::optional<Error>& error) { sent.set_value(!error); }));
  CHECK(sent.get_future().get());
  char byte = 0;
  CHECK(::read(ends[1], &byte, 1) == 1 && byte == 'x');
  ::close(ends[1]);
  CHECK(echoed.get_future().get() == Json{{"text", "both"}, {"n", 1}});
  Reply reply = channel.request("half", 42, 30s).get();
  CHECK(reply && reply.result() == 21);
  Reply failed = channel.request("half", "x", 30s).get();
  CHECK(!failed && failed.error().code == ErrorCode::refused && failed.error_number() == 7);
  std::promise<ErrorCode> unknown;
  const RequestId id =
      channel.request("none", nullptr, 30s, [&](Reply&& none) { unknown.set_value(none.error().code); });
  CHECK(unknown.get_future().get() == ErrorCode::refused);
  CHECK(!channel.cancel(id));
}

void spawn_child() {
  SpawnOptions options;
  options.dialect = Dialect::deka;
  options.environment.emplace_back("DLOG_JOIN_PARENT", "true");
  Expected<Spawned> spawned = spawn("/proc/self/exe", {}, options);
  CHECK(spawned.has_value());
  if (!spawned) return;
  Channel& channel = spawned->channel;
  Process& process = spawned->process;
  CHECK(channel.connected() && channel.dialect() == Dialect::deka && channel.fd() == -1 && channel.process_ready());
  talk(channel);
  std::promise<void> disconnected;
  std::promise<int> code;
  channel.on_disconnect([&] { disconnected.set_value(); });
  process.on_exit([&](ExitStatus status) { code.set_value(status.code); });
  CHECK(process.pid() > 0 && !process.exit_status());
  channel.unref();
  CHECK(channel.wait());
  channel.ref();
  CHECK(channel.disconnect());
  CHECK(channel.wait(30s) && channel.queued_bytes() == 0);
  disconnected.get_future().get();
  CHECK(code.get_future().get() == 4);
  const std::optional<ExitStatus> status = process.wait(30s);
  CHECK(status && status->known && status->code == 4 && status->signal == 0);
  CHECK(!process.kill(15));
  CHECK(!channel.send(1));
}

void errors() {
  const Expected<Channel> none = Channel::from_environment({.delivery = Delivery::loop, .limits = Limits{}});
  CHECK(!none && none.error().code == ErrorCode::no_channel);
  CHECK(!Channel::from_descriptor(0, Dialect::node));
  CHECK(!spawn("/no/such/program"));
  CHECK(!Channel().connected());
}

}  // namespace

int main() {
  if (Expected<Channel> parent = Channel::from_environment()) return child(std::move(*parent));
  errors();
  spawn_child();
  dlog::info("{} checks, {} failed", checks, failures);
  std::printf("channel_consumer: %d checks, %d failed\n", checks, failures);
  return failures == 0 ? 0 : 1;
}
