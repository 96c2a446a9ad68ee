// The logging functions: one record a call, shown on the console of this process or of the parent it belongs to.
//
// Threads: any. Lifetimes: arguments are copied or formatted before the call returns and never read after it; format string and
// source location are copied when a call is made for the first time: a plug-in may be unloaded. Errors: the calls are noexcept; a format error at run time shows the raw format string and the reason; a record for which there is no
// room is counted (dlog::stats()) and told. A message longer than 1 MiB is cut, visibly. The first call starts the log
// thread (see runtime.hpp). Source location is captured without a macro.
#pragma once

#include <concepts>
#include <source_location>
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
  capture::CallSite site;

 private:
  // Of a literal's NUL we can be sure; what stands behind another text cannot be asked.
  template <class S>
  static consteval bool ends_with_nul(const S& text) {
    if constexpr (std::is_array_v<S>) return std::string_view(text).size() + 1 == std::extent_v<S>;
    else return false;
  }

 public:
  template <class S>
    requires std::convertible_to<const S&, std::string_view>
  consteval basic_format(const S& text,  // NOLINT(google-explicit-constructor)
                         capture::Spot spot = capture::Spot::here()) noexcept
      : site{std::string_view(text).data(), std::string_view(text).size(), spot.pointer()} {
    if constexpr ((capture::is_characters<std::decay_t<Args>> || ...)) {
      site.addresses = capture::addresses_in(text) & capture::characters_among<Args...>();
    }
    site.usual = site.addresses == 0 && ends_with_nul(text);
    [[maybe_unused]] const fmt::format_string<Args...> checked(text);
  }
};
template <class... Args>
using format_string = basic_format<std::type_identity_t<Args>...>;

// What the logging functions take: a literal in the call, or a format_string that was handed to the caller.
template <class... Args>
struct basic_format_here {
  capture::CallSite site;

  template <class S>
    requires std::convertible_to<const S&, std::string_view>
  consteval basic_format_here(const S& text,  // NOLINT(google-explicit-constructor)
                              capture::Spot spot = capture::Spot::here()) noexcept
      : site(basic_format<Args...>(text, spot).site) {}
  constexpr basic_format_here(const basic_format<Args...>& handed) noexcept  // NOLINT(google-explicit-constructor)
      : site(handed.site) {
    site.usual = false;
  }
};
template <class... Args>
using format_here = basic_format_here<std::type_identity_t<Args>...>;

// Text given alone: it is shown as it is, its braces are not parsed.
template <class T>
concept Text =
    std::same_as<std::remove_cvref_t<T>, std::string> || std::same_as<std::remove_cvref_t<T>, std::string_view>;

// The tag, another type at each call in the source, tells the call sites apart; it is never given.
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void log(Level level, format_here<Args...> format, Args&&... args) noexcept {
  if (capture::loggable(level) && capture::may_admit(level))
    capture::emit_rare(capture::call<Tag, Level::off>, capture::known(level), format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void trace(format_here<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::trace))
    capture::emit(capture::call<Tag, Level::trace>, Level::trace, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void debug(format_here<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::debug))
    capture::emit(capture::call<Tag, Level::debug>, Level::debug, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void info(format_here<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::info))
    capture::emit(capture::call<Tag, Level::info>, Level::info, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void warn(format_here<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::warn))
    capture::emit(capture::call<Tag, Level::warn>, Level::warn, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void error(format_here<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::error))
    capture::emit(capture::call<Tag, Level::error>, Level::error, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void fatal(format_here<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::fatal))
    capture::emit(capture::call<Tag, Level::fatal>, Level::fatal, format.site, args...);
}

template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void log(Level level, T&& message, capture::Spot spot = capture::Spot::here()) noexcept {
  if (capture::loggable(level) && capture::may_admit(level))
    capture::emit_text(capture::call<Tag, Level::off>, capture::known(level), spot.pointer(), message.data(),
                       message.size());
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void trace(T&& message, capture::Spot spot = capture::Spot::here()) noexcept {
  if (capture::may_admit(Level::trace))
    capture::emit_text(capture::call<Tag, Level::trace>, Level::trace, spot.pointer(), message.data(), message.size());
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void debug(T&& message, capture::Spot spot = capture::Spot::here()) noexcept {
  if (capture::may_admit(Level::debug))
    capture::emit_text(capture::call<Tag, Level::debug>, Level::debug, spot.pointer(), message.data(), message.size());
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void info(T&& message, capture::Spot spot = capture::Spot::here()) noexcept {
  if (capture::may_admit(Level::info))
    capture::emit_text(capture::call<Tag, Level::info>, Level::info, spot.pointer(), message.data(), message.size());
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void warn(T&& message, capture::Spot spot = capture::Spot::here()) noexcept {
  if (capture::may_admit(Level::warn))
    capture::emit_text(capture::call<Tag, Level::warn>, Level::warn, spot.pointer(), message.data(), message.size());
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void error(T&& message, capture::Spot spot = capture::Spot::here()) noexcept {
  if (capture::may_admit(Level::error))
    capture::emit_text(capture::call<Tag, Level::error>, Level::error, spot.pointer(), message.data(), message.size());
}
template <Text T, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void fatal(T&& message, capture::Spot spot = capture::Spot::here()) noexcept {
  if (capture::may_admit(Level::fatal))
    capture::emit_text(capture::call<Tag, Level::fatal>, Level::fatal, spot.pointer(), message.data(), message.size());
}

}  // namespace dlog
