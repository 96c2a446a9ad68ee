// Calls in the kinds of places where two of them might be taken for one: in inline functions, templates, lambdas and macros, seen
// by several sources. Each says its own number.
#pragma once

#include <string_view>

#include "dlog/log.hpp"

namespace dlog::test {

#define DLOG_TEST_TWO_CALLS(words)   \
  do {                               \
    dlog::info("macro one " words);  \
    dlog::info("macro two " words);  \
    dlog::debug("macro two " words); \
  } while (false)

inline void log_inline(int x) {
  dlog::info("inline one {}", x);
  dlog::info("inline two {}", x);
}

template <class T>
void log_template(T value) {
  dlog::info("template {}", value.number);
  dlog::info(T::words, 1);  // another text for each type
  dlog::info("the same for all");
}
struct First {
  int number = 1;
  static constexpr std::string_view words = "first {}";
};
struct Second {
  int number = 2;
  static constexpr std::string_view words = "second {}";
};

struct Inline {
  void member() {
    dlog::info("member");
    const auto lambda = [](int x) { dlog::info("lambda in a member {}", x); };
    lambda(1);
    [](auto x) { dlog::info("generic lambda {}", x); }(2);
  }
};

inline void log_everywhere() {
  log_inline(1);
  log_template(First{});
  log_template(Second{});
  Inline{}.member();
  DLOG_TEST_TWO_CALLS("in a header");
}

inline constexpr std::string_view said_everywhere[] = {"INF inline one 1",
                                                       "INF inline two 1",
                                                       "INF template 1",
                                                       "INF first 1",
                                                       "INF the same for all",
                                                       "INF template 2",
                                                       "INF second 1",
                                                       "INF the same for all",
                                                       "INF member",
                                                       "INF lambda in a member 1",
                                                       "INF generic lambda 2",
                                                       "INF macro one in a header",
                                                       "INF macro two in a header",
                                                       "DBG macro two in a header"};

// In another source, whose calls have the same places among its calls as those of the first.
void log_in_another_source();
void log_in_the_first_source();

}  // namespace dlog::test
