// Tests of event/captured: a message formatted later from copied arguments is the message fmt makes at once.
#include "log/event/captured.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/utf8.hpp"
#include "dlog/log.hpp"
#include "support/catch.hpp"

namespace shapes {

enum class Plain : std::uint8_t { two = 2 };
enum class Signed : std::int64_t { least = std::numeric_limits<std::int64_t>::min() };
enum class Letter : char { a = 'a' };
enum class Truth : bool { yes = true };
enum Old { old_seven = 7 };

enum class Colour : std::uint8_t { red = 3 };
constexpr int format_as(Colour colour) { return 100 + static_cast<int>(colour); }
enum class Named { on };
constexpr const char* format_as(Named) { return "switched on"; }
enum class Made { here };
std::string format_as(Made);
enum class MadeConstant { here };
const std::string format_as(MadeConstant);

enum class Formatted { one };
struct Point {
  int x;
  int y;
};
struct Faulty {};
struct VeryFaulty {};

}  // namespace shapes

template <>
struct fmt::formatter<shapes::Formatted> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(shapes::Formatted, Context& context) const {
    return fmt::formatter<fmt::string_view>::format("formatted", context);
  }
};
template <>
struct fmt::formatter<shapes::Point> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const shapes::Point& point, Context& context) const {
    return fmt::format_to(context.out(), "<{};{}>", point.x, point.y);
  }
};
template <>
struct fmt::formatter<shapes::Faulty> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const shapes::Faulty&, Context& context) const -> decltype(context.out()) {
    throw std::runtime_error("the formatter fell over");
  }
};
template <>
struct fmt::formatter<shapes::VeryFaulty> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const shapes::VeryFaulty&, Context& context) const -> decltype(context.out()) {
    throw 7;
  }
};

namespace {

using namespace dlog;
using namespace std::string_view_literals;

// Formats as the log thread does: from a copy at an odd address, with nothing behind it that may be read.
template <class... W>
std::string formatted_from_copy(std::string_view format, const W&... values) {
  const std::array<capture::Code, sizeof...(W) + 1> codes{capture::code_of<W>..., capture::Code::boolean};
  const std::size_t bytes = (capture::bytes_of(values) + ... + std::size_t{0});
  const auto room = std::make_unique<char[]>(1 + bytes);
  char* to = room.get() + 1;
  ((to = capture::put(to, values)), ...);
  CHECK(to == room.get() + 1 + bytes);
  static fmt::memory_buffer out;  // with what was left of the call before, as the scratch memory
  static event::Arguments scratch;
  const event::SiteEntry site = event::entry_of({format.data(), format.size()}, codes.data(), sizeof...(W));
  event::format_captured(out, scratch, site, room.get() + 1);
  return std::string(event::text_in(out));
}

template <class... Args>
std::string captured(std::string_view format, const Args&... arguments) {
  static_assert((capture::is_copied<std::decay_t<Args>> && ...));
  return formatted_from_copy(format, capture::measured(capture::plain(arguments))...);
}

template <class... Args>
void check_as_fmt(fmt::format_string<const Args&...> format, const Args&... arguments) {
  const fmt::string_view text = format;
  CAPTURE(std::string(text.data(), text.size()));
  CHECK(captured({text.data(), text.size()}, arguments...) == fmt::format(format, arguments...));
}

template <class... Args>
std::string now(std::string_view format, Args&&... arguments) {
  fmt::memory_buffer out;
  out.push_back('#');
  event::format_now(out, format, fmt::make_format_args(arguments...));
  return std::string(event::text_in(out));
}

TEST_CASE("captured: text without arguments") {
  check_as_fmt("");
  check_as_fmt("plain");
  check_as_fmt("{{}} }} {{");
  CHECK(captured("\u00e9\0z"sv) == "\u00e9\0z"sv);
  CHECK(captured(std::string_view("{}{}").substr(0, 2), 5) == "5");  // no NUL ends a format
}

TEST_CASE("captured: truth values and characters") {
  check_as_fmt("{} {} {:d} {:>6} {:s}", true, false, true, true, false);
  check_as_fmt("{} {:d} {:>3}| {:c}", 'x', 'x', 'y', 'z');
  check_as_fmt("{:d}", '\xFF');
  CHECK(captured("[{}]", '\0') == "[\0]"sv);
}

TEMPLATE_TEST_CASE("captured: whole numbers of every size", "", signed char, unsigned char, short, unsigned short, int,
                   unsigned, long, unsigned long, long long, unsigned long long) {
  using Limits = std::numeric_limits<TestType>;
  for (const TestType value : {Limits::min(), Limits::max(), TestType{0}, TestType{1}, static_cast<TestType>(-1)}) {
    check_as_fmt("{} {:#x} {:b} {:o} {:>30}", value, value, value, value, value);
    if constexpr (Limits::is_signed) check_as_fmt("{:+} {: }", value, value);
  }
  check_as_fmt("{:c} {:08} {:<5}| {:^5}|", TestType{65}, TestType{7}, TestType{7}, TestType{7});
}

TEST_CASE("captured: a double is shown as fmt shows it, whatever it is") {
  using Limits = std::numeric_limits<double>;
  for (const double value : {0.0,
                             -0.0,
                             0.5,
                             -0.5,
                             1.0,
                             12.5,
                             100.25,
                             0.001,
                             0.0005,
                             0.1 + 0.2,
                             1e10,
                             99'999'999'999.999,
                             1e11,
                             1e15,
                             1e16,
                             1e22,
                             1e300,
                             1e-300,
                             4.35,
                             0.615,
                             1.005,
                             -1234.5678,
                             Limits::min(),
                             Limits::max(),
                             Limits::denorm_min(),
                             Limits::epsilon(),
                             Limits::infinity(),
                             -Limits::infinity(),
                             Limits::quiet_NaN()})
    check_as_fmt("{}", value);
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t bits = random();
    const double thousandths = static_cast<double>(bits % 1'000'000'000'000'000) / 1000;
    const double away = (bits & 1) != 0 ? Limits::infinity() : -Limits::infinity();
    for (const double value :
         {std::bit_cast<double>(bits), thousandths, std::nextafter(thousandths, away),
          static_cast<double>(static_cast<int>(bits % 20'000)) * 0.1, static_cast<double>(bits % 100'000) / -100})
      if (captured("{}", value) != fmt::format("{}", value)) check_as_fmt("{}", value);
  }
}

TEST_CASE("captured: numbers of 128 bits") {
  using Limits = std::numeric_limits<std::uint64_t>;
  const auto wide = (capture::Uint128{Limits::max()} << 64) | Limits::max();
  check_as_fmt("{} {:x}", wide, wide);
  check_as_fmt("{} {}", capture::Uint128{0}, capture::Uint128{Limits::max()} + 1);
  const auto half = static_cast<capture::Int128>(wide >> 1);
  check_as_fmt("{} {}", half, -half - 1);
  check_as_fmt("{} {:#x} {:>5}|", capture::Int128{-1}, capture::Int128{-255}, capture::Int128{3});
}

TEMPLATE_TEST_CASE("captured: floating point numbers of every size", "", float, double, long double) {
  using Limits = std::numeric_limits<TestType>;
  for (const TestType value :
       {TestType(0), -TestType(0), TestType(0.1L), TestType(1) / 3, Limits::max(), Limits::lowest(), Limits::min(),
        Limits::denorm_min(), Limits::epsilon(), Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
    check_as_fmt("{} {:.3e} {:g} {:.2f} {:>12} {:+}", value, value, value, value, value, value);
  }
  check_as_fmt("{:a} {:#} {:08.3f}", TestType(0.5), TestType(2), TestType(-1.5));
}

TEST_CASE("captured: a float is not shown as the double next to it") {
  CHECK(captured("{}", 0.1F) == "0.1");
  CHECK(captured("{}", 0.1L) == "0.1");
}

TEST_CASE("captured: pointers") {
  int pointed = 0;
  void* changing = &pointed;
  const void* constant = &pointed;
  check_as_fmt("{} {} {:p} {:>40}", changing, constant, changing, constant);
  check_as_fmt("{} {:p} {:>5}|", nullptr, nullptr, nullptr);
  check_as_fmt("{}", static_cast<void*>(nullptr));
  check_as_fmt("{}", fmt::ptr(&pointed));
}

TEST_CASE("captured: texts of every kind") {
  const char* pointer = "pointer";
  char array[] = "array";
  char* changing = array;
  const std::string string = "string";
  check_as_fmt("{} {} {} {} {}", pointer, array, changing, string, "literal");
  check_as_fmt("{} {}", std::string_view(string).substr(1, 3), fmt::string_view("view"));
  check_as_fmt("{:>8}|{:<8}|{:^8}|{:*^8}|{:.3}|{:8.3}|{:s}", pointer, array, string, "x", pointer, string, changing);
  check_as_fmt("{}{}{}", "", std::string(), std::string_view());
  check_as_fmt("{}", fmt::string_view(nullptr, 0));
}

TEST_CASE("captured: characters of several bytes are aligned as fmt aligns them") {
  check_as_fmt("{:>6}|{:^6}|{:.2}|", "\u00e9\u20ac", std::string("\U0001F600"), "\u00e9\u20ac\u00e9");
  check_as_fmt("{:\u20ac>4}", 7);
}

TEST_CASE("captured: a NUL is part of a string, and ends an array") {
  const std::string with_nul("a\0b", 3);
  check_as_fmt("{}|{}|{:>6}|", with_nul, std::string_view(with_nul), with_nul);
  const char array[8] = {'a', 'b', '\0', 'c'};
  check_as_fmt("{}|", array);
  check_as_fmt("{}|", with_nul.c_str());
}

TEST_CASE("captured: an array that no NUL ends is shown to its end") {
  // In memory of its own, with nothing behind it.
  const auto tight = std::make_unique<char[][3]>(1);
  tight[0][0] = 'a', tight[0][1] = 'b', tight[0][2] = 'c';
  CHECK(captured("{}|", tight[0]) == "abc|");
  const char single[1] = {'x'};
  CHECK(captured("{}|", single) == "x|");
}

TEST_CASE("captured: no text at all is shown as such") {
  const char* none = nullptr;
  char* changing = nullptr;
  CHECK(captured("{} {:>8} {}", none, none, changing) == "(null)   (null) (null)");
}

TEST_CASE("captured: enums that fmt shows as their number") {
  CHECK(captured("{} {}", shapes::Plain::two, shapes::old_seven) == "2 7");
  CHECK(captured("{} {}", shapes::Letter::a, shapes::Truth::yes) == "a true");
  CHECK(captured("{}", shapes::Signed::least) == "-9223372036854775808");
  CHECK(captured("{:>4}|", shapes::Plain::two) == "   2|");
}

TEST_CASE("captured: enums that say how they are shown") {
  check_as_fmt("{} {:>6}", shapes::Colour::red, shapes::Colour::red);
  CHECK(captured("{:>12}|", shapes::Named::on) == " switched on|");
}

TEST_CASE("captured: a text that an enum makes for the call is not copied when it is gone") {
  CHECK_FALSE(capture::EnumWithFormatAs<shapes::Made>);
  CHECK_FALSE(capture::EnumWithFormatAs<shapes::MadeConstant>);
}

TEST_CASE("captured: types with a formatter of their own are not copied") {
  STATIC_REQUIRE_FALSE(capture::is_copied<shapes::Formatted>);
  STATIC_REQUIRE_FALSE(capture::is_copied<shapes::Point>);
  STATIC_REQUIRE_FALSE(capture::is_copied<std::unique_ptr<int>>);
  STATIC_REQUIRE_FALSE(capture::is_copied<int*>);
  STATIC_REQUIRE_FALSE(capture::is_copied<wchar_t>);
  CHECK(now("{:>10} {}", shapes::Formatted::one, shapes::Point{1, 2}) == " formatted <1;2>");
}

TEST_CASE("captured: width and precision that are arguments") {
  check_as_fmt("{:>{}}|{:<{}}|{:^{}}|", "x", 5, 1.5, 6U, 'c', 3L);
  check_as_fmt("{:.{}f} {:{}.{}f}", 3.14159, 2, 2.71828, 10, 3);
  check_as_fmt("{:>{}}", "x", static_cast<unsigned char>(200));
  check_as_fmt("{0:>{1}} {0:.{2}}", "text", 8ULL, short{2});
  check_as_fmt("{:>{}}|", "x", 0);
}

TEST_CASE("captured: arguments by position") {
  check_as_fmt("{1} {0} {1}", "a", 2);
  check_as_fmt("{2:>{0}} {1}", 6, 'c', "text");
  check_as_fmt("{0}", 1, 2, 3);
}

TEST_CASE("captured: arguments by name are formatted at once") {
  STATIC_REQUIRE_FALSE(capture::is_copied<std::decay_t<decltype(fmt::arg("name", 1))>>);
  CHECK(now("{name} {0} {name:>4}", 7, fmt::arg("name", "x")) == "x 7    x");
}

TEST_CASE("captured: more arguments than fmt packs") {
  check_as_fmt("{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}", 1, 'b', "c", 4.5, 5U, true, std::string("g"), 8L, 9ULL, "j",
               11, 'l', "m", 14.5F, 15U, false, std::string("q"), 18L, 19ULL, "t");
}

TEST_CASE("captured: kinds and sizes may stand in any order") {
  check_as_fmt("{} {} {} {} {} {} {} {}", 'a', std::uint64_t{1}, true, 2.5L, "text", nullptr, short{3}, 4.5F);
  check_as_fmt("{} {} {} {}", "", 1, std::string(100, 'x'), 2);
}

TEST_CASE("captured: each message starts anew") {
  // The log thread keeps its scratch memory from one to the next.
  CHECK(captured("{} {} {}", 1, 2, 3) == "1 2 3");
  CHECK(captured("{}", "x") == "x");
  CHECK(captured("{1}", "x").find("format error") != std::string::npos);
  CHECK(captured("{} {}", "y", 4) == "y 4");
}

TEST_CASE("captured: a copied argument is not read again") {
  std::string text = "as it was";
  const auto plain = capture::measured(capture::plain(text));
  const auto room = std::make_unique<char[]>(capture::bytes_of(plain));
  capture::put(room.get(), plain);
  text.assign("CHANGED, AFTER");
  const std::array codes{capture::code_of<std::decay_t<decltype(plain)>>};
  fmt::memory_buffer out;
  event::Arguments scratch;
  event::format_captured(out, scratch, event::entry_of({"{}", 2}, codes.data(), 1), room.get());
  CHECK(event::text_in(out) == "as it was");
}

// What fmt says of a format that cannot be carried out.
template <class... Args>
std::string reason(std::string_view format, const Args&... arguments) {
  try {
    const std::string fine =
        fmt::vformat(fmt::string_view(format.data(), format.size()), fmt::make_format_args(arguments...));
    return "no reason: " + fine;
  } catch (const fmt::format_error& error) {
    return error.what();
  }
}

template <class... Args>
void check_format_error(std::string_view format, const Args&... arguments) {
  const std::string expected = fmt::format("{} [format error: {}]", format, reason(format, arguments...));
  CHECK(captured(format, arguments...) == expected);
  CHECK(now(format, arguments...) == expected);
}

TEST_CASE("captured: a format error shows the raw format and the reason") {
  check_format_error("before {:{}} after", "x", -1);
  check_format_error("before {:.{}f} after", 1.0, -1);
  check_format_error("{:>{}}", "x", "wide");
  check_format_error("{:.{}f}", 1.0, 2.0);
  check_format_error("{:{}}", "x", std::uint64_t{1} << 40);
  check_format_error("{} {}", 1);
  check_format_error("{5}", 1);
  check_format_error("{name}", 1);
  check_format_error("some {} and {", 1);
  check_format_error("some {} and }", 1);
  check_format_error("{:d}", "text");
  check_format_error("{:!}", 1);
}

TEST_CASE("captured: a formatter that throws is a format error") {
  CHECK(now("before {} after", shapes::Faulty{}) == "before {} after [format error: the formatter fell over]");
  CHECK(now("before {} after", shapes::VeryFaulty{}) == "before {} after [format error: not a std::exception]");
}

TEST_CASE("captured: a format error of a huge format is cut like any message") {
  const std::string format(2 * event::message_bytes_max, 'f');
  const std::string out = captured(format + "{}");
  CHECK(out.size() < event::message_bytes_max + 64);
  CHECK(out.substr(event::message_bytes_max - 2, 7) == "ff [cut");
}

const std::string cut_mark = " [cut: longer than 1 MiB]";

// Shows the end of a message only: nobody wants to read a megabyte.
void check_cut(const std::string& out, std::size_t bytes_kept) {
  CHECK(out.size() == bytes_kept + cut_mark.size());
  const bool is_marked = out.ends_with(cut_mark);
  CHECK(is_marked);
  const bool is_utf8 = utf8::valid(out);
  CHECK(is_utf8);
}

fmt::memory_buffer buffer_of(std::string_view text) {
  fmt::memory_buffer buffer;
  buffer.append(text.data(), text.data() + text.size());
  return buffer;
}

std::string limited(std::string_view text) {
  fmt::memory_buffer message = buffer_of(text);
  event::limit_message(message);
  fmt::memory_buffer scratch;
  CHECK((event::limited(scratch, text) == event::text_in(message)));
  return std::string(event::text_in(message));
}

TEST_CASE("captured: a message of exactly the limit is whole") {
  std::string message(event::message_bytes_max, 'm');
  CHECK((limited(message) == message));
  message += 'm';
  check_cut(limited(message), event::message_bytes_max);
}

TEST_CASE("captured: a short message is left alone, whatever it holds") {
  CHECK(limited("\xFF\x80 not UTF-8") == "\xFF\x80 not UTF-8");
  CHECK(limited("").empty());
}

std::string repeated(std::string_view character, std::size_t bytes, std::size_t shift) {
  std::string text(shift, 'a');
  while (text.size() < bytes) text += character;
  return text;
}

TEST_CASE("captured: a message over the limit is cut between characters") {
  const auto* const character = GENERATE("a", "\u00e9", "\u20ac", "\U0001F600");
  const std::size_t bytes = std::string_view(character).size();
  for (std::size_t shift = 0; shift < 4; ++shift) {
    CAPTURE(character, shift);
    const std::size_t kept = event::message_bytes_max - (event::message_bytes_max - shift) % bytes;
    check_cut(limited(repeated(character, event::message_bytes_max + 10, shift)), kept);
  }
}

TEST_CASE("captured: huge arguments of every kind of text are cut, and shown as cut") {
  const std::string huge = repeated("\u20ac", 3 * event::message_bytes_max, 1);
  const std::size_t kept = event::message_bytes_max - (event::message_bytes_max - 1) % 3;
  check_cut(captured("{}", huge), kept);
  check_cut(captured("{}", std::string_view(huge)), kept);
  check_cut(captured("{}", huge.c_str()), kept);
  check_cut(captured("{}{}", huge, huge), kept);
  check_cut(captured("{}{}", huge, 7), kept);
  check_cut(captured("a{}", huge.substr(1)), kept);
  check_cut(now("{}", huge), kept);
}

TEST_CASE("captured: of a huge argument a little can be shown") {
  const std::string huge(3 * event::message_bytes_max, 'h');
  CHECK(captured("{:.3} {}", huge, 7) == "hhh 7");
  CHECK(captured("{1}", huge, 7) == "7");
}

TEST_CASE("captured: a huge array is cut") {
  using Array = char[2 * event::message_bytes_max];
  const auto huge = std::make_unique<Array[]>(1);
  for (char& c : huge[0]) c = 'h';
  check_cut(captured("{}", huge[0]), event::message_bytes_max);
}

TEST_CASE("captured: a message made long by its format is cut too") {
  check_cut(captured("{:>{}}", "x", 3'000'000), event::message_bytes_max);
}

}  // namespace
