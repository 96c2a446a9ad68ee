// The logging functions: one record a call, shown on the console of this process or of the parent it belongs to.
//
// Threads: any. Lifetimes: arguments are copied or formatted before the call returns and never read after it; format string
// and source location are literals that the log thread reads: a plug-in calls dlog::flush() before it is unloaded. Errors: the
// calls are noexcept; a format error at run time shows the raw format string and the reason; a record for which there is no
// room is counted (dlog::stats()) and told. A message longer than 1 MiB is cut, visibly. The first call starts the log
// thread (see runtime.hpp). Source location is captured without a macro.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

#include "dlog/capture.hpp"
#include "dlog/emit.hpp"
#include "dlog/level.hpp"

namespace dlog {

// A format string, checked against the argument types when it is compiled, and the place of the call. Made from a literal
// (or another constant text) only; it must not outlive its arguments' call.
template <class... Args>
struct basic_format {
  capture::Site site;

  template <class S>
    requires std::convertible_to<const S&, std::string_view>
  consteval basic_format(const S& text,  // NOLINT(google-explicit-constructor)
                         Location where = Location::current()) noexcept
      : site{std::string_view(text).data(), std::string_view(text).size(), where} {
    if constexpr ((capture::is_characters<std::decay_t<Args>> || ...)) {
      site.addresses = capture::addresses_in(text) & capture::characters_among<Args...>();
    }
    [[maybe_unused]] const fmt::format_string<Args...> checked(text);
  }
};
template <class... Args>
using format_string = basic_format<std::type_identity_t<Args>...>;

// Text given alone: it is shown as it is, its braces are not parsed.
template <class T>
concept Text =
    std::same_as<std::remove_cvref_t<T>, std::string> || std::same_as<std::remove_cvref_t<T>, std::string_view>;

// The tag, another type at each call in the source, tells the call sites apart; it is never given.
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void log(Level level, format_string<Args...> format, Args&&... args) noexcept {
  if (capture::loggable(level) && capture::admits(level))
    capture::emit<Tag>(capture::known(level), format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void trace(format_string<Args...> format, Args&&... args) noexcept {
  if (capture::admits(Level::trace)) capture::emit<Tag>(Level::trace, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void debug(format_string<Args...> format, Args&&... args) noexcept {
  if (capture::admits(Level::debug)) capture::emit<Tag>(Level::debug, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void info(format_string<Args...> format, Args&&... args) noexcept {
  if (capture::admits(Level::info)) capture::emit<Tag>(Level::info, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void warn(format_string<Args...> format, Args&&... args) noexcept {
  if (capture::admits(Level::warn)) capture::emit<Tag>(Level::warn, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void error(format_string<Args...> format, Args&&... args) noexcept {
  if (capture::admits(Level::error)) capture::emit<Tag>(Level::error, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void fatal(format_string<Args...> format, Args&&... args) noexcept {
  if (capture::admits(Level::fatal)) capture::emit<Tag>(Level::fatal, format.site, args...);
}

template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void log(Level level, T&& message, Location where = Location::current()) noexcept {
  if (capture::loggable(level) && capture::admits(level))
    capture::emit_text(capture::site_id<Tag>, capture::known(level), where, message.data(), message.size());
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void trace(T&& message, Location where = Location::current()) noexcept {
  log<T, Tag>(Level::trace, static_cast<T&&>(message), where);
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void debug(T&& message, Location where = Location::current()) noexcept {
  log<T, Tag>(Level::debug, static_cast<T&&>(message), where);
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void info(T&& message, Location where = Location::current()) noexcept {
  log<T, Tag>(Level::info, static_cast<T&&>(message), where);
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void warn(T&& message, Location where = Location::current()) noexcept {
  log<T, Tag>(Level::warn, static_cast<T&&>(message), where);
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void error(T&& message, Location where = Location::current()) noexcept {
  log<T, Tag>(Level::error, static_cast<T&&>(message), where);
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void fatal(T&& message, Location where = Location::current()) noexcept {
  log<T, Tag>(Level::fatal, static_cast<T&&>(message), where);
}

}  // namespace dlog
