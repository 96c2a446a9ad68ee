// Starting the log thread.
#pragma once

#include <string>

namespace dlog::os {

// Runs body(argument) on a thread that is never joined and takes no signals, so that the program's handlers run where they
// always did. Empty: it runs; else the reason why not.
std::string start_thread(const char* name, void (*body)(void*) noexcept, void* argument);

// Blocks SIGPIPE for the calling thread and takes back a pending one: for writing to the console outside the log thread.
class SigpipeBlocked {
 public:
  SigpipeBlocked() noexcept;
  ~SigpipeBlocked();
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

 private:
  bool ours_ = false;     // a signal that is pending at the end is ours
  bool unblock_ = false;  // it was not blocked before
};

}  // namespace dlog::os
