// A child of many_children: compiles on two threads that share a bar.
#include <dlog/dlog.hpp>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

int main(int count, char** arguments) {
  dlog::init({.process_name = "compile"});  // a short name, for it stands before each line
  const std::string what = count > 1 ? arguments[1] : "program";
  const int speed = count > 2 ? std::atoi(arguments[2]) : 1;
  constexpr int files = 80;
  dlog::info("compiling {}, {} files", what, files);
  dlog::ProgressBar bar("Compile " + what, files);
  const auto work = [&](int first) {
    for (int file = first; file < files; file += 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(60 / speed));
      ++bar;
      if (file % 20 == 0) dlog::debug("{}: compiled file_{}.cpp", what, file);
    }
  };
  std::thread even(work, 0);
  std::thread odd(work, 1);
  even.join();
  odd.join();
  dlog::info("{} is compiled", what);
}
