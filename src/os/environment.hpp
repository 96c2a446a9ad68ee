// The environment variables of this process.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dlog::os {

// Nothing where the variable is not set, or where the program runs with more rights than its caller (set-user-id).
// As safe beside threads that change the environment as getenv is.
std::optional<std::string> environment(const char* name);

// Sets one variable by building a new array and storing it once, so that a thread inside getenv never sees freed memory, as it
// can with setenv. The array is never freed. False: no memory.
bool set_environment(std::string_view name, std::string_view value) noexcept;

// Takes these variables away, all in one such step; the array stays as it is where it has none of them. False: no memory.
bool remove_from_environment(std::span<const std::string_view> names) noexcept;

}  // namespace dlog::os
