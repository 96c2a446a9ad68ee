// Progress bars: absolute and relative, known and unknown total, parts of a whole, every way to end, and records in between.
#include <dlog/dlog.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace {

void work(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

}  // namespace

int main() {
  {
    dlog::ProgressBar bar("Downloading", 50);
    for (int part = 1; part <= 50; ++part) {
      work(20);
      bar.push(part);  // absolute
      if (part % 20 == 0) dlog::info("{} parts are here", part);
    }
    bar.finish();
  }
  {
    dlog::ProgressBar bytes("Unpacking", 3'000'000);
    bytes.set_unit(dlog::Unit::bytes);
    for (int block = 0; block < 30; ++block) {
      work(15);
      bytes += 100'000;  // relative
      bytes.set_message("block " + std::to_string(block + 1));
    }
  }  // the total was reached: finished
  {
    dlog::ProgressBar spinner("Searching");  // no total
    for (int i = 0; i < 40; ++i) {
      work(10);
      ++spinner;
    }
  }
  const std::vector<std::string> files{"a.txt", "b.txt", "c.txt", "d.txt"};
  for (const auto& file : dlog::track(files, "Reading")) {
    dlog::debug("reading {}", file);
    work(80);
  }
  {
    dlog::ProgressBar album("Album", 3);
    for (int number = 1; number <= 3; ++number) {
      // Stands below the album, indented.
      dlog::ProgressBar song("Song " + std::to_string(number), 4'000'000,
                             {.unit = dlog::Unit::bytes_iec, .parent = &album});
      for (int block = 0; block < 20; ++block) {
        work(15);
        song += 200'000;
      }
      ++album;
    }
  }
  dlog::ProgressBar upload("Uploading", 10, {.bar_template = "{desc} {bar:20} {percent} {eta}"});
  work(200);
  upload.push(4);
  upload.fail("connection lost");
}
