// A child of many_children: downloads, with a bar in bytes. Started alone, it has a console of its own.
#include <dlog/dlog.hpp>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

int main(int count, char** arguments) {
  dlog::init({.process_name = "download"});  // a short name, for it stands before each line
  const std::string what = count > 1 ? arguments[1] : "files";
  const int speed = count > 2 ? std::atoi(arguments[2]) : 1;
  constexpr int blocks = 60;
  constexpr int block_bytes = 65'536;
  dlog::info("downloading {}", what);
  dlog::ProgressBar bar("Download " + what, blocks * block_bytes);
  bar.set_unit(dlog::Unit::bytes_iec);
  for (int block = 0; block < blocks; ++block) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50 / speed));
    bar += block_bytes;
    if (block == 25) dlog::warn("{}: the mirror is slow", what);
  }
  bar.finish();
  dlog::info("{}: {} bytes are here", what, blocks * block_bytes);
}
