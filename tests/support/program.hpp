// A program of its own for each test of the runtime, which is one a process: forked, with an environment of its own, and its
// console's lines without what differs from run to run.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/fork.hpp"

namespace dlog::test {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

// Runs `body` in a child called "prog" with these variables, and none of dlog's beside them, in UTC.
Ended run_program(const Variables& variables, const std::function<void()>& body);

// The console's plain lines without date, time and number of process: "INF prog: text".
Words console_of(const Ended& ended);

// Fails the test where the child did not end well; hands its result on.
const Ended& well(const Ended& ended);

// In the child: "set" or "unset", and the value.
std::string variable(const char* name);

}  // namespace dlog::test
