// A shared library that the loader brings up before the program that it belongs to, and takes down after it: where T_LIFE_LIBRARY is
// set, it logs at both ends, and so makes the first call of the process. It has no dlog of its own: t_life has it.
#include <dlog/dlog.hpp>

#include <cstdlib>

namespace {

struct Library {
  bool logs = std::getenv("T_LIFE_LIBRARY") != nullptr;
  Library() {
    if (logs) dlog::info("library's constructor");
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (logs) dlog::info("library's destructor");
  }
};

Library library;

}  // namespace

extern "C" __attribute__((visibility("default"))) void stay_linked() {}
