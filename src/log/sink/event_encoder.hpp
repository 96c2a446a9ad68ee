// Events as the frames of one connection: in the words that the parent understands.
//
// Threads: the log thread. Pure but for what it remembers of the connection. Both ways of speaking are in docs/wire.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dlog/event.hpp"
#include "log/wire/encoder.hpp"

namespace dlog::sink {

class EventEncoder {
 public:
  virtual ~EventEncoder() = default;

  // Appends the frames of a record of this process.
  virtual void add_record(wire::Bytes& out, const Event& event) = 0;
  // Those of a bar. `known` is the bar as it was added last; null: never.
  virtual void add_bar(wire::Bytes& out, const Event& event, const Bar* known) = 0;
  // Does the parent answer? Then these may be used; `greet` comes first.
  virtual bool is_answered() const { return false; }
  virtual void greet(wire::Bytes& /*out*/) {}
  virtual void add_flush(wire::Bytes& /*out*/, bool /*last*/, std::uint64_t /*number*/) {}
  virtual void add_watch(wire::Bytes& /*out*/) {}
  // Records that were added.
  std::uint64_t records() const noexcept { return records_; }
  // What was said once for the whole connection, again: for whoever reads frames without those that came before.
  virtual wire::Bytes said_once() const { return {}; }

 protected:
  std::uint64_t records_ = 0;
};

// Who speaks, as a parent of ours is told.
struct Speaker {
  std::uint32_t pid = 0;
  std::string name{};
  std::string token{};  // of DLOG_PIPE_ID
};

// `id_base` is added to the ids of bars, so that those of two children do not meet in a parent that keeps one table.
std::unique_ptr<EventEncoder> seed_encoder(std::uint64_t id_base);
std::unique_ptr<EventEncoder> extension_encoder(std::uint64_t id_base, Speaker speaker);

}  // namespace dlog::sink
