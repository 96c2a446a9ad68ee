// A forked child that says what it found and leaves at once: no destructors run there, and nobody looks for leaks.
#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "support/fork.hpp"

namespace dlog::test {

// What `body` returned in the child; whatever else it wrote, and an end that is not the usual one, are added to it.
inline std::string said_in_child(const std::function<std::string()>& body) {
  const Ended ended = in_child([&] {
    say(body());
    std::_Exit(0);
  });
  std::string said = ended.out + ended.err;
  if (said.ends_with('\n')) said.pop_back();
  if (ended.signal != 0) said += fmt::format("[signal {}]", ended.signal);
  if (ended.code > 0) said += fmt::format("[code {}]", ended.code);
  return said;
}

}  // namespace dlog::test
