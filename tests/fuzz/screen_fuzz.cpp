// Any events on a screen and on lines: whatever bars are called, however large the terminal says it is and wherever the clock
// goes, a frame emits nothing but what a frame may, leaves the terminal as it was, and no row is wider than it.
#include "log/render/screen.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/display_width.hpp"
#include "base/utf8.hpp"
#include "demand.hpp"
#include "log/render/lines.hpp"
#include "support/frame_bytes.hpp"

namespace {

using dlog::fuzz::demand;
using namespace dlog;
using render::Size;

// A long input says nothing that some short ones do not, and takes their time.
constexpr std::size_t bytes_max = 128;
constexpr int steps_max = 16;
constexpr int draws_max = 4;
constexpr std::int64_t now_max_ns = std::int64_t{1} << 60;

// The input, taken from the front; nothing but zeros behind its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
  bool more() const { return !rest_.empty(); }
  unsigned byte() {
    if (rest_.empty()) return 0;
    const unsigned out = rest_.front();
    rest_ = rest_.subspan(1);
    return out;
  }
  bool chance() { return byte() % 2 == 1; }
  // Numbers of every magnitude.
  std::uint64_t number() {
    const unsigned kind = byte();
    const std::uint64_t small = byte();
    switch (kind % 8) {
      case 0:
      case 1:
      case 2: return small;
      case 3: return small << (kind / 8 * 2);
      case 4: return ~std::uint64_t{0} - small;
      case 5: return (std::uint64_t{1} << 63) - 128 + small;
      case 6: return small * 1'000'000;
      default: return small * 1'000'000'000'000;
    }
  }
  std::string_view text() {
    static constexpr std::array<std::string_view, 16> frequent{"",
                                                               "a",
                                                               "Reading files",
                                                               "\x1b[2J",
                                                               "\n",
                                                               "\r\n\x1b[A",
                                                               "\xff",
                                                               "\xc2\x9b",
                                                               "漢字漢字漢字",
                                                               "e\xcc\x81",
                                                               "👨‍👩‍👧🇩🇪",
                                                               "\xe2\x80\xae",
                                                               "\t",
                                                               "{desc}",
                                                               "\x7f\x07\b",
                                                               "한글ﬀ→"};
    const unsigned kind = byte();
    if (kind < 128) return frequent[kind % frequent.size()];
    const auto bytes = rest_.first(std::min<std::size_t>(rest_.size(), kind % 64));
    rest_ = rest_.subspan(bytes.size());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string_view bar_template() {
    static constexpr std::array<std::string_view, 12> frequent{"",
                                                               "",
                                                               "",
                                                               "{desc} {bar} {percent}",
                                                               "{bar:200}",
                                                               "{desc:200}{bar}",
                                                               "{source} {spinner} {value}/{total} {state}",
                                                               "{message:3} {bar:9} {bar}",
                                                               "{bar}{bar}{bar}",
                                                               "{rate} {eta} {elapsed} {amount} {desc}",
                                                               "漢{desc:1}漢{bar:4}漢",
                                                               "}{"};
    const unsigned kind = byte();
    return kind < 192 ? frequent[kind % frequent.size()] : text();
  }
  int side() {
    static constexpr std::array<int, 16> sides{
        80, 24, 0, -1, 1, 2, 3, 4, 10, 20, 59, 60, 61, 1000, 2'147'483'647, -2'147'483'647 - 1};
    const unsigned kind = byte();
    return kind < 128 ? sides[kind % sides.size()] : static_cast<int>(kind - 128);
  }
  std::int64_t step_ns() {
    const auto small = static_cast<std::int64_t>(byte());
    switch (byte() % 8) {
      case 0: return 0;
      case 1: return small;
      case 2: return small * 1'000'000;
      case 3: return small * 1'000'000'000;
      case 4: return small * 3'600'000'000'000;
      case 5: return -small * 1'000'000;
      case 6: return -small * 1'000'000'000;
      default: return small << 48;
    }
  }

 private:
  std::span<const std::uint8_t> rest_;
};

Source any_source(Input& input) {
  const unsigned kind = input.byte();
  Source out;
  out.id = kind % 4;
  out.name = kind < 128 ? "prog" : input.text();
  out.pid = kind / 4 % 2 == 0 ? 0 : 4'294'967'295U;
  out.port = kind / 8 % 2 == 0 ? 0 : 65'535;
  return out;
}

Record any_record(Input& input) {
  Record out;
  const unsigned kind = input.byte();
  out.level = static_cast<Level>(kind % 7);
  out.wire_level = kind < 224 ? static_cast<std::uint8_t>(std::min(5U, kind % 7)) : static_cast<std::uint8_t>(kind);
  out.message = input.text();
  if (kind % 16 == 15) out.time_text = input.text();
  return out;
}

Bar any_bar(Input& input) {
  Bar out;
  const unsigned kind = input.byte();
  out.id = kind % 8;
  out.state = static_cast<BarState>(kind < 160 ? 0 : kind / 16 - 10);
  const unsigned looks = input.byte();
  out.created = looks % 2 == 1;
  out.unit = static_cast<Unit>(looks / 2 % 4);
  out.paused = looks / 8 % 4 == 1;
  out.estimate = looks / 32 % 2;
  out.value = input.number();
  out.total = input.number();
  out.description = input.text();
  if (looks >= 128) {
    out.parent = input.byte() % 8;
    out.message = input.text();
    out.bar_template = input.bar_template();
  }
  return out;
}

// What a renderer says, judged.
class Judge {
 public:
  Judge(bool colour, bool taskbar, Ambiguous ambiguous) : colour_(colour), taskbar_(taskbar), ambiguous_(ambiguous) {}

  void frame(std::string_view out, Size size) {
    const std::string fault = bytes_.read(out);
    demand(fault.empty(), fault);
    demand(bytes_.settled(), "a frame leaves the terminal as it was");
    demand(colour_ || out.find(render::colour_end) == std::string_view::npos, "no colour where it is off");
    demand(taskbar_ || out.find("\x1b]") == std::string_view::npos, "no word to the taskbar where it is off");
    if (out.find("\x1b[?7l") == std::string_view::npos) return;
    const std::size_t columns = size.columns > 1 ? static_cast<std::size_t>(size.columns) - 1 : 0;
    demand(bytes_.rows().size() <= render::Frame::rows_max(size), "there is room for the rows");
    for (const std::string& row : bytes_.rows())
      demand(row.size() <= columns || columns_of(row, ambiguous_) <= columns, "a row is narrower than the terminal");
  }
  void lines(std::string_view out) {
    demand(out.empty() || out.ends_with('\n'), "a line ends");
    demand(colour_ || out.find('\x1b') == std::string_view::npos, "lines have no escape");
    demand(out.find('\r') == std::string_view::npos, "lines have no carriage return");
    const std::string fault = bytes_.read(out);
    demand(fault.empty(), fault);
    demand(bytes_.settled(), "lines leave the terminal as it was");
  }

 private:
  test::FrameBytes bytes_{};
  bool colour_;
  bool taskbar_;
  Ambiguous ambiguous_;
};

template <class Renderer, class Check>
void run(Input& input, Renderer& renderer, Check check) {
  std::int64_t now_ns = 1'000'000'000;
  Size size{80, 24};
  std::string out;
  renderer.fit(size);
  const auto draw = [&] {
    out.clear();
    renderer.draw(out, now_ns, size);
    check(out, size);
  };
  int draws = 0;
  for (int step = 0; input.more() && step < steps_max; ++step) {
    Event event;
    switch (input.byte() % 16) {
      case 0:
      case 1:
      case 2: {
        const Record record = any_record(input);
        event.source = any_source(input);
        event.time_ns = static_cast<std::int64_t>(input.number() * 7);
        event.record = &record;
        renderer.accept(event, now_ns);
        break;
      }
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
      case 9: {
        const Bar bar = any_bar(input);
        event.source = any_source(input);
        event.bar = &bar;
        renderer.accept(event, now_ns);
        break;
      }
      case 10:
        size.columns = input.side();
        size.rows = input.side();
        break;
      case 11: now_ns = std::clamp(now_ns + input.step_ns(), -now_max_ns, now_max_ns); break;
      case 12: renderer.suspend(input.chance()); break;
      case 13: renderer.leave(input.byte() % 8 == 7); break;
      default:
        if (++draws <= draws_max) draw();
    }
    (void)renderer.due_ns();
  }
  draw();
  renderer.leave(true);
  draw();
  demand(renderer.due_ns() == render::Renderer::never, "after the end nothing is due");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > bytes_max) return -1;  // not for the corpus
  Input input(data, size);
  const unsigned kind = input.byte();
  const unsigned looks = input.byte();
  render::LineWords words;
  words.date = kind % 2 == 1;
  words.colour = kind / 2 % 2 == 1;
  words.time = kind / 4 % 4 != 0;
  if (kind % 64 >= 48) {
    Judge judge(words.colour, false, Ambiguous::narrow);
    render::Lines lines(static_cast<render::LineFormat>(looks % 3), static_cast<render::BarLines>(looks / 4 % 4),
                        words);
    run(input, lines, [&](std::string_view out, Size) { judge.lines(out); });
    return 0;
  }
  render::Screen::Look look;
  look.bars.theme = static_cast<BarTheme>(looks % 5);
  look.bars.unicode = looks / 8 % 2 == 1;
  look.bars.wide_ambiguous = looks / 16 % 4 == 3;
  look.taskbar = looks / 64 % 2 == 1;
  look.age_ns = looks / 128 % 2 == 1 ? 0 : 150'000'000;
  if (auto parsed = event::BarTemplate::parse(input.bar_template())) look.bars.bar_template = std::move(*parsed);
  Judge judge(words.colour, look.taskbar, look.bars.wide_ambiguous ? Ambiguous::wide : Ambiguous::narrow);
  render::Screen screen(words, std::move(look));
  run(input, screen, [&](std::string_view out, Size drawn) { judge.frame(out, drawn); });
  return 0;
}
