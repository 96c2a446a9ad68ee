// A parent and a child, both of this program, that talk: messages, and a request with its answer.
#include <dlog/channel.hpp>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

using namespace std::chrono_literals;
namespace channel = dlog::channel;
using channel::Json;

namespace {

int child(channel::Channel parent) {
  parent.on_request("add", [](Json&& params, channel::Responder&& responder) {
    responder.reply(params.at("a").get<int>() + params.at("b").get<int>());
  });
  parent.on_message([&parent](Json&& message) {
    message["seen"] = true;
    parent.send(message);
  });
  parent.wait();  // until the parent disconnects
  return 0;
}

int parent(const char* self) {
  auto started = channel::spawn(self);
  if (!started) {
    std::fprintf(stderr, "%s\n", started.error().reason.c_str());
    return 1;
  }
  channel::Channel& child = started->channel;
  child.on_message([](Json&& message) { std::printf("the child says %s\n", message.dump().c_str()); });
  child.on_error([](const channel::Error& error) { std::fprintf(stderr, "%s\n", error.reason.c_str()); });
  child.send({{"text", "ping"}, {"list", {1, 2, 3}}});
  channel::Reply sum = child.request("add", {{"a", 40}, {"b", 2}}, 5s).get();
  if (sum) std::printf("40 + 2 = %s\n", sum.result().dump().c_str());
  child.disconnect();
  const auto status = started->process.wait(10s);
  std::printf("the child has ended with %d\n", status ? status->code : -1);
  return sum && status && status->code == 0 ? 0 : 1;
}

}  // namespace

int main(int, char** argv) {
  auto from_parent = channel::Channel::from_environment();
  if (from_parent) return child(std::move(*from_parent));
  if (from_parent.error().code != channel::ErrorCode::no_channel) {
    std::fprintf(stderr, "%s\n", from_parent.error().reason.c_str());
    return 1;
  }
  return parent(argv[0]);
}
