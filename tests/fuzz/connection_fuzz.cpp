// Bytes of a hostile child on their way to the console: whatever comes in, what is shown has no byte that moves a cursor, no
// forged line, is UTF-8, and every JSON line is one. The input's first byte seeds the pieces in which it arrives.
#include "log/hub/connection.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "demand.hpp"
#include "log/render/lines.hpp"
#include "log/render/screen.hpp"
#include "pieces.hpp"

namespace {

using dlog::fuzz::demand;
using namespace dlog;

constexpr std::int64_t start_ns = 1'700'000'000'000'000'000;
constexpr std::int64_t tick_ns = 50'000'000;
constexpr std::uint32_t own_pid = 4711;

struct Consoles {
  render::Lines plain{render::LineFormat::plain, render::BarLines::plain, {}};
  render::Lines simple{render::LineFormat::simple, render::BarLines::simple, {}};
  render::Lines json{render::LineFormat::json, render::BarLines::json, {}};
  render::Screen screen{{}};
  std::int64_t now_ns = 0;
  std::string out{};

  const std::string& draw(render::Renderer& renderer) {
    out.clear();
    renderer.draw(out, now_ns, {40, 10});
    return out;
  }
  void accept(const Event& event) {
    plain.accept(event, now_ns);
    simple.accept(event, now_ns);
    json.accept(event, now_ns);
    screen.accept(event, now_ns);
  }
  void check_all() {
    now_ns += tick_ns;
    check_lines(draw(plain));
    check_lines(draw(simple));
    check_lines(draw(json));
    check_json_lines(out);
    demand(utf8::valid(draw(screen)), "a screen is UTF-8");
  }

  static void check_lines(const std::string& text) {
    demand(utf8::valid(text), "a line is UTF-8");
    demand(text.empty() || text.ends_with('\n'), "a line ends");
    const bool harmless = std::all_of(text.begin(), text.end(), [](char c) {
      return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    });
    demand(harmless, "a line has no control byte");
  }
  static void check_json_lines(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      demand(line.starts_with('{') && line.ends_with('}'), "a JSON line is an object");
      demand(std::count(line.begin(), line.end(), '"') % 2 == 0 || line.find('\\') != std::string_view::npos,
             "a JSON line closes its texts");
      text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
  }
};

void check(const Event& event) {
  demand((event.record == nullptr) != (event.bar == nullptr), "an event is a record or a bar");
  const Source& source = event.source;
  if (source.id == 0) return demand(event.record != nullptr && event.record->notice, "only notices are our own");
  demand(source.pid != own_pid, "no child is this process");
  demand(!source.name.empty() && source.name.size() <= 64, "a child has a name, and a short one");
  demand(source.name.find_first_of("[]\n\x1b") == std::string_view::npos, "a name looks like nothing else");
  const bool notice = event.record != nullptr && event.record->notice;
  demand((source.name == "dlog") == notice && (!notice || source.pid != 0),
         "dlog speaks in notices, of a known process");
  if (event.record != nullptr) {
    const Record& record = *event.record;
    demand(record.message.size() < (std::size_t{1} << 20) + 100, "a message has a bound");
    demand(record.file.size() <= 1024 && record.function.size() <= 1024, "a place has a bound");
  } else {
    const Bar& bar = *event.bar;
    demand(bar.description.size() <= 1024 && bar.message.size() <= 4096 && bar.bar_template.size() <= 1024,
           "a bar's texts have bounds");
    demand(bar.state <= BarState::cleared && bar.unit <= Unit::seconds, "a bar's state and unit are some we know");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Source self;
  self.name = "dlog";
  self.pid = own_pid;
  hub::Connection connection(7, self, 40000);
  Consoles consoles;
  std::int64_t arrival_ns = start_ns;
  std::int64_t last_order_ns = 0;

  const auto take_all = [&] {
    hub::Connection::Arrival arrival;
    while (connection.next(arrival)) {
      check(arrival.event);
      demand(arrival.order_ns >= last_order_ns, "a child's events do not go back");
      demand(arrival.order_ns <= arrival_ns, "a child is not ahead of its arrival");
      demand(arrival.order_ns >= arrival_ns - tick_ns - hub::Connection::order_window_ns, "a child does not overtake");
      last_order_ns = arrival.order_ns;
      consoles.accept(arrival.event);
    }
    consoles.check_all();
  };

  for (fuzz::Pieces pieces(std::as_bytes(std::span(data, size)).subspan(1), data[0]);
       pieces.more() && !connection.finished();) {
    const auto piece = pieces.next();
    std::copy(piece.begin(), piece.end(), connection.room(piece.size()).begin());
    connection.received(piece.size(), arrival_ns + tick_ns, arrival_ns);
    arrival_ns += tick_ns;
    take_all();
    connection.rest();
  }
  connection.ended(arrival_ns + tick_ns, arrival_ns);
  arrival_ns += tick_ns;
  take_all();
  demand(connection.finished(), "a connection that ended is finished when its events are taken");
  return 0;
}
