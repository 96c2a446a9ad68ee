// The environment variables: see environment.hpp.
#include "os/environment.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <new>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves the declaration to the program

namespace dlog::os {
namespace {

bool is_one_of(std::string_view entry, std::span<const std::string_view> names) noexcept {
  for (const std::string_view name : names)
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') return true;
  return false;
}

// A new array without these names and, unless it is null, with `added` at its end.
bool swap_environment(std::span<const std::string_view> removed, char* added) noexcept {
  std::size_t count = 0;
  while (environ != nullptr && environ[count] != nullptr) ++count;
  char** copy = new (std::nothrow) char*[count + 2];
  if (copy == nullptr) return false;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (!is_one_of(environ[i], removed)) copy[kept++] = environ[i];
  if (added != nullptr) copy[kept++] = added;
  copy[kept] = nullptr;
  __atomic_store_n(&environ, copy, __ATOMIC_RELEASE);
  return true;
}

}  // namespace

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
  if (swap_environment({&name, 1}, entry)) return true;
  delete[] entry;
  return false;
}

bool remove_from_environment(std::span<const std::string_view> names) noexcept {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    if (is_one_of(*entry, names)) return swap_environment(names, nullptr);
  return true;
}

}  // namespace dlog::os
