// Test program: a sink of its own, which prints on stdout whatever it is handed, flushes included.
#include <dlog/dlog.hpp>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

class Printer : public dlog::Sink {
 public:
  void accept(const dlog::Event& event) override {
    const std::string name(event.source.name);
    if (event.record != nullptr) {
      const std::string message(event.record->message);
      const std::string file(event.record->file);
      std::printf("sink record level=%d name=%s id=%d pid=%d time=%d line=%d file=%s message=%s\n",
                  static_cast<int>(event.record->level), name.c_str(), static_cast<int>(event.source.id),
                  static_cast<int>(event.source.pid), event.time_ns > 0 ? 1 : 0, event.record->line > 0 ? 1 : 0,
                  file.substr(file.rfind('/') + 1).c_str(), message.c_str());
    } else if (event.bar != nullptr) {
      std::printf("sink bar state=%d created=%d value=%d total=%d description=%s\n", static_cast<int>(event.bar->state),
                  event.bar->created ? 1 : 0, static_cast<int>(event.bar->value), static_cast<int>(event.bar->total),
                  std::string(event.bar->description).c_str());
    } else {
      std::printf("sink nothing\n");
    }
  }
  void flush() override {
    std::printf("sink flush\n");
    std::fflush(stdout);
  }
};

// Misbehaves: the console must not suffer.
class Thrower : public dlog::Sink {
 public:
  void accept(const dlog::Event&) override { throw std::runtime_error("the sink is full of holes"); }
  void flush() override {}
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "throw") dlog::add_sink(std::make_shared<Thrower>());
  dlog::add_sink(std::make_shared<Printer>());
  dlog::info("first {}", 1);
  dlog::debug("below the level");
  dlog::error("second");
  {
    dlog::ProgressBar bar("Sinking", 10);
    bar.push(10);
  }
  if (mode == "wait") {
    std::printf("address %s\n", dlog::pipe_address().c_str());
    std::fflush(stdout);
    for (int c = std::getchar(); c != '\n' && c != EOF;) c = std::getchar();
  }
  std::printf("flushed %d\n", dlog::flush(std::chrono::seconds{30}) ? 1 : 0);
}
