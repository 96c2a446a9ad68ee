// All channels of this process: see live_links.hpp.
#include "channel/live_links.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <new>
#include <vector>

#include "channel/link.hpp"
#include "os/process.hpp"

namespace dlog::channel::live_links {
namespace {

struct All {
  std::recursive_mutex& mutex() { return mutexes[generation % mutexes.size()]; }

  std::array<std::recursive_mutex, 8> mutexes{};
  std::size_t generation = 0;  // of forks
  std::vector<Link*> links{};
};

// Never destroyed: a channel may live as long as the process.
All& all() {
  static All& one = *new All();
  return one;
}

void before_fork() { all().mutex().lock(); }
void in_parent() { all().mutex().unlock(); }
void in_child() {
  for (Link* link : all().links) link->leave_behind();
  all().links.clear();
  // Its owner has another number here, and could not unlock it. Not made anew where it stands: ThreadSanitizer would take it for locked.
  ++all().generation;
  new (&all().mutex()) std::recursive_mutex;
}

void watch_forks() { [[maybe_unused]] static const bool watched = os::around_forks(before_fork, in_parent, in_child); }

}  // namespace

NoFork::NoFork() {
  watch_forks();
  all().mutex().lock();
}
NoFork::~NoFork() { all().mutex().unlock(); }

void add(Link& link) {
  watch_forks();
  const std::lock_guard lock(all().mutex());
  all().links.push_back(&link);
}

void remove(Link& link) noexcept {
  const std::lock_guard lock(all().mutex());
  std::erase(all().links, &link);
}

}  // namespace dlog::channel::live_links
