// Test program: loads each plug-in that is named, lets it log, and unloads it. Exit status 1: one could not be loaded, or stayed.
#include <dlfcn.h>

#include <dlog/dlog.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    void* const plugin = dlopen(argv[i], RTLD_NOW);
    if (plugin == nullptr) {
      std::fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
    reinterpret_cast<void (*)()>(dlsym(plugin, "run"))();
    dlclose(plugin);
    if (dlopen(argv[i], RTLD_NOW | RTLD_NOLOAD) != nullptr) {
      std::fprintf(stderr, "%s stays loaded\n", argv[i]);
      return 1;
    }
    dlog::info("unloaded");  // and what it logged may not have been formatted yet
  }
}
