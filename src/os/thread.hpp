// Starting the log thread; the ends of the others.
#pragma once

#include <string>

namespace dlog::os {

// Runs body(argument) on a thread that is never joined and takes no signals, so that the program's handlers run where they
// always did. Empty: it runs; else the reason why not.
std::string start_thread(const char* name, void (*body)(void*) noexcept, void* argument);

// Has call() called when the calling thread ends, after the destructors of its thread_local objects. Not when the whole process
// ends. There is one such call for each thread. False: the system has no room for it. (C++'s own way, a thread_local object with a
// destructor, ends the process where there is no memory.)
bool at_thread_end(void (*call)()) noexcept;

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
