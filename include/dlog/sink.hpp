// Sinks of one's own: they are handed every event that the console is handed, after the level filter.
//
// Threads: add_sink() from any thread, at any time, also before dlog is started; accept() and flush() are called on the log
// thread only. Lifetimes: a sink is held until the process ends. Errors: a sink that throws is told of once and stays. Logging
// inside a sink is allowed and never waits; a sink that answers every record with a record never ends. A sink may end the process
// with exit(): what waits is written to the console, the sinks are not called again. Forks: the child of fork() calls the sinks
// as well, unless the log thread did not leave them within 100 ms, or one of them forked; a child of _Fork() or clone() never does; it
// says so.
#pragma once

#include <memory>

#include "dlog/event.hpp"

#pragma GCC visibility push(default)  // the attribute of a namespace does not reach definitions elsewhere in clang
namespace dlog {

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void accept(const Event& event) = 0;
  // Write what is held back: called after each batch of events, and by dlog::flush().
  virtual void flush() = 0;
};

// Everything logged by this thread after the call reaches the sink.
void add_sink(std::shared_ptr<Sink> sink);

}  // namespace dlog
#pragma GCC visibility pop
