// Test program: logs a few records and returns from main at once, with nothing between the last call and the end.
#include <dlog/dlog.hpp>

#include <cstdlib>

int main(int argc, char** argv) {
  const char* name = argc > 1 ? argv[1] : "once";
  const int count = argc > 2 ? std::atoi(argv[2]) : 1;
  for (int i = 0; i < count; ++i)
    dlog::info("rec {}/0 {} {}|", name, i, std::string(static_cast<std::size_t>(i % 97), 'x'));
}
