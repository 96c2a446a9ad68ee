// What channels tell, in words, and kept in order from whichever thread it comes.
#pragma once

#include <cstddef>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dlog/channel.hpp"

namespace dlog::test {

using Words = std::vector<std::string>;

inline std::string words_of(channel::Reply& reply) {
  if (reply) return "result " + reply.result().dump();
  std::string words = to_string(reply.error().code);
  if (reply.error().code == channel::ErrorCode::refused)
    words += " " + std::to_string(reply.error_number()) + " " + reply.error().reason;
  return words;
}

// To outlive the channels that tell it.
class Heard {
 public:
  void add(std::string words) {
    const std::lock_guard lock(mutex_);
    words_.push_back(std::move(words));
  }
  Words words() const {
    const std::lock_guard lock(mutex_);
    return words_;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return words_.size();
  }
  bool has(const std::string& words) const {
    for (const std::string& one : this->words())
      if (one == words) return true;
    return false;
  }

  // Handlers that add what they are told.
  auto messages() {
    return [this](channel::Json&& message) { add(message.dump()); };
  }
  auto disconnect() {
    return [this] { add("disconnect"); };
  }
  auto errors() {
    return [this](const channel::Error& error) { add(to_string(error.code)); };
  }
  auto drain() {
    return [this] { add("drain"); };
  }
  channel::SendCallback sent(std::string name) {
    return [this, name = std::move(name)](const std::optional<channel::Error>& error) {
      add(name + (error ? std::string(" ") + to_string(error->code) : " sent"));
    };
  }
  channel::ReplyHandler reply(std::string name = {}) {
    return [this, name = std::move(name)](channel::Reply&& reply) {
      add((name.empty() ? "" : name + " ") + words_of(reply));
    };
  }
  void hear_all_of(channel::Channel& channel) {
    channel.on_error(errors());
    channel.on_disconnect(disconnect());
    channel.on_message(messages());
  }

 private:
  mutable std::mutex mutex_{};
  Words words_{};
};

}  // namespace dlog::test
