// Test program: what can be given to a record: a formatter that throws, types that fmt knows, arguments changed after the call.
#include <fmt/format.h>
#include <dlog/dlog.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

namespace shapes {

struct Point {
  int x;
  int y;
};
struct Faulty {};
enum class Colour : std::uint8_t { red = 3 };
constexpr int format_as(Colour colour) { return static_cast<int>(colour); }

}  // namespace shapes

using shapes::Colour;
using shapes::Faulty;
using shapes::Point;

template <>
struct fmt::formatter<Point> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const Point& point, Context& context) const {
    return fmt::format_to(context.out(), "<{};{}>", point.x, point.y);
  }
};

template <>
struct fmt::formatter<Faulty> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const Faulty&, Context& context) const -> decltype(context.out()) {
    throw std::runtime_error("the formatter fell over");
  }
};

int main() {
  dlog::info("numbers {} {} {:.3f} {:#x} {:>6}|", std::numeric_limits<std::int64_t>::min(),
             std::numeric_limits<std::uint64_t>::max(), 1.5, 255, 42);
  dlog::info("small {} {} {}", true, 'c', static_cast<std::int8_t>(-5));
  dlog::info("enum {}", Colour::red);
  dlog::info("point {}", Point{1, 2});
  std::string changing = "as it was";
  const char* pointed = changing.c_str();
  dlog::info("texts {} {} {}", changing, std::string_view(changing), pointed);
  changing.assign("CHANGED, AFTER");
  dlog::info("width {:*^{}}", "mid", 9);
  // The precision is known at run time only, and too small: nothing can check it before.
  dlog::info("precision {:.{}f} of bad", 1.0, -1);
  dlog::warn("before {} after", Faulty{});
  dlog::info(std::string("braces {} {{ stay }}"));
  dlog::info(std::string_view("view {0}"));
  dlog::info("escaped {{}}");
  dlog::info("the end");
}
