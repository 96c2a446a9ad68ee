// A plug-in with a dlog of its own, linked statically and hidden, or in a shared library: t_copies loads it. T_COPY_EARLY: it logs while
// it is loaded.
#include <dlog/dlog.hpp>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

namespace {

struct Loaded {
  bool logs = std::getenv("T_COPY_EARLY") != nullptr;
  Loaded() {
    if (logs) dlog::info("plug-in's constructor");
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() {
    if (logs) dlog::info("plug-in's destructor");
  }
};
Loaded loaded;

struct Last {
  bool logs = false;
  ~Last() {
    if (logs) dlog::info("plug-in's thread_local");
  }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) void copy_log(const char* text) { dlog::info("{}", text); }

// In the calling thread, at its end.
extern "C" __attribute__((visibility("default"))) void copy_log_at_end() {
  static thread_local Last last;
  last.logs = true;
}

extern "C" __attribute__((visibility("default"))) bool copy_flush() { return static_cast<bool>(dlog::flush()); }

extern "C" __attribute__((visibility("default"))) bool copy_is_child() { return dlog::role() == dlog::Role::child; }

extern "C" __attribute__((visibility("default"))) void copy_bar() {
  static std::optional<dlog::ProgressBar> bar;
  bar.emplace("plug-in's bar", 10U);
  bar->push(3);
}
