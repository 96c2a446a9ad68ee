// Test program: detached threads log without an end, and the process exits meanwhile: t_detached <threads> <end>
// end: "return" from main, "exit" from another thread, "quick_exit". Prints how many records each thread had logged when the end began.
#include <dlog/dlog.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int before_end = 200;

struct Late {
  ~Late() { dlog::info("destructor"); }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::puts("t_detached <threads> return|exit|quick_exit");
    return 64;
  }
  static Late late;
  const auto threads = static_cast<std::size_t>(std::atoi(argv[1]));
  const std::string end = argv[2];
  auto* const logged = new std::vector<std::atomic<int>>(threads);  // never deleted: the threads outlive main
  for (std::size_t thread = 0; thread < threads; ++thread) {
    std::thread([logged, thread] {
      for (int i = 0;; ++i) {
        dlog::info("rec t/{} {} {}|", thread, i, std::string(static_cast<std::size_t>(i % 97), 'x'));
        (*logged)[thread] = i + 1;
        (*logged)[thread].notify_all();
      }
    }).detach();
  }
  for (std::atomic<int>& count : *logged) {
    for (int now = count; now < before_end; now = count) count.wait(now);
  }
  for (const std::atomic<int>& count : *logged) std::printf("logged %d\n", count.load());
  std::fflush(stdout);
  if (end == "quick_exit") std::quick_exit(0);
  if (end == "exit") std::thread([] { std::exit(0); }).join();
  return 0;
}
