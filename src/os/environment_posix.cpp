// The environment variables: see environment.hpp.
#include "os/environment.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <new>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves the declaration to the program

namespace dlog::os {

std::optional<std::string> environment(const char* name) {
  const char* value = ::secure_getenv(name);
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

bool set_environment(std::string_view name, std::string_view value) noexcept {
  const std::size_t name_bytes = name.size();
  char* entry = new (std::nothrow) char[name_bytes + value.size() + 2];
  if (entry == nullptr) return false;
  std::memcpy(entry, name.data(), name_bytes);
  entry[name_bytes] = '=';
  std::memcpy(entry + name_bytes + 1, value.data(), value.size());
  entry[name_bytes + 1 + value.size()] = '\0';

  std::size_t count = 0;
  while (environ != nullptr && environ[count] != nullptr) ++count;
  char** copy = new (std::nothrow) char*[count + 2];
  if (copy == nullptr) {
    delete[] entry;
    return false;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool same = std::strncmp(environ[i], entry, name_bytes + 1) == 0;
    if (!same) copy[kept++] = environ[i];
  }
  copy[kept++] = entry;
  copy[kept] = nullptr;
  __atomic_store_n(&environ, copy, __ATOMIC_RELEASE);
  return true;
}

}  // namespace dlog::os
