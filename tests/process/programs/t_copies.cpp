// Test program: a program that logs, and a plug-in with a dlog of its own, in one process: t_copies <plug-in> <step>...
// Steps: "load", "unload", "main <text>", "plug <text>", "roles", "flush" (of both), "bar" (of the plug-in), "many <count>" (both, two
// threads each), "hold" (a thread that has logged through the plug-in, and will again at its end), "release" (it ends), "fork" (the
// child logs through both and exits), "handler main|plug" (an exit handler that logs there), "exec <text>" (itself, with one thing to
// log), "quick_exit".
#include <dlog/dlog.hpp>

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

void* plugin = nullptr;
const char* path = nullptr;
std::thread holder;
std::atomic<bool> held{false};
std::atomic<bool> released{false};

template <class Function>
Function* of_plugin(const char* name) {
  auto* const function = reinterpret_cast<Function*>(dlsym(plugin, name));
  if (function == nullptr) std::exit(65);
  return function;
}

void answer(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void log_main(const std::string& text) { dlog::info("{}", text); }
void log_plug(const std::string& text) { of_plugin<void(const char*)>("copy_log")(text.c_str()); }

void load(const std::string&) {
  plugin = dlopen(path, RTLD_NOW);
  if (plugin != nullptr) return;
  std::fprintf(stderr, "%s\n", dlerror());
  std::exit(65);
}

void unload(const std::string&) {
  dlclose(plugin);
  void* const still = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  answer(still == nullptr ? "plug-in gone" : "plug-in stays");
  plugin = still;
}

void roles(const std::string&) {
  answer(std::string("main ") + (dlog::role() == dlog::Role::child ? "child" : "aggregator"));
  answer(std::string("plug ") + (of_plugin<bool()>("copy_is_child")() ? "child" : "aggregator"));
}

void flush(const std::string&) {
  const bool plug = of_plugin<bool()>("copy_flush")();
  const bool own = static_cast<bool>(dlog::flush());
  answer(plug && own ? "flushed" : "not flushed");
}

void many(const std::string& rest) {
  const int count = std::atoi(rest.c_str());
  std::vector<std::thread> threads;
  for (const char* who : {"main/0", "main/1", "plug/0", "plug/1"}) {
    threads.emplace_back([=] {
      for (int i = 0; i < count; ++i) {
        const std::string text = "rec " + std::string(who) + " " + std::to_string(i) + " " +
                                 std::string(static_cast<std::size_t>(i % 97), 'x') + "|";
        who[0] == 'm' ? log_main(text) : log_plug(text);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void hold(const std::string&) {
  holder = std::thread([] {
    log_plug("held");
    of_plugin<void()>("copy_log_at_end")();
    held = true;
    held.notify_all();
    released.wait(false);
  });
  held.wait(false);
}

void release(const std::string&) {
  released = true;
  released.notify_all();
  holder.join();
}

void fork_both(const std::string&) {
  const pid_t child = fork();
  if (child == 0) {
    log_main("main of the fork");
    if (plugin != nullptr) log_plug("plug-in of the fork");
    std::exit(0);
  }
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0) answer("fork failed");
}

void handler(const std::string& rest) {
  if (std::atexit(rest == "main" ? [] { log_main("handler of main"); } : [] { log_plug("handler of the plug-in"); }) !=
      0)
    std::exit(65);
}

void exec_self(const std::string& rest) {
  execl("/proc/self/exe", "t_copies", path, "load", ("main " + rest).c_str(), ("plug " + rest).c_str(),
        static_cast<char*>(nullptr));
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::function<void(const std::string&)>> steps{
      {"load", load},
      {"unload", unload},
      {"main", log_main},
      {"plug", log_plug},
      {"roles", roles},
      {"flush", flush},
      {"many", many},
      {"hold", hold},
      {"release", release},
      {"fork", fork_both},
      {"exec", exec_self},
      {"handler", handler},
      {"bar", [](const std::string&) { of_plugin<void()>("copy_bar")(); }},
      {"quick_exit", [](const std::string&) { std::quick_exit(0); }},
  };
  if (argc < 3) return 64;
  path = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string step = argv[i];
    const auto space = step.find(' ');
    const auto found = steps.find(step.substr(0, space));
    if (found == steps.end()) {
      answer("no step " + step);
      return 64;
    }
    found->second(space == std::string::npos ? "" : step.substr(space + 1));
  }
}
