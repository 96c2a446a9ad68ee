// All channels of this process, for the child of a fork() to let go of.
//
// Any thread.
#pragma once

namespace dlog::channel {
class Link;
}

namespace dlog::channel::live_links {

// No fork while one of these lives: a socket that is not a channel's yet would stay open in the child.
class NoFork {
 public:
  NoFork();
  ~NoFork();
  NoFork(const NoFork&) = delete;
  NoFork& operator=(const NoFork&) = delete;
};

void add(Link& link);
void remove(Link& link) noexcept;

}  // namespace dlog::channel::live_links
