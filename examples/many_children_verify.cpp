// A child of many_children: verifies something whose size it does not know.
#include <dlog/dlog.hpp>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

int main(int count, char** arguments) {
  dlog::init({.process_name = "verify"});  // a short name, for it stands before each line
  const std::string what = count > 1 ? arguments[1] : "archive";
  const int speed = count > 2 ? std::atoi(arguments[2]) : 1;
  dlog::info("verifying the {}", what);
  dlog::ProgressBar spinner("Verify " + what);
  for (int i = 0; i < 90; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30 / speed));
    ++spinner;
  }
  spinner.finish();
  dlog::info("the {} is intact", what);
}
