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

  template <class S>
    requires std::convertible_to<const S&, std::string_view>
  consteval basic_format(const S& text,  // NOLINT(google-explicit-constructor)
                         capture::Spot spot = capture::Spot::here()) noexcept
      : basic_format(std::string_view(text), spot.pointer()) {}

 private:
  consteval basic_format(std::string_view text, const void* spot) noexcept : site{text.data(), text.size(), spot} {
    if constexpr (capture::any_characters<Args...>)
      site.addresses = capture::addresses_in(text) & capture::characters_among<Args...>();
    [[maybe_unused]] const fmt::format_string<Args...> checked(text);
  }
};
template <class... Args>
using format_string = basic_format<std::type_identity_t<Args>...>;

namespace capture {

// What the logging functions take: a literal in the call ...
template <class... Args>
struct basic_literal {
  LiteralSite<any_characters<Args...>> site;

  template <std::size_t size>
  consteval basic_literal(const char (&text)[size],  // NOLINT(google-explicit-constructor)
                          const void* spot = __builtin_source_location()) noexcept
      : site{text, spot} {
    if constexpr (any_characters<Args...>) site.addresses = addresses_in(text) & characters_among<Args...>();
    [[maybe_unused]] const fmt::format_string<Args...> checked(fmt::string_view(text, __builtin_strlen(text)));
  }
};
template <class... Args>
using literal = basic_literal<std::type_identity_t<Args>...>;

// ... or another constant text, or a format_string that the caller was handed.
template <class... Args>
struct basic_given {
  CallSite site;

  template <class S>
    requires(std::convertible_to<const S&, std::string_view> && !std::is_array_v<S>)
  consteval basic_given(const S& text, Spot spot = Spot::here()) noexcept  // NOLINT(google-explicit-constructor)
      : site(basic_format<Args...>(text, spot).site) {}
  // A template, so that a literal in braces is not made a format_string on its way.
  template <std::same_as<basic_format<Args...>> Handed>
  constexpr basic_given(const Handed& handed) noexcept : site(handed.site) {}  // NOLINT(google-explicit-constructor)
};

// A literal that is text: braces are not parsed.
struct PlainLiteral {
  const char* text;
  std::size_t size;
  const void* spot;
  template <std::size_t bytes>
  consteval PlainLiteral(const char (&literal)[bytes],  // NOLINT(google-explicit-constructor)
                         const void* here = __builtin_source_location()) noexcept
      : text(literal), size(__builtin_strlen(literal)), spot(here) {}
};
template <class... Args>
using given = basic_given<std::type_identity_t<Args>...>;

}  // namespace capture

// Text given alone: it is shown as it is, its braces are not parsed.
template <class T>
concept Text =
    std::same_as<std::remove_cvref_t<T>, std::string> || std::same_as<std::remove_cvref_t<T>, std::string_view>;

// The tag, another type at each call in the source, tells the call sites apart; it is never given. What is given a format is called
// for many sites, and found by all that is known of them: a tag would cost the compiler something at every other call. A level that is off is an early
// return: so compilers put what follows in line, which is shorter.
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void log(Level level, capture::literal<Args...> format, Args&&... args) noexcept {
  if (capture::loggable(level) && capture::may_admit(level))
    capture::emit_rare(capture::call<Tag, Level::off>, capture::known(level), capture::call_site(format.site), args...);
}
template <class... Args>
[[gnu::always_inline]] inline void log(Level level, capture::given<Args...> format, Args&&... args) noexcept {
  if (capture::loggable(level) && capture::may_admit(level))
    capture::emit_rare(capture::call<void, Level::off>, capture::known(level), format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void trace(capture::literal<Args...> format, Args&&... args) noexcept {
  if (!capture::may_admit(Level::trace)) return;
  capture::emit(capture::call<Tag, Level::trace>, Level::trace, format.site, args...);
}
template <class... Args>
[[gnu::always_inline]] inline void trace(capture::given<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::trace))
    capture::emit_rare(capture::call<void, Level::trace>, Level::trace, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void debug(capture::literal<Args...> format, Args&&... args) noexcept {
  if (!capture::may_admit(Level::debug)) return;
  capture::emit(capture::call<Tag, Level::debug>, Level::debug, format.site, args...);
}
template <class... Args>
[[gnu::always_inline]] inline void debug(capture::given<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::debug))
    capture::emit_rare(capture::call<void, Level::debug>, Level::debug, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void info(capture::literal<Args...> format, Args&&... args) noexcept {
  if (!capture::may_admit(Level::info)) return;
  capture::emit(capture::call<Tag, Level::info>, Level::info, format.site, args...);
}
template <class... Args>
[[gnu::always_inline]] inline void info(capture::given<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::info))
    capture::emit_rare(capture::call<void, Level::info>, Level::info, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void warn(capture::literal<Args...> format, Args&&... args) noexcept {
  if (!capture::may_admit(Level::warn)) return;
  capture::emit(capture::call<Tag, Level::warn>, Level::warn, format.site, args...);
}
template <class... Args>
[[gnu::always_inline]] inline void warn(capture::given<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::warn))
    capture::emit_rare(capture::call<void, Level::warn>, Level::warn, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void error(capture::literal<Args...> format, Args&&... args) noexcept {
  if (!capture::may_admit(Level::error)) return;
  capture::emit(capture::call<Tag, Level::error>, Level::error, format.site, args...);
}
template <class... Args>
[[gnu::always_inline]] inline void error(capture::given<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::error))
    capture::emit_rare(capture::call<void, Level::error>, Level::error, format.site, args...);
}
template <class... Args, class Tag = decltype([] {})>
[[gnu::always_inline]] inline void fatal(capture::literal<Args...> format, Args&&... args) noexcept {
  if (!capture::may_admit(Level::fatal)) return;
  capture::emit(capture::call<Tag, Level::fatal>, Level::fatal, format.site, args...);
}
template <class... Args>
[[gnu::always_inline]] inline void fatal(capture::given<Args...> format, Args&&... args) noexcept {
  if (capture::may_admit(Level::fatal))
    capture::emit_rare(capture::call<void, Level::fatal>, Level::fatal, format.site, args...);
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

// For signal handlers, whatever they interrupted, dlog itself included: takes no lock and no memory, and leaves errno alone. Only the
// literal's address is kept, so it must stay (no plug-in's that is unloaded). The log thread is woken to show it; up to 256 wait, more
// are dropped, counted and told. It does not wait until it is shown, but at exit: a handler that ends the process with _exit() loses
// it; one that calls abort(), or returns to a signal that dlog handles, does not. Where dlog was not started yet, in a child of a
// fork too, "LVL text" is written to stderr at once.
inline void signal_safe(Level level, capture::PlainLiteral literal) noexcept {
  if (capture::loggable(level))
    capture::emit_in_handler(capture::known(level), literal.text, literal.size, literal.spot);
}

}  // namespace dlog
