// Test program: threads that log numbered records as fast as they can: t_log_many <threads> <records of each> <name>.
#include <dlog/dlog.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::puts("t_log_many <threads> <records> <name>");
    return 64;
  }
  const int threads = std::atoi(argv[1]);
  const int records = std::atoi(argv[2]);
  const std::string_view name = argv[3];
  // The length changes from record to record, and follows from the number: a torn record does not fit its own number.
  const std::string filler(97, 'x');
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([=, &filler] {
      for (int i = 0; i < records; ++i) {
        dlog::info("rec {}/{} {} {}|", name, thread, i,
                   std::string_view(filler).substr(0, static_cast<std::size_t>(i % 97)));
      }
    });
  }
  for (auto& thread : running) thread.join();
}
