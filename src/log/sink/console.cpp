// The sinks that a person or a file sees: see console.hpp.
#include "log/sink/console.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/civil_time.hpp"
#include "log/render/lines.hpp"
#include "log/render/screen.hpp"
#include "log/sink/losses.hpp"
#include "log/sink/stream_sink.hpp"
#include "os/clock.hpp"
#include "os/descriptor.hpp"
#include "os/output.hpp"
#include "os/terminal.hpp"

namespace dlog::sink {
namespace {

using render::BarLines;
using render::LineFormat;

// The offset changes at most at quarters of an hour; asking the system for each line would cost more than the line. Known to all
// threads, and to forked processes, who may not be able to ask; asked first by who opens a console or a file.
struct KnownOffset {
  std::uint32_t quarter;
  std::int32_t offset_s;
};
std::atomic<KnownOffset> known_offset{KnownOffset{UINT32_MAX, 0}};

std::int32_t cached_utc_offset_s(std::int64_t unix_s) {
  const auto quarter = static_cast<std::uint32_t>(unix_s / 900);
  const KnownOffset known = known_offset.load(std::memory_order_relaxed);
  if (known.quarter == quarter) return known.offset_s;
  const std::optional<std::int32_t> offset_s = os::local_utc_offset_s(unix_s);
  if (!offset_s) return known.offset_s;
  known_offset.store({quarter, *offset_s}, std::memory_order_relaxed);
  return *offset_s;
}

void ask_utc_offset() { cached_utc_offset_s(os::wall_ns() / ns_per_second); }

// Where stderr is closed, the number 2 may become any file of the program's: nothing may be written there.
class Nowhere : public event::Outlet {
 public:
  void accept(const Event& event) override {
    const bool own_notice = event.source.id == 0 && !event::is_own_record(event);
    if (event.record != nullptr && !own_notice) undelivered_.add(event.source.id, 1);
  }
  void flush() override {}
  void settle() override {}
  std::uint64_t undelivered() const override { return undelivered_.of(0); }
  std::uint64_t undelivered_of(std::uint64_t source_id) const override { return undelivered_.of(source_id); }

 private:
  Losses undelivered_;
};

BarLines bar_lines(ProgressMode progress) {
  switch (progress) {
    case ProgressMode::none: return BarLines::none;
    case ProgressMode::json: return BarLines::json;
    default: return BarLines::plain;
  }
}

Format format_for(const ConsoleChoice& choice) {
  if (choice.format != Format::automatic) return choice.format;
  const bool capable = os::is_terminal(choice.output_fd) && !choice.surroundings.dumb_terminal;
  return capable && !choice.surroundings.in_ci ? Format::terminal : Format::plain;
}

ProgressMode progress_for(const ConsoleChoice& choice, Format format) {
  if (choice.progress == ProgressMode::none) return ProgressMode::none;
  if (format == Format::json) return ProgressMode::json;
  if (choice.progress != ProgressMode::automatic) return choice.progress;
  return format == Format::terminal ? ProgressMode::bar : ProgressMode::plain;
}

render::Screen::Look look_for(const ConsoleChoice& choice) {
  const Surroundings& around = choice.surroundings;
  render::Screen::Look look;
  look.bars.unicode = around.unicode && !around.wide_ambiguous;
  look.bars.wide_ambiguous = around.wide_ambiguous;
  look.bars.theme = render::theme_for(choice.bar_theme, look.bars.unicode);
  if (auto parsed = event::BarTemplate::parse(choice.bar_template)) look.bars.bar_template = std::move(*parsed);
  look.taskbar = choice.taskbar;
  return look;
}

std::unique_ptr<render::Renderer> renderer_for(const ConsoleChoice& choice) {
  const Format format = format_for(choice);
  const ProgressMode progress = progress_for(choice, format);
  const bool terminal = format == Format::terminal;
  const Colour colour = choice.surroundings.colour;
  const render::LineWords words{!terminal, colour == Colour::automatic ? terminal : colour == Colour::always,
                                cached_utc_offset_s};

  if (progress == ProgressMode::bar) return std::make_unique<render::Screen>(words, look_for(choice));
  if (format == Format::simple) {
    return std::make_unique<render::Lines>(
        LineFormat::simple, progress == ProgressMode::plain ? BarLines::simple : bar_lines(progress), words);
  }
  return std::make_unique<render::Lines>(format == Format::json ? LineFormat::json : LineFormat::plain,
                                         bar_lines(progress), words);
}

}  // namespace

std::unique_ptr<event::Outlet> open_console(const ConsoleChoice& choice) {
  if (!os::is_open(choice.output_fd)) return std::make_unique<Nowhere>();
  ask_utc_offset();
  return std::make_unique<StreamSink>(renderer_for(choice), choice.output_fd, os::Descriptor(),
                                      fmt::format("console (descriptor {})", choice.output_fd));
}

Result<std::unique_ptr<event::Outlet>> open_file(const std::string& path) {
  auto file = os::open_for_appending(path);
  if (!file) return Error{file.reason()};
  ask_utc_offset();
  const render::LineWords words{true, false, cached_utc_offset_s};
  const int fd = file->get();
  return std::unique_ptr<event::Outlet>(
      std::make_unique<StreamSink>(std::make_unique<render::Lines>(LineFormat::plain, BarLines::plain, words), fd,
                                   std::move(*file), "file " + path, path));
}

}  // namespace dlog::sink
